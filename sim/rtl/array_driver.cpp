// SPDX-License-Identifier: Apache-2.0
#include "sim/rtl/array_driver.h"

#include <algorithm>
#include <cassert>
#include <optional>
#include <string>

#include "models/error.h"
#include "sim/rtl/edge_difference.h"

namespace bitpulse::rtl {
namespace {

std::uint64_t u64(int n) { return static_cast<std::uint64_t>(n); }

}  // namespace

ArrayDriver::ArrayDriver(ArrayModel& model)
    : model_(model),
      shape_(model.shape()),
      zero_acts_(shape_.act_words()),
      zero_weights_(shape_.weight_words()),
      cursors_(static_cast<std::size_t>(shape_.cols)) {}

void ArrayDriver::set_format(AccFormat format) {
  model_.set_format(format);
  if (reference_ != nullptr) reference_->set_format(format);
}

void ArrayDriver::reset() {
  model_.reset();
  if (reference_ != nullptr) reference_->reset();
  first_ += entries_.size();
  entries_.clear();
  planned_ = streaming_ = loading_ = first_;
  finished_ = taken_ = 0;
  std::fill(cursors_.begin(), cursors_.end(), Cursor{first_, 0});
}

std::uint64_t ArrayDriver::preload(const Fold& fold) const {
  return shape_.output_stationary ? 0 : u64(fold.rows);
}

void ArrayDriver::push(Fold fold) {
  assert(fold.rows >= 1 && fold.rows <= shape_.rows && fold.cols >= 1 && fold.cols <= shape_.cols &&
         fold.stream >= 1);
  assert(fold.acts.size() == u64(fold.stream) * shape_.act_words());
  assert(fold.weights.size() ==
         u64(shape_.output_stationary ? fold.stream : fold.rows) * shape_.weight_words());
  fold.ready = std::max(fold.ready, now_);
  Entry e;
  e.missing = u64(lines(fold)) * u64(fold.cols);
  e.output.sums.resize(e.missing);
  e.output.overflows.resize(e.missing);
  e.output.cycles.resize(e.missing);
  if (memory_ != nullptr) {
    e.output.totals.resize(e.missing);
    e.output.total_overflows.resize(e.missing);
  }
  e.fold = std::move(fold);
  entries_.push_back(std::move(e));
}

void ArrayDriver::wait_until(std::uint64_t cycle) {
  assert(!busy());
  now_ = std::max(now_, cycle);
}

// Starts of streams. Without overlap a fold is planned when its predecessor's last output is out;
// with overlap by the intervals of the contract.
void ArrayDriver::plan() {
  while (planned_ < first_ + entries_.size() && (overlap_ || planned_ == first_ + finished_)) {
    Entry& e = entry(planned_);
    const std::uint64_t ready = std::max(e.fold.ready, overlap_ ? 0 : now_);
    e.output.start = ready + preload(e.fold);
    if (overlap_ && planned_ > first_) {
      const Entry& before = entry(planned_ - 1);
      const int interval =
          shape_.output_stationary
              ? std::max(before.fold.stream, before.fold.rows + before.fold.stream - e.fold.stream)
              : std::max(before.fold.stream, e.fold.rows);
      e.output.start = std::max(e.output.start, before.output.start + u64(interval));
    }
    ++planned_;
  }
}

std::uint64_t ArrayDriver::last_output(const Entry& e) const {
  return e.output.start + u64(e.fold.stream + shape_.rows + e.fold.cols - 2) +
         (shape_.output_stationary ? u64(e.fold.rows) : 0);
}

void ArrayDriver::drive() {
  ActCtrl act_ctrl;
  WeightCtrl weight_ctrl;
  EdgeInputs inputs;
  inputs.act = zero_acts_.data();
  inputs.weight = zero_weights_.data();

  if (loading_ < planned_) {
    const Fold& fold = entry(loading_).fold;
    const std::uint64_t start = entry(loading_).output.start;
    if (shape_.output_stationary) {
      if (now_ == start + u64(fold.stream)) {
        weight_ctrl.valid = true;
        weight_ctrl.count = fold.rows - 1;
        ++loading_;
      }
    } else if (now_ + u64(fold.rows) >= start) {
      const auto row = static_cast<int>(start - 1 - now_);  // the bottom used row comes first
      weight_ctrl = {true, row, fold.weight_format};
      inputs.weight = fold.weights.data() + u64(row) * shape_.weight_words();
      if (row == 0) ++loading_;
    }
  }

  if (streaming_ < planned_ && now_ >= entry(streaming_).output.start) {
    const Fold& fold = entry(streaming_).fold;
    const auto t = static_cast<std::size_t>(now_ - entry(streaming_).output.start);
    ElementFormat element{fold.act_format, fold.weight_format, 0};
    if (!fold.elements.empty()) element = fold.elements[t];
    act_ctrl = {true, t == 0, element.shift, element.act};
    inputs.act = fold.acts.data() + t * shape_.act_words();
    if (shape_.output_stationary) {
      weight_ctrl.format = element.weight;
      inputs.weight = fold.weights.data() + t * shape_.weight_words();
    }
    if (t + 1 == u64(fold.stream)) ++streaming_;
  }

  inputs.act_ctrl = act_ctrl.pack();
  inputs.weight_ctrl = weight_ctrl.pack();
  model_.step(inputs);
  if (reference_ != nullptr) reference_->step(inputs);
  ++now_;
  ++edges_;
}

void ArrayDriver::compare(const EdgeOutputs& edge) const {
  const EdgeOutputs& expected = reference_->outputs();
  const std::uint64_t end = first_ + entries_.size();
  for (std::size_t j = 0; j < cursors_.size(); ++j) {
    const Cursor cursor = cursors_[j];
    EdgeDifference difference;
    const auto differs = [&](EdgeDifference::What what, std::int64_t wanted, std::int64_t found) {
      if (wanted == found) return;
      difference.what = what;
      difference.expected = wanted;
      difference.found = found;
      difference.cycle = now_;
      difference.edge = edges_;
      difference.column = static_cast<int>(j);
      difference.fold = cursor.fold;
      if (cursor.fold < end) difference.line = line(entry(cursor.fold).fold, cursor.index);
      throw EdgeDifferenceError(difference);
    };
    differs(EdgeDifference::What::kValid, expected.valid[j], edge.valid[j]);
    if (edge.valid[j] == 0 || cursor.fold == end) continue;
    if (static_cast<int>(j) >= entry(cursor.fold).fold.cols) continue;  // means nothing
    differs(EdgeDifference::What::kSum, expected.psum[j], edge.psum[j]);
    differs(EdgeDifference::What::kOverflows, expected.overflow[j], edge.overflow[j]);
  }
}

/// The accumulator memory takes what stands at the edge, in the cycle in which it stands there.
void ArrayDriver::accumulate(const EdgeOutputs& edge) {
  std::optional<SumAccess> access;
  const Cursor first = cursors_.front();
  if (edge.valid.front() != 0 && first.fold < first_ + entries_.size()) {
    const Fold& fold = entry(first.fold).fold;
    access = SumAccess{fold.acc_addr + static_cast<std::uint32_t>(line(fold, first.index)),
                       fold.accumulate, fold.acc_shift, fold.cols};
  }
  memory_->step(edge, access);
}

void ArrayDriver::collect() {
  const EdgeOutputs& edge = model_.outputs();
  if (reference_ != nullptr) compare(edge);
  if (memory_ != nullptr) accumulate(edge);
  for (std::size_t j = 0; j < cursors_.size(); ++j) {
    if (edge.valid[j] == 0) continue;
    Cursor& cursor = cursors_[j];
    if (cursor.fold == first_ + entries_.size()) {
      throw Error(ErrorKind::kInternal, "rtl array: column " + std::to_string(j) +
                                            " has an output in cycle " + std::to_string(now_) +
                                            " that no fold asked for");
    }
    Entry& e = entry(cursor.fold);
    if (j < u64(e.fold.cols)) {
      const int at = line(e.fold, cursor.index);
      const std::size_t n = u64(at) * u64(e.fold.cols) + j;
      e.output.sums[n] = edge.psum[j];
      e.output.overflows[n] = edge.overflow[j];
      e.output.cycles[n] = now_;
      if (memory_ != nullptr) {
        const std::uint32_t addr = e.fold.acc_addr + static_cast<std::uint32_t>(at);
        e.output.totals[n] = memory_->sum(j, addr);
        e.output.total_overflows[n] = memory_->overflows(j, addr);
      }
      if (--e.missing == 0) e.output.finish = now_;
    }
    if (++cursor.index == lines(e.fold)) cursor = {cursor.fold + 1, 0};
  }
  while (busy() && entries_[finished_].missing == 0) ++finished_;
}

void ArrayDriver::step() {
  plan();
  drive();
  collect();
  if (busy() && first_ + finished_ < planned_ && now_ > last_output(entries_[finished_])) {
    throw Error(ErrorKind::kInternal, "rtl array: a fold lacks " +
                                          std::to_string(entries_[finished_].missing) +
                                          " outputs in cycle " + std::to_string(now_) +
                                          ", the last was expected in cycle " +
                                          std::to_string(last_output(entries_[finished_])));
  }
}

FoldOutput ArrayDriver::take_output() {
  assert(has_output());
  FoldOutput output = std::move(entries_[taken_].output);
  entries_[taken_].output.start = output.start;  // the next fold is planned by it
  ++taken_;
  drop_spent();
  return output;
}

// Unused columns give outputs too, and the last of them after the last used one.
void ArrayDriver::drop_spent() {
  while (taken_ > 0 && std::all_of(cursors_.begin(), cursors_.end(),
                                   [this](Cursor c) { return c.fold > first_; })) {
    entries_.pop_front();
    ++first_;
    --finished_;
    --taken_;
  }
}

std::vector<FoldOutput> ArrayDriver::run(const std::vector<Fold>& folds, bool overlap) {
  set_overlap(overlap);
  for (const Fold& fold : folds) push(fold);
  std::vector<FoldOutput> outputs;
  while (outputs.size() < folds.size()) {
    step();
    while (has_output()) outputs.push_back(take_output());
  }
  return outputs;
}

void ArrayDriver::run_for(const std::vector<Fold>& folds, bool overlap, std::uint64_t cycles) {
  set_overlap(overlap);
  for (const Fold& fold : folds) push(fold);
  for (std::uint64_t n = 0; n < cycles && busy(); ++n) step();
}

}  // namespace bitpulse::rtl
