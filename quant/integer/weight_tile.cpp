// SPDX-License-Identifier: Apache-2.0
// GemmSpec and WeightTile of kernels.h.
#include <algorithm>
#include <cassert>
#include <cstring>
#include <functional>
#include <limits>
#include <string>

#include "models/error.h"
#include "models/units.h"
#include "quant/integer/digits.h"
#include "quant/integer/kernel_table.h"
#include "quant/integer/kernels.h"

namespace bitpulse {

namespace {

using detail::digit_of;
using detail::digit_range;
using detail::kBlock;

constexpr std::int64_t kMaxCodes = std::int64_t{1} << 22;  // K: keeps every counter below 2^32

void require(bool ok, ErrorKind kind, const std::string& text) {
  if (!ok) throw Error(kind, "integer GEMM: " + text);
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
  require(detail::element_bound(spec) <= std::numeric_limits<std::int32_t>::max(),
          ErrorKind::kLimit, "one K' element's products exceed 32 bits");
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

}  // namespace bitpulse
