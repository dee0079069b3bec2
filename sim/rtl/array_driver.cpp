// SPDX-License-Identifier: Apache-2.0
#include "sim/rtl/array_driver.h"

#include <algorithm>
#include <cassert>
#include <string>

#include "models/error.h"

namespace bitpulse::rtl {
namespace {

std::uint64_t u64(int n) { return static_cast<std::uint64_t>(n); }

}  // namespace

ArrayDriver::ArrayDriver(ArrayModel& model)
    : model_(model),
      shape_(model.shape()),
      zero_acts_(shape_.act_words()),
      zero_weights_(shape_.weight_words()),
      ignored_(static_cast<std::size_t>(shape_.cols)) {}

void ArrayDriver::reset() {
  model_.reset();
  std::fill(ignored_.begin(), ignored_.end(), 0);
}

void ArrayDriver::begin(const std::vector<Fold>& folds, bool overlap) {
  folds_ = &folds;
  overlap_ = overlap;
  outputs_.assign(folds.size(), {});
  missing_.assign(folds.size(), 0);
  cursors_.assign(static_cast<std::size_t>(shape_.cols), {});
  planned_ = streaming_ = loading_ = finished_ = 0;
  for (std::size_t f = 0; f < folds.size(); ++f) {
    const Fold& fold = folds[f];
    assert(fold.rows >= 1 && fold.rows <= shape_.rows && fold.cols >= 1 &&
           fold.cols <= shape_.cols && fold.stream >= 1);
    assert(fold.acts.size() == u64(fold.stream) * shape_.act_words());
    assert(fold.weights.size() ==
           u64(shape_.output_stationary ? fold.stream : fold.rows) * shape_.weight_words());
    missing_[f] = u64(lines(fold)) * u64(fold.cols);
    outputs_[f].sums.resize(missing_[f]);
    outputs_[f].overflows.resize(missing_[f]);
    outputs_[f].cycles.resize(missing_[f]);
  }
}

// Starts of streams. Without overlap a fold is planned when its predecessor's last output is out;
// with overlap by the intervals of the contract.
void ArrayDriver::plan_next() {
  while (planned_ < folds_->size() && (overlap_ || planned_ == finished_)) {
    const Fold& fold = (*folds_)[planned_];
    const std::uint64_t preload = shape_.output_stationary ? 0 : u64(fold.rows);
    std::uint64_t start = std::max(now_, fold.ready) + preload;
    if (overlap_ && planned_ > 0) {
      const Fold& before = (*folds_)[planned_ - 1];
      const int interval = shape_.output_stationary
                               ? std::max(before.stream, before.rows + before.stream - fold.stream)
                               : std::max(before.stream, fold.rows);
      start = std::max(outputs_[planned_ - 1].start + u64(interval), fold.ready + preload);
    }
    outputs_[planned_++].start = start;
  }
}

std::uint64_t ArrayDriver::last_output(std::size_t f) const {
  const Fold& fold = (*folds_)[f];
  return outputs_[f].start + u64(fold.stream + shape_.rows + fold.cols - 2) +
         (shape_.output_stationary ? u64(fold.rows) : 0);
}

void ArrayDriver::step() {
  ActCtrl act_ctrl;
  WeightCtrl weight_ctrl;
  EdgeInputs inputs;
  inputs.act = zero_acts_.data();
  inputs.weight = zero_weights_.data();

  if (loading_ < planned_) {
    const Fold& fold = (*folds_)[loading_];
    const std::uint64_t start = outputs_[loading_].start;
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

  if (streaming_ < planned_ && now_ >= outputs_[streaming_].start) {
    const Fold& fold = (*folds_)[streaming_];
    const auto t = static_cast<std::size_t>(now_ - outputs_[streaming_].start);
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
  ++now_;
}

void ArrayDriver::collect() {
  const EdgeOutputs& edge = model_.outputs();
  for (std::size_t j = 0; j < cursors_.size(); ++j) {
    if (edge.valid[j] == 0) continue;
    if (ignored_[j] > 0) {
      --ignored_[j];
      continue;
    }
    Cursor& cursor = cursors_[j];
    if (cursor.fold == folds_->size()) {
      throw Error(ErrorKind::kInternal, "rtl array: column " + std::to_string(j) +
                                            " has an output in cycle " + std::to_string(now_) +
                                            " that no fold asked for");
    }
    const Fold& fold = (*folds_)[cursor.fold];
    FoldOutput& output = outputs_[cursor.fold];
    if (j < u64(fold.cols)) {  // os drains the bottom row first
      const int line = shape_.output_stationary ? fold.rows - 1 - cursor.index : cursor.index;
      const std::size_t n = u64(line) * u64(fold.cols) + j;
      output.sums[n] = edge.psum[j];
      output.overflows[n] = edge.overflow[j];
      output.cycles[n] = now_;
      if (--missing_[cursor.fold] == 0) output.finish = now_;
    }
    if (++cursor.index == lines(fold)) cursor = {cursor.fold + 1, 0};
  }
  while (finished_ < folds_->size() && missing_[finished_] == 0) ++finished_;
}

// Unused columns give outputs too, and the last of them after a run's last used one.
void ArrayDriver::ignore_rest() {
  for (std::size_t j = 0; j < cursors_.size(); ++j) {
    for (; cursors_[j].fold < folds_->size(); cursors_[j] = {cursors_[j].fold + 1, 0}) {
      ignored_[j] += u64(lines((*folds_)[cursors_[j].fold]) - cursors_[j].index);
    }
  }
}

std::vector<FoldOutput> ArrayDriver::run(const std::vector<Fold>& folds, bool overlap) {
  begin(folds, overlap);
  while (finished_ < folds.size()) {
    plan_next();
    if (finished_ == streaming_ && finished_ == loading_) {  // nothing in flight
      const std::uint64_t preload = shape_.output_stationary ? 0 : u64(folds[finished_].rows);
      now_ = std::max(now_, outputs_[finished_].start - preload);
    }
    step();
    collect();
    if (finished_ < planned_ && now_ > last_output(finished_)) {
      throw Error(ErrorKind::kInternal, "rtl array: fold " + std::to_string(finished_) + " lacks " +
                                            std::to_string(missing_[finished_]) +
                                            " outputs in cycle " + std::to_string(now_) +
                                            ", the last was expected in cycle " +
                                            std::to_string(last_output(finished_)));
    }
  }
  ignore_rest();
  return std::move(outputs_);
}

void ArrayDriver::run_for(const std::vector<Fold>& folds, bool overlap, std::uint64_t cycles) {
  begin(folds, overlap);
  for (std::uint64_t n = 0; n < cycles && finished_ < folds.size(); ++n) {
    plan_next();
    step();
    collect();
  }
}

}  // namespace bitpulse::rtl
