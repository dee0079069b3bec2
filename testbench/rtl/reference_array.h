// SPDX-License-Identifier: Apache-2.0
#pragma once

// PEs and arrays of the RTL in plain C++, register by register, for any input: also for those that
// the port contract of rtl/README.md leaves open.

#include <deque>
#include <vector>

#include "sim/rtl/array_model.h"
#include "testbench/rtl/reference.h"

namespace bitpulse::rtl::reference {

/// What stands at the inputs of a PE in a cycle; what it shows to its neighbours has the same
/// parts.
struct PePorts {
  ActCtrl act_ctrl{false, false, 0, {false, 2}};
  std::uint32_t act = 0;
  WeightCtrl weight_ctrl{false, 0, {false, 2}};
  std::uint32_t weight = 0;
  bool valid = false;
  std::int32_t psum = 0;
  std::uint32_t overflow = 0;
};

/// The product of two operand words of a PE.
inline std::int64_t product(const ArrayShape& shape, std::uint32_t act, Format act_format,
                            std::uint32_t weight, Format weight_format) {
  if (shape.pe == PeKind::kFused) return dot(act, act_format, weight, weight_format);
  const int width = shape.operand_width();
  return operand(act, 0, width, act_format.is_signed) *
         operand(weight, 0, width, weight_format.is_signed);
}

class Pe {
 public:
  Pe(const ArrayShape& shape, int overflow_width)
      : shape_(shape), overflow_mask_(static_cast<std::uint32_t>((1ull << overflow_width) - 1)) {}

  const PePorts& outputs() const { return out_; }

  void step(const PePorts& in, AccFormat format) {
    out_.act_ctrl = in.act_ctrl;
    out_.act = in.act;
    if (shape_.output_stationary) {
      step_output_stationary(in, format);
    } else {
      step_weight_stationary(in, format);
    }
    out_.overflow &= overflow_mask_;
  }

 private:
  void step_weight_stationary(const PePorts& in, AccFormat format) {
    if (in.act_ctrl.first) {
      weight_ = load_;
      weight_format_ = load_format_;
    }
    const Sum sum =
        accumulate({in.psum, in.overflow},
                   product(shape_, in.act, in.act_ctrl.format, weight_, weight_format_), 0, format);
    out_.psum = static_cast<std::int32_t>(sum.value);
    out_.overflow = sum.overflows;
    if (in.weight_ctrl.valid) {
      load_ = in.weight;
      load_count_ = in.weight_ctrl.count;
      load_format_ = in.weight_ctrl.format;
    }
    out_.weight = load_;
    out_.weight_ctrl = {load_count_ != 0, (load_count_ + 1023) % 1024, load_format_};
  }

  void step_output_stationary(const PePorts& in, AccFormat format) {
    const WeightCtrl& capture = in.weight_ctrl;
    out_.weight = in.weight;
    out_.weight_ctrl = {capture.valid && capture.count != 0, (capture.count + 1023) % 1024,
                        capture.format};
    if (capture.valid) {
      out_.valid = true;
      out_.psum = static_cast<std::int32_t>(sum_.value);
      out_.overflow = sum_.overflows;
      hold_ = capture.count;
    } else if (hold_ != 0) {
      --hold_;
    } else {
      out_.valid = in.valid;
      out_.psum = in.psum;
      out_.overflow = in.overflow;
    }
    if (in.act_ctrl.valid) {
      sum_ = accumulate(in.act_ctrl.first ? Sum{} : sum_,
                        product(shape_, in.act, in.act_ctrl.format, in.weight, capture.format),
                        in.act_ctrl.shift, format);
    }
  }

  ArrayShape shape_;
  std::uint32_t overflow_mask_;
  PePorts out_;
  std::uint32_t weight_ = 0, load_ = 0;  // ws
  Format weight_format_{false, 2}, load_format_{false, 2};
  int load_count_ = 0;
  Sum sum_;  // os
  int hold_ = 0;
};

/// Rows x Cols of Pe with the delays at the edges.
class Array {
 public:
  Array(const ArrayShape& shape, int overflow_width)
      : shape_(shape), pes_(pe_count(shape), Pe(shape, overflow_width)) {
    rows_.resize(static_cast<std::size_t>(shape.rows));
    cols_.resize(static_cast<std::size_t>(shape.cols));
  }

  /// `acts` has a word per row, `weights` one per column.
  void step(ActCtrl act_ctrl, const std::vector<std::uint32_t>& acts, WeightCtrl weight_ctrl,
            const std::vector<std::uint32_t>& weights, AccFormat format) {
    rows_.push_front({act_ctrl, acts});
    rows_.pop_back();
    cols_.push_front({weight_ctrl, weights});
    cols_.pop_back();
    std::vector<PePorts> inputs(pes_.size());
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      for (std::size_t j = 0; j < cols_.size(); ++j) {
        PePorts& in = inputs[i * cols_.size() + j];
        if (i > 0) {
          in = at(i - 1, j).outputs();
        } else if (!cols_[j].second.empty()) {
          in.weight_ctrl = cols_[j].first;
          in.weight = cols_[j].second[j];
        }
        if (j > 0) {
          in.act_ctrl = at(i, j - 1).outputs().act_ctrl;
          in.act = at(i, j - 1).outputs().act;
        } else {
          in.act_ctrl = rows_[i].second.empty() ? PePorts{}.act_ctrl : rows_[i].first;
          in.act = rows_[i].second.empty() ? 0 : rows_[i].second[i];
        }
      }
    }
    for (std::size_t k = 0; k < pes_.size(); ++k) pes_[k].step(inputs[k], format);
  }

  /// The bottom PE of column j.
  const PePorts& bottom(std::size_t j) const {
    return pes_[pes_.size() - cols_.size() + j].outputs();
  }
  bool valid(std::size_t j) const {
    return shape_.output_stationary ? bottom(j).valid : bottom(j).act_ctrl.valid;
  }

 private:
  static std::size_t pe_count(const ArrayShape& shape) {
    return static_cast<std::size_t>(shape.rows) * static_cast<std::size_t>(shape.cols);
  }
  const Pe& at(std::size_t i, std::size_t j) const { return pes_[i * cols_.size() + j]; }

  ArrayShape shape_;
  std::vector<Pe> pes_;
  // Inputs of the last cycles, this one's first.
  std::deque<std::pair<ActCtrl, std::vector<std::uint32_t>>> rows_;
  std::deque<std::pair<WeightCtrl, std::vector<std::uint32_t>>> cols_;
};

}  // namespace bitpulse::rtl::reference
