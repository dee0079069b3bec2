// SPDX-License-Identifier: Apache-2.0
#pragma once

// A scalar model of AccumulationOrder, written from its words alone: one output element at a time,
// exact arithmetic in 64 bits, every event counted where it happens.

#include <cstdint>
#include <vector>

#include "quant/integer/accumulation.h"

namespace bitpulse {

struct ModelSum {
  std::int64_t value = 0;
  std::int64_t exact = 0;
  std::uint64_t intermediate = 0;
};

class OrderedModel {
 public:
  OrderedModel(const AccumulationOrder& order, std::int64_t positions, std::int64_t cin)
      : order_(order), positions_(positions), cin_(cin) {}

  /// x, w: positions * cin codes of one output element.
  ModelSum sum(const std::vector<int>& x, const std::vector<int>& w) {
    result_ = {};
    for (std::size_t k = 0; k < x.size(); ++k) result_.exact += std::int64_t{x[k]} * w[k];
    make_elements();
    std::vector<std::int64_t> ends = order_.segments;
    if (ends.empty()) ends = {static_cast<std::int64_t>(elements_.size())};
    std::int64_t begin = 0;
    for (std::int64_t end : ends) {
      if (order_.dataflow == Dataflow::kOs) {
        into_memory(drain(x, w, begin, end));
      } else {
        const bool ws = order_.dataflow == Dataflow::kWs;
        for (int outer = 0; outer < (ws ? order_.weight_digits : order_.act_digits); ++outer) {
          for (int inner = 0; inner < (ws ? order_.act_digits : order_.weight_digits); ++inner) {
            const int wd = ws ? outer : inner, xd = ws ? inner : outer;
            into_memory(shift(fold(x, w, begin, end, xd, wd), xd + wd));
          }
        }
      }
      begin = end;
    }
    return result_;
  }

 private:
  void make_elements() {
    elements_.clear();
    for (std::int64_t p = 0; p < positions_; ++p) {
      for (std::int64_t c = 0; c < cin_; c += order_.lanes) {
        std::vector<std::size_t> lanes;
        for (std::int64_t l = c; l < c + order_.lanes && l < cin_; ++l)
          lanes.push_back(static_cast<std::size_t>(p * cin_ + l));
        elements_.push_back(lanes);
      }
    }
  }

  static std::int64_t digit(std::int64_t code, int d, int digits, int bits) {
    if (digits == 1) return code;
    for (; d > 0; --d, --digits) code = (code - mod(code, bits)) / (std::int64_t{1} << bits);
    return digits > 1 ? mod(code, bits) : code;
  }
  static std::int64_t mod(std::int64_t v, int bits) {
    const std::int64_t m = std::int64_t{1} << bits;
    return (v % m + m) % m;
  }

  std::int64_t element(const std::vector<int>& x, const std::vector<int>& w, std::int64_t k, int xd,
                       int wd) const {
    std::int64_t sum = 0;
    for (std::size_t l : elements_[static_cast<std::size_t>(k)])
      sum += digit(x[l], xd, order_.act_digits, order_.digit_bits) *
             digit(w[l], wd, order_.weight_digits, order_.digit_bits);
    return sum;
  }

  std::int64_t limit(std::int64_t v) {
    const std::int64_t half = std::int64_t{1} << (order_.acc_bits - 1);
    if (v >= -half && v < half) return v;
    ++result_.intermediate;
    if (order_.overflow == Overflow::kSaturate) return v < 0 ? -half : half - 1;
    return mod(v + half, order_.acc_bits) - half;
  }

  std::int64_t shift(std::int64_t v, int digits) {
    return digits == 0 ? v : limit(v * (std::int64_t{1} << (digits * order_.digit_bits)));
  }

  void into_memory(std::int64_t v) { result_.value = limit(result_.value + v); }

  std::int64_t fold(const std::vector<int>& x, const std::vector<int>& w, std::int64_t begin,
                    std::int64_t end, int xd, int wd) {
    std::int64_t sum = 0;
    for (std::int64_t k = begin; k < end; ++k) sum = limit(sum + element(x, w, k, xd, wd));
    return sum;
  }

  std::int64_t drain(const std::vector<int>& x, const std::vector<int>& w, std::int64_t begin,
                     std::int64_t end) {
    std::int64_t sum = 0;
    for (std::int64_t k = begin; k < end; ++k) {
      for (int wd = 0; wd < order_.weight_digits; ++wd) {
        for (int xd = 0; xd < order_.act_digits; ++xd) {
          const std::int64_t product = shift(element(x, w, k, xd, wd), xd + wd);
          sum = limit(sum + product);
        }
      }
    }
    return sum;
  }

  AccumulationOrder order_;
  std::int64_t positions_, cin_;
  std::vector<std::vector<std::size_t>> elements_;
  ModelSum result_;
};

}  // namespace bitpulse
