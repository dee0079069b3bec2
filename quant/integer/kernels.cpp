// SPDX-License-Identifier: Apache-2.0
#include "quant/integer/kernels.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <functional>
#include <limits>
#include <string>

#include "models/error.h"
#include "models/units.h"
#include "quant/integer/kernel_table.h"

namespace bitpulse {

namespace {

using detail::kBlock;

constexpr std::int64_t kCheckedRows = 4;  // rows whose digits are at hand at a time
constexpr std::int64_t kMaxCodes = std::int64_t{1} << 22;  // K: keeps every counter below 2^32

void require(bool ok, ErrorKind kind, const std::string& text) {
  if (!ok) throw Error(kind, "integer GEMM: " + text);
}

/// Values of digit `digit` of `digits` of a code in `whole`: only the top digit is signed.
CodeRange digit_range(CodeRange whole, int digit, int digits, int digit_bits) {
  if (digits == 1) return whole;
  if (digit + 1 < digits) return {0, (std::int64_t{1} << digit_bits) - 1};
  return {whole.min >> (digit * digit_bits), whole.max >> (digit * digit_bits)};
}

int digit_of(int code, int digit, int digits, int digit_bits) {
  if (digits == 1) return code;
  const int shifted = code >> (digit * digit_bits);
  return digit + 1 < digits ? shifted & ((1 << digit_bits) - 1) : shifted;
}

/// Largest magnitude of the sum of one K' element's products.
std::int64_t element_bound(const GemmSpec& spec) {
  const AccumulationOrder& o = spec.order;
  std::int64_t largest = 0;
  const CodeRange act = spec.act.range();
  const CodeRange weight = Precision{static_cast<std::uint8_t>(spec.weight_bits), true}.range();
  for (int d = 0; d < o.act_digits; ++d) {
    const CodeRange x = digit_range(act, d, o.act_digits, o.digit_bits);
    for (int e = 0; e < o.weight_digits; ++e) {
      const CodeRange w = digit_range(weight, e, o.weight_digits, o.digit_bits);
      largest = std::max(largest, std::max(-x.min, x.max) * std::max(-w.min, w.max));
    }
  }
  return largest * std::min(o.lanes, spec.cin);
}

}  // namespace

std::int64_t GemmSpec::packed_k() const { return positions * ceil_div(cin, order.lanes); }

std::int64_t GemmSpec::first_code(std::int64_t k_packed) const {
  const std::int64_t per_position = ceil_div(cin, order.lanes);
  return k_packed / per_position * cin + k_packed % per_position * order.lanes;
}

void check(const GemmSpec& spec) {
  const AccumulationOrder& o = spec.order;
  const auto invalid = ErrorKind::kInvalidInput;
  require(
      spec.act.bits >= 1 && spec.act.bits <= 16 && spec.weight_bits >= 1 && spec.weight_bits <= 16,
      invalid, "operands must have 1 to 16 bits");
  require(spec.positions >= 1 && spec.cin >= 1 && (!spec.depthwise || spec.cin == 1), invalid,
          "empty K");
  require(spec.positions <= kMaxCodes && spec.cin <= kMaxCodes / spec.positions, ErrorKind::kLimit,
          "K = " + std::to_string(spec.positions) + " x " + std::to_string(spec.cin) +
              ", at most " + std::to_string(kMaxCodes));
  require(o.acc_bits >= 2 && o.acc_bits <= 32, invalid,
          "acc_bits is " + std::to_string(o.acc_bits) + ", expected 2 to 32");
  require(o.lanes >= 1 && o.act_digits >= 1 && o.act_digits <= 16 && o.weight_digits >= 1 &&
              o.weight_digits <= 16,
          invalid, "lanes and digits must be positive");
  const auto covers = [&](int digits, int bits) {
    return digits == 1 || (digits - 1) * o.digit_bits < bits;
  };
  require((o.act_digits == 1 && o.weight_digits == 1) || (o.digit_bits >= 1 && o.digit_bits <= 15),
          invalid, "digits without a width");
  require(covers(o.act_digits, spec.act.bits) && covers(o.weight_digits, spec.weight_bits), invalid,
          "more digits than the operand has");
  require(element_bound(spec) <= std::numeric_limits<std::int32_t>::max(), ErrorKind::kLimit,
          "one K' element's products exceed 32 bits");
  const auto& ends = o.segments;
  const bool ascend =
      std::adjacent_find(ends.begin(), ends.end(), std::greater_equal<>()) == ends.end();
  require(ends.empty() || (ascend && ends.front() > 0 && ends.back() == spec.packed_k()), invalid,
          "segments must ascend to K'");
}

RowForm row_form(const GemmSpec& spec, Isa isa) {
  const bool bytes = detail::kernels(isa).dot_bytes != nullptr && !spec.depthwise &&
                     spec.act.bits <= 8 && spec.weight_bits <= 8;
  return bytes ? RowForm::kBytes : RowForm::kWords;
}

int row_bias(RowForm form, Precision act) {
  if (form == RowForm::kBytes) return act.is_signed ? 128 : 0;
  return !act.is_signed && act.bits == 16 ? -32768 : 0;
}

template <class Code>
WeightTile::WeightTile(const GemmSpec& spec, std::int64_t k_begin, std::int64_t k_end,
                       std::int64_t n, const Code* codes, Isa isa)
    : spec_(spec),
      kernels_(&detail::kernels(isa)),
      form_(row_form(spec, isa)),
      n_(n),
      codes_(0),
      lane_begin_(0) {
  check(spec);
  assert(0 <= k_begin && k_begin < k_end && k_end <= spec.packed_k() && n >= 1);
  codes_ = spec.first_code(k_end) - spec.first_code(k_begin);
  lane_begin_ = spec.first_code(k_begin) % spec.cin;
  for (std::int64_t end : spec.order.segments) {
    assert(end <= k_begin || end >= k_end ||
           std::binary_search(spec.order.segments.begin(), spec.order.segments.end(), k_end));
    if (end > k_begin && end < k_end) ends_.push_back(end - k_begin);
  }
  ends_.push_back(k_end - k_begin);
  pack(codes);
  bound(codes);
}

template WeightTile::WeightTile(const GemmSpec&, std::int64_t, std::int64_t, std::int64_t,
                                const std::int8_t*, Isa);
template WeightTile::WeightTile(const GemmSpec&, std::int64_t, std::int64_t, std::int64_t,
                                const std::int16_t*, Isa);

namespace {

/// One block: steps of kStep codes of Packed for each of 16 channels (of which `channels` exist).
template <class Packed, int kStep, class Code>
void pack_block(const Code* codes, std::int64_t count, std::int64_t channels, std::int8_t* to) {
  const std::int64_t whole = count / kStep, rest = count % kStep;
  const auto put = [&](std::int64_t step, std::int64_t n, std::int64_t steps_codes) {
    Packed packed[kStep] = {};
    for (std::int64_t i = 0; i < steps_codes; ++i)
      packed[i] = static_cast<Packed>(codes[n * count + step * kStep + i]);
    std::memcpy(to + (step * kBlock + n) * 4, packed, 4);
  };
  for (std::int64_t step = 0; step < whole; ++step)
    for (std::int64_t n = 0; n < channels; ++n) put(step, n, kStep);
  for (std::int64_t n = 0; rest > 0 && n < channels; ++n) put(whole, n, rest);
}

}  // namespace

template <class Code>
void WeightTile::pack(const Code* codes) {
  const std::int64_t blocks = ceil_div(n_, kBlock);
  const bool bytes = form_ == RowForm::kBytes;
  block_bytes_ = ceil_div(codes_, bytes ? 4 : 2) * kBlock * 4;
  packed_.assign(static_cast<std::size_t>(blocks * block_bytes_), 0);
  for (std::int64_t b = 0; b < blocks; ++b) {
    const std::int64_t channels = std::min(kBlock, n_ - b * kBlock);
    const Code* from = codes + b * kBlock * codes_;
    std::int8_t* to = packed_.data() + b * block_bytes_;
    bytes ? pack_block<std::int8_t, 4>(from, codes_, channels, to)
          : pack_block<std::int16_t, 2>(from, codes_, channels, to);
  }
}

/// Where even the widest codes cannot overflow, weights need not be looked at.
template <class Code>
void WeightTile::bound(const Code* codes) {
  const AccumulationOrder& o = spec_.order;
  const CodeRange act = spec_.act.range();
  const std::int64_t widest = codes_ * std::max(-act.min, act.max) << (spec_.weight_bits - 1);
  const std::int64_t reach = std::int64_t{1} << (o.acc_bits - 1);
  const bool fits = o.act_digits * o.weight_digits == 1 && widest < reach;
  interval_.assign(static_cast<std::size_t>(n_), fits ? Interval{-widest, widest} : Interval{});
  start_.assign(static_cast<std::size_t>(ceil_div(n_, kBlock) * kBlock), 0);
  if (fits && bias() == 0) return;
  for (std::int64_t n = 0; n < n_; ++n) {
    const Code* w = codes + n * codes_;
    std::int64_t whole = 0;
    for (std::int64_t k = 0; k < codes_; ++k) whole += w[k];
    start_[static_cast<std::size_t>(n)] =
        static_cast<std::int32_t>(static_cast<std::uint32_t>(-whole * bias()));
    if (!fits) interval_[static_cast<std::size_t>(n)] = sum_interval(w);
  }
}

/// The interval of every partial sum of one channel: of all digit pairs, shifted.
template <class Code>
WeightTile::Interval WeightTile::sum_interval(const Code* codes) const {
  const AccumulationOrder& o = spec_.order;
  Interval interval;
  for (int e = 0; e < o.weight_digits; ++e) {
    std::int64_t positive = 0, negative = 0;
    for (std::int64_t k = 0; k < codes_; ++k) {
      const int digit = digit_of(codes[k], e, o.weight_digits, o.digit_bits);
      (digit > 0 ? positive : negative) += digit;
    }
    for (int d = 0; d < o.act_digits; ++d) {
      const CodeRange x = digit_range(spec_.act.range(), d, o.act_digits, o.digit_bits);
      const std::int64_t unit = std::int64_t{1} << ((d + e) * o.digit_bits);
      interval.max += (positive * x.max + negative * x.min) * unit;
      interval.min += (positive * x.min + negative * x.max) * unit;
    }
  }
  return interval;
}

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
  args.narrow_lanes =
      o.acc_bits < 32 && element_bound(weights.spec_) + (std::int64_t{1} << (o.acc_bits - 1)) <=
                             std::numeric_limits<std::int32_t>::max();
  args.sums_stride = stride();
  args.empty = empty_;
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
        to[k] = digit_of(row[k] - bias, d, digits, digit_bits);
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
