// SPDX-License-Identifier: Apache-2.0
#include "sim/rtl/vector_lanes.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "models/error.h"
#ifdef BITPULSE_VERILATED_OUTPUT
#include "Vrequantizer_16.h"
#include "sim/rtl/clocked_model.h"
#endif

namespace bitpulse::rtl {
namespace {

constexpr std::size_t kGroupLanes = 16;

/// Inputs of a group: pointers are to kGroupLanes words.
struct LaneInputs {
  std::uint32_t ctrl = 0;
  CodeRange clamp;
  const std::int32_t *value = nullptr, *addend = nullptr, *m = nullptr, *m_negative = nullptr,
                     *shift = nullptr, *other = nullptr, *other_m = nullptr, *other_shift = nullptr;
};

}  // namespace

#ifdef BITPULSE_VERILATED_OUTPUT

class VectorLanes::Group : ClockedModel<Vrequantizer_16> {
 public:
  void idle() {
    fall();
    model_.ctrl_i = 0;
    rise();
  }
  void step(const LanePass& pass, const LaneInputs& inputs) {
    fall();
    model_.ctrl_i = static_cast<SData>(inputs.ctrl);
    model_.min_i = static_cast<IData>(inputs.clamp.min);
    model_.max_i = static_cast<IData>(inputs.clamp.max);
    write(model_.value_i, inputs.value);
    write(model_.addend_i, inputs.addend);
    write(model_.m_i, inputs.m);
    write(model_.shift_i, inputs.shift);
    if (pass.ctrl.leaky) write(model_.m_negative_i, inputs.m_negative);
    if (pass.ctrl.low_bit || pass.ctrl.branch) {
      write(model_.other_i, inputs.other);
      write(model_.other_m_i, inputs.other_m);
      write(model_.other_shift_i, inputs.other_shift);
    }
    rise();
  }
  bool valid() const { return model_.valid_o != 0; }
  const std::uint32_t* codes() const { return &model_.code_o[0]; }
  std::uint32_t saturated() const { return model_.saturated_o; }
  std::uint32_t clamped() const { return model_.clamped_o; }
  std::uint32_t above() const { return model_.above_o; }
  std::uint32_t below() const { return model_.below_o; }

 private:
  template <class Port>
  static void write(Port& port, const std::int32_t* words) {
    static_assert(sizeof port == kGroupLanes * sizeof *words);
    std::memcpy(&port, words, sizeof port);
  }
};

#else

class VectorLanes::Group {
 public:
  Group() {
    throw Error(ErrorKind::kInvalidInput,
                "no Verilated requantizer in this program, which was built without Verilator");
  }
  void idle() {}
  void step(const LanePass&, const LaneInputs&) {}
  bool valid() const { return false; }
  const std::uint32_t* codes() const { return nullptr; }
  std::uint32_t saturated() const { return 0; }
  std::uint32_t clamped() const { return 0; }
  std::uint32_t above() const { return 0; }
  std::uint32_t below() const { return 0; }
};

#endif

/// One pass over the next elements, one per lane.
struct VectorLanes::Beat {
  const LanePass* pass = nullptr;  // null: none
  std::size_t first = 0, count = 0;
  std::size_t column = 0;  // of the first element
};

VectorLanes::VectorLanes() = default;
VectorLanes::~VectorLanes() = default;

void VectorLanes::reset(std::size_t lanes) {
  lanes_ = lanes;
  groups_.clear();
  for (std::size_t lane = 0; lane < lanes; lane += kGroupLanes) {
    groups_.push_back(std::make_unique<Group>());
  }
  for (auto* words : {&value_, &addend_, &other_}) words->assign(groups_.size() * kGroupLanes, 0);
}

/// What differs from beat to beat: values, bias or window code, identity.
void VectorLanes::load(const Beat& beat, const VectorJob& job, const std::int32_t* values) {
  const LanePass& pass = *beat.pass;
  const auto copy = [&](const std::int32_t* from, std::vector<std::int32_t>& to) {
    std::copy_n(from, beat.count, to.begin());
    std::fill(to.begin() + static_cast<std::ptrdiff_t>(beat.count), to.end(), 0);
  };
  const std::int32_t* const code =
      pass.window < 0
          ? nullptr
          : job.codes.data() + static_cast<std::size_t>(pass.window) * job.elements() + beat.first;
  if (!pass.ctrl.feedback) copy(code != nullptr ? code : values + beat.first, value_);
  if (pass.ctrl.feedback && code != nullptr) {
    copy(code, addend_);
  } else {
    copy(pass.parameters.addend.data() + beat.column, addend_);
  }
  if (pass.ones) {
    std::fill(other_.begin(), other_.end(), 1);
  } else if (pass.ctrl.low_bit || pass.ctrl.branch) {
    copy(job.identity.data() + beat.first, other_);
  }
}

void VectorLanes::step(const Beat& beat) {
  const LaneParameters& p = beat.pass->parameters;
  LaneInputs inputs;
  inputs.ctrl = beat.pass->ctrl.pack();
  inputs.clamp = beat.pass->clamp;
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const std::size_t lane = g * kGroupLanes, column = beat.column + lane;
    inputs.value = value_.data() + lane;
    inputs.addend = addend_.data() + lane;
    inputs.other = other_.data() + lane;
    inputs.m = p.m.data() + column;
    inputs.m_negative = p.m_negative.data() + column;
    inputs.shift = p.shift.data() + column;
    inputs.other_m = p.other_m.data() + column;
    inputs.other_shift = p.other_shift.data() + column;
    groups_[g]->step(*beat.pass, inputs);
  }
}

/// What stands at the outputs of the pass that entered a cycle before.
bool VectorLanes::collect(const Beat& beat, VectorOutcome& outcome) const {
  if (beat.pass == nullptr) return false;
  const LanePass& pass = *beat.pass;
  bool valid = false;
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const Group& group = *groups_[g];
    if (pass.counts_sums) outcome.saturations += group.saturated();
    if (pass.counts_clips) outcome.saturations += group.clamped();
    if (pass.counts_above) outcome.saturations += group.above();
    if (pass.counts_below) outcome.saturations += group.below();
    if (!group.valid()) continue;
    valid = true;
    if (pass.store < 0) {
      throw Error(ErrorKind::kInternal, "rtl requantizer: lanes " +
                                            std::to_string(g * kGroupLanes) +
                                            " and on have codes that no pass asked for");
    }
    const std::size_t lane = g * kGroupLanes;
    if (lane >= beat.count) continue;
    std::memcpy(outcome.stores[static_cast<std::size_t>(pass.store)].data() + beat.first + lane,
                group.codes(), std::min(kGroupLanes, beat.count - lane) * sizeof(std::int32_t));
  }
  return valid;
}

VectorOutcome VectorLanes::run(const VectorJob& job, std::vector<LanePass> passes,
                               const std::int32_t* values) {
  // A beat may begin in any column, and goes on in the next pixel.
  for (LanePass& pass : passes) {
    LaneParameters& p = pass.parameters;
    for (auto* words : {&p.addend, &p.m, &p.m_negative, &p.shift, &p.other_m, &p.other_shift}) {
      const std::size_t columns = words->size();
      words->resize(columns + value_.size());
      for (std::size_t i = columns; i < words->size(); ++i) (*words)[i] = (*words)[i - columns];
    }
  }
  VectorOutcome outcome;
  outcome.stores.resize(job.layer->stores.size());
  for (std::vector<std::int32_t>& codes : outcome.stores) codes.resize(job.elements());
  Beat before;
  std::uint64_t cycle = 0;
  const auto clocked = [&] {  // after an edge
    ++cycle;
    if (collect(before, outcome)) outcome.cycles = cycle;
  };
  for (std::size_t first = 0; first < job.elements(); first += lanes_) {
    for (const LanePass& pass : passes) {
      const Beat beat{&pass, first, std::min(lanes_, job.elements() - first),
                      first % job.columns()};
      load(beat, job, values);
      step(beat);
      clocked();
      before = beat;
    }
  }
  for (auto& group : groups_) group->idle();
  clocked();
  return outcome;
}

}  // namespace bitpulse::rtl
