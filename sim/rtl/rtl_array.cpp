// SPDX-License-Identifier: Apache-2.0
#include "sim/rtl/rtl_array.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

namespace bitpulse::rtl {

ArrayShape shape_of(const ArraySpec& spec) {
  return {spec.pe, spec.dataflow == Dataflow::kOs, static_cast<int>(spec.rows),
          static_cast<int>(spec.cols)};
}

void RtlArray::reset(const Program& program) {
  const ArraySpec& spec = program.machine.array;
  const ArrayShape shape = shape_of(spec);
  if (model_ == nullptr || !(model_->shape() == shape)) model_ = make_(shape);
  spec_ = spec;
  model_->reset();
  program_ = &program;
  reference_ = lockstep_ ? std::make_unique<LockstepModel>(shape) : nullptr;
  driver_ = std::make_unique<ArrayDriver>(*model_);
  const AccFormat format{spec.overflow == Overflow::kSaturate, spec.acc_bits};
  memory_.reset(shape.cols, format);
  driver_->set_reference(reference_.get());
  driver_->set_format(format);
  driver_->set_memory(&memory_);
  driver_->set_overlap(spec.overlap);
  jobs_.clear();
  folds_ = 0;
  filling_ = 0;
}

void RtlArray::submit(ArrayJob job, std::uint64_t cycle) {
  if (!driver_->busy()) driver_->wait_until(cycle);
  Job entry;
  entry.folds = pack_folds(job, spec_, model_->shape());
  entry.first_fold = folds_;
  folds_ += entry.folds.size();
  for (PackedFold& packed : entry.folds) {
    driver_->push(packed.fold);
    packed.fold.acts = {};
    packed.fold.weights = {};
  }
  entry.outcome.id = job.id;
  entry.job = std::move(job);
  jobs_.push_back(std::move(entry));
}

DivergenceError RtlArray::located(const EdgeDifference& difference) {
  // An output that no fold asked for counts as the last one's.
  const auto later = std::find_if(jobs_.begin(), jobs_.end(),
                                  [&](const Job& job) { return job.first_fold > difference.fold; });
  const Job& job = *std::prev(later);
  const std::size_t fold =
      std::min<std::size_t>(difference.fold - job.first_fold, job.folds.size() - 1);
  const AccFormat format{spec_.overflow == Overflow::kSaturate, spec_.acc_bits};
  DivergencePlace place;
  place.layer = program_->layers[program_->commands[job.job.id].layer].name;
  place.command = job.job.id;
  place.cycle = difference.cycle;
  place.edge = difference.edge;
  place.expected = difference.expected;
  place.found = difference.found;
  place.pe = faulty_pes(difference, pack_folds(job.job, spec_, model_->shape())[fold].fold, format,
                        *model_, *reference_);
  const PeRange pe = *place.pe;
  const std::string rows =
      pe.first_row == pe.last_row
          ? "PE " + std::to_string(pe.first_row)
          : "one of PE " + std::to_string(pe.first_row) + ".." + std::to_string(pe.last_row);
  return {"rtl: layer \"" + place.layer + "\", array command " + std::to_string(job.job.id) +
              ", cycle " + std::to_string(difference.cycle) + ", " + rows + "," +
              std::to_string(pe.column) + " (row,column), " + to_string(difference.what) +
              ": found " + std::to_string(difference.found) + ", expected " +
              std::to_string(difference.expected),
          place};
}

void RtlArray::step() {
  try {
    driver_->step();
  } catch (const EdgeDifferenceError& error) {
    throw located(error.difference());
  }
  ++stepped_;
  while (driver_->has_output()) {
    Job& job = jobs_[filling_];
    const FoldOutput output = driver_->take_output();
    const PackedFold& packed = job.folds[job.finished++];
    ArrayOutcome& outcome = job.outcome;
    if (!job.started) {
      const bool preloads = spec_.dataflow != Dataflow::kOs;
      outcome.time.start =
          output.start - (preloads ? static_cast<std::uint64_t>(packed.fold.rows) : 0);
      job.started = true;
    }
    outcome.time.finish = std::max(outcome.time.finish, output.finish);
    add(job, packed, output);
    if (job.finished == job.folds.size()) ++filling_;
  }
}

std::optional<ArrayOutcome> RtlArray::take() {
  if (filling_ == 0) return std::nullopt;
  ArrayOutcome outcome = std::move(jobs_.front().outcome);
  jobs_.pop_front();
  --filling_;
  return outcome;
}

void RtlArray::add(Job& job, const PackedFold& packed, const FoldOutput& output) const {
  const GemmTile& tile = job.job.command->tile;
  const std::int64_t m = tile.m.size(), n = tile.n.size();
  std::vector<std::int32_t>& sums = job.outcome.sums;
  sums.resize(static_cast<std::size_t>(tile.groups.size() * m * n));
  const std::int64_t lines =
      spec_.dataflow == Dataflow::kOs ? packed.fold.rows : packed.fold.stream;
  std::size_t next = 0;
  for (std::int64_t line = 0; line < lines; ++line) {
    for (std::int64_t j = 0; j < packed.fold.cols; ++j, ++next) {
      std::int64_t pixel = line, channel = packed.col0 + j;  // ws
      if (spec_.dataflow == Dataflow::kIs) std::swap(pixel, channel);
      if (spec_.dataflow == Dataflow::kOs) pixel += packed.row0;
      sums[static_cast<std::size_t>((packed.group * m + pixel) * n + channel)] =
          output.totals[next];
      job.outcome.overflows += output.total_overflows[next];
    }
  }
}

}  // namespace bitpulse::rtl
