// SPDX-License-Identifier: Apache-2.0
// SumTile of kernels.h.
#include <algorithm>
#include <cassert>
#include <limits>

#include "models/units.h"
#include "quant/integer/digits.h"
#include "quant/integer/kernel_table.h"
#include "quant/integer/kernels.h"

namespace bitpulse {

namespace {

using detail::kBlock;

constexpr std::int64_t kCheckedRows = 4;  // rows whose digits are at hand at a time

}  // namespace

void SumTile::reset(std::int64_t rows, std::int64_t n) {
  assert(rows >= 1 && n >= 1);
  rows_ = rows;
  n_ = n;
  blocks_ = ceil_div(n, kBlock);
  empty_ = true;
  intermediate_ = 0;
  sums_.assign(static_cast<std::size_t>(rows * stride()), 0);
  interval_.assign(static_cast<std::size_t>(n), {});
  checked_.assign(static_cast<std::size_t>(blocks_), 0);
}

void SumTile::accumulate(const WeightTile& weights, const ActRows& rows) {
  assert(rows.count == rows_ && weights.n() == n_);
  acc_bits_ = weights.spec_.order.acc_bits;
  bool any_checked = false;
  for (std::int64_t b = 0; b < blocks_; ++b) {
    std::int64_t end = b;
    while (end < blocks_ && still_exact(weights, end)) ++end;
    if (end > b)
      add_unordered(weights, rows, b, end - b, sums_.data() + b * kBlock, stride(), !empty_);
    if (end < blocks_) {
      add_exact(weights, rows, end);
      any_checked = true;
    }
    b = end;
  }
  if (any_checked) add_ordered(weights, rows);
  empty_ = false;
}

/// Whether no partial sum of the block can leave acc_bits; moves it to the checked ones otherwise.
bool SumTile::still_exact(const WeightTile& weights, std::int64_t block) {
  const std::int64_t max = (std::int64_t{1} << (acc_bits_ - 1)) - 1;
  const std::int64_t end = std::min(n_, (block + 1) * kBlock);
  std::uint8_t& checked = checked_[static_cast<std::size_t>(block)];
  bool fits = true;
  for (std::int64_t n = block * kBlock; n < end; ++n) {
    WeightTile::Interval& all = interval_[static_cast<std::size_t>(n)];
    all.min += weights.interval_[static_cast<std::size_t>(n)].min;
    all.max += weights.interval_[static_cast<std::size_t>(n)].max;
    fits = fits && all.min >= -max - 1 && all.max <= max;
  }
  if (fits || checked != 0) return fits;
  checked = 1;
  exact_.resize(sums_.size());
  for (std::int64_t i = 0; i < rows_; ++i) {
    const auto at = i * stride() + block * kBlock;
    std::copy_n(sums_.begin() + at, kBlock, exact_.begin() + at);
  }
  return false;
}

void SumTile::add_unordered(const WeightTile& weights, const ActRows& rows, std::int64_t block,
                            std::int64_t blocks, std::int32_t* sums, std::int64_t sums_stride,
                            bool accumulate) const {
  const bool bytes = weights.form() == RowForm::kBytes;
  const std::int32_t* start = weights.start_.data() + block * kBlock;
  if (weights.spec_.depthwise) {
    for (std::int64_t b = 0; b < blocks; ++b) {
      weights.kernels_->dot_depthwise(
          {static_cast<const std::int16_t*>(rows.data) + (block + b) * kBlock, rows.stride,
           rows.count, weights.block(block + b), weights.codes_, n_, start + b * kBlock,
           sums + b * kBlock, sums_stride, accumulate});
    }
    return;
  }
  const std::int64_t steps = weights.block_bytes_ / (kBlock * 4);
  const detail::DotArgs args{rows.data,
                             rows.stride * (bytes ? 1 : 2),
                             rows.count,
                             weights.block(block),
                             weights.block_bytes_,
                             blocks,
                             steps,
                             start,
                             sums,
                             sums_stride,
                             accumulate};
  bytes ? weights.kernels_->dot_bytes(args) : weights.kernels_->dot_words(args);
}

namespace {

detail::OrderedArgs whole_codes(const GemmSpec& spec) {
  detail::OrderedArgs args{};
  args.dataflow = Dataflow::kWs;
  args.acc_bits = spec.order.acc_bits;
  args.act_digits = args.weight_digits = 1;
  args.lanes = 1;
  args.cin = spec.cin;
  return args;
}

}  // namespace

/// Adds the exact sums of a block.
void SumTile::add_exact(const WeightTile& weights, const ActRows& rows, std::int64_t block) {
  const std::int64_t end = std::min(n_, (block + 1) * kBlock);
  bool narrow = true;
  for (std::int64_t n = block * kBlock; n < end; ++n) {
    const WeightTile::Interval& own = weights.interval_[static_cast<std::size_t>(n)];
    narrow = narrow && own.min >= std::numeric_limits<std::int32_t>::min() &&
             own.max <= std::numeric_limits<std::int32_t>::max();
  }
  std::int64_t* exact = exact_.data() + block * kBlock;
  if (narrow) {
    partial_.resize(static_cast<std::size_t>(rows_ * kBlock));
    add_unordered(weights, rows, block, 1, partial_.data(), kBlock, false);
    for (std::int64_t i = 0; i < rows_; ++i) {
      for (std::int64_t n = 0; n < kBlock; ++n)
        exact[i * stride() + n] += partial_[static_cast<std::size_t>(i * kBlock + n)];
    }
    return;
  }
  detail::OrderedArgs args = whole_codes(weights.spec_);
  const std::int64_t whole = weights.codes_;
  args.ends = &whole;
  args.segments = 1;
  for (std::int64_t i = 0; i < rows_; i += kCheckedRows) {
    args.row_count = std::min(kCheckedRows, rows_ - i);
    load_digits(weights, rows, i, 1, args);
    args.weights = weights.block(block);
    if (weights.spec_.depthwise) args.acts += block * kBlock;
    weights.kernels_->exact(args, weights.spec_.depthwise, exact + i * stride(), stride());
  }
}

/// Adds to the checked blocks in the machine's order.
void SumTile::add_ordered(const WeightTile& weights, const ActRows& rows) {
  const AccumulationOrder& o = weights.spec_.order;
  detail::OrderedArgs args{};
  args.dataflow = o.dataflow;
  args.overflow = o.overflow;
  args.acc_bits = o.acc_bits;
  args.digit_bits = o.digit_bits;
  args.act_digits = o.act_digits;
  args.weight_digits = o.weight_digits;
  args.lanes = o.lanes;
  args.cin = weights.spec_.cin;
  args.lane_begin = weights.lane_begin_;
  args.ends = weights.ends_.data();
  args.segments = static_cast<std::int64_t>(weights.ends_.size());
  args.narrow_lanes = o.acc_bits < 32 && detail::element_bound(weights.spec_) +
                                                 (std::int64_t{1} << (o.acc_bits - 1)) <=
                                             std::numeric_limits<std::int32_t>::max();
  args.sums_stride = stride();
  for (std::int64_t i = 0; i < rows_; i += kCheckedRows) {
    args.row_count = std::min(kCheckedRows, rows_ - i);
    load_digits(weights, rows, i, o.act_digits, args);
    const std::int32_t* acts = args.acts;
    for (std::int64_t b = 0; b < blocks_; ++b) {
      if (checked_[static_cast<std::size_t>(b)] == 0) continue;
      args.acts = acts + (weights.spec_.depthwise ? b * kBlock : 0);
      args.weights = weights.block(b);
      args.sums = sums_.data() + i * stride() + b * kBlock;
      intermediate_ += weights.kernels_->ordered(args, weights.spec_.depthwise);
    }
  }
}

/// Fills acts_ with `digits` digits of args.row_count rows from `first` on, and says in args where
/// they are.
void SumTile::load_digits(const WeightTile& weights, const ActRows& rows, std::int64_t first,
                          int digits, detail::OrderedArgs& args) {
  const std::int64_t elements = weights.row_elements();
  args.act_digit = elements;
  args.act_row = digits * elements;
  args.act_step = weights.spec_.depthwise ? n_ : 1;
  args.step_codes = weights.form() == RowForm::kBytes ? 4 : 2;
  acts_.resize(static_cast<std::size_t>(args.row_count * args.act_row + kRowSlack));
  args.acts = acts_.data();
  const int bias = weights.bias();
  const int digit_bits = weights.spec_.order.digit_bits;
  const auto split = [&](const auto* row, std::int32_t* to) {
    for (int d = 0; d < digits; ++d, to += elements) {
      for (std::int64_t k = 0; k < elements; ++k)
        to[k] = detail::digit_of(row[k] - bias, d, digits, digit_bits);
    }
  };
  for (std::int64_t i = 0; i < args.row_count; ++i) {
    const std::int64_t at = (first + i) * rows.stride;
    std::int32_t* to = acts_.data() + i * args.act_row;
    if (weights.form() == RowForm::kBytes)
      split(static_cast<const std::uint8_t*>(rows.data) + at, to);
    else
      split(static_cast<const std::int16_t*>(rows.data) + at, to);
  }
}

std::uint64_t SumTile::final_overflows() const {
  const std::int64_t max = (std::int64_t{1} << (acc_bits_ - 1)) - 1;
  std::uint64_t overflows = 0;
  for (std::int64_t b = 0; b < blocks_; ++b) {
    if (checked_[static_cast<std::size_t>(b)] == 0) continue;
    const std::int64_t end = std::min(n_, (b + 1) * kBlock);
    for (std::int64_t i = 0; i < rows_; ++i) {
      for (std::int64_t n = b * kBlock; n < end; ++n) {
        const std::int64_t exact = exact_[static_cast<std::size_t>(i * stride() + n)];
        overflows += exact < -max - 1 || exact > max ? 1 : 0;
      }
    }
  }
  return overflows;
}

}  // namespace bitpulse
