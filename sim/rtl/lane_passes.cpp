// SPDX-License-Identifier: Apache-2.0
#include "sim/rtl/lane_passes.h"

#include <limits>
#include <string>
#include <utility>

#include "models/error.h"

namespace bitpulse::rtl {
namespace {

constexpr CodeRange kClip16{-32768, 32767};
constexpr CodeRange kAll{std::numeric_limits<std::int32_t>::min(),
                         std::numeric_limits<std::int32_t>::max()};

/// floor(value / n) = floor(value * m / 2^shift) for the values meant; m is 0: there is none.
struct Division {
  std::int32_t m = 0;
  int shift = 0;
};

Division divide_by(std::int64_t n, std::int32_t max_code) {
  if ((n & (n - 1)) == 0) {
    int shift = 0;
    while (std::int64_t{1} << shift < n) ++shift;
    return {1, shift};
  }
  constexpr std::int64_t kOne = std::int64_t{1} << 32;
  const std::int64_t m = (kOne + n - 1) / n, excess = m * n - kOne;
  // A sum v of n codes: v * m / 2^32 is v / n and less than 1 / n more.
  if (max_code < 0 || n * max_code * excess >= kOne) return {};
  return {static_cast<std::int32_t>(m), 32};
}

class Passes {
 public:
  explicit Passes(const VectorJob& job) : job_(job), layer_(*job.layer) {}

  std::optional<std::vector<LanePass>> make() {
    const auto* pool = std::get_if<PoolOp>(&layer_.op);
    std::vector<LanePass> window, result;
    if (pool != nullptr) {
      for (int w = 0; w < static_cast<int>(job_.windows); ++w) {
        window.push_back(window_pass(w, pool->is_max));
      }
      if (pool->floor_average && !floor(window.back())) return std::nullopt;
    }
    if (layer_.residual) result.push_back(sum_pass(*layer_.residual));
    for (std::size_t s = 0; s < layer_.stores.size(); ++s) result.push_back(store_pass(s));
    if (pool == nullptr) {
      take_values(result.front());
    } else if (window.size() + result.size() == job_.command->passes + 1) {
      take_element(result.front(), window.back());
      window.pop_back();
    }
    window.insert(window.end(), result.begin(), result.end());
    if (window.size() != job_.command->passes) {
      throw Error(ErrorKind::kInternal,
                  "rtl requantizer: vector command " + std::to_string(job_.id) + " takes " +
                      std::to_string(window.size()) + " passes, its program says " +
                      std::to_string(job_.command->passes));
    }
    return window;
  }

 private:
  LanePass pass() const {
    LanePass pass;
    pass.ctrl.valid = true;
    pass.ctrl.feedback = true;
    pass.ctrl.rounding = job_.rounding;
    pass.clamp = kAll;
    LaneParameters& p = pass.parameters;
    for (auto* words : {&p.addend, &p.shift, &p.m_negative, &p.other_m, &p.other_shift}) {
      words->assign(job_.columns(), 0);
    }
    p.m.assign(job_.columns(), 1);
    return pass;
  }

  LanePass window_pass(int w, bool is_max) const {
    LanePass window = pass();
    window.window = w;
    window.ctrl.feedback = w > 0;
    window.ctrl.maximum = w > 0 && is_max;
    window.ctrl.keep = Keep::kOperand;
    return window;
  }

  /// The last pass over a window divides the sum.
  bool floor(LanePass& last) const {
    const Division division = divide_by(job_.windows, job_.max_code);
    if (division.m == 0) return false;
    LaneParameters& p = last.parameters;
    p.m.assign(job_.columns(), division.m);
    p.shift.assign(job_.columns(), division.shift);
    if (division.shift > 0) {  // takes away the half that rounding adds
      last.ctrl.low_bit = true;
      last.ones = true;
      p.other_m.assign(job_.columns(),
                       static_cast<std::int32_t>(-(std::int64_t{1} << (division.shift - 1))));
      last.ctrl.rounding = Rounding::kHalfUp;
    }
    last.ctrl.keep = Keep::kResult;
    return true;
  }

  void scale(const Requantizer& requantizer, LanePass& pass) const {
    LaneParameters& p = pass.parameters;
    pass.ctrl.leaky = !requantizer.negative.empty();
    for (std::size_t j = 0; j < job_.columns() && !requantizer.empty(); ++j) {
      const std::size_t i = index(requantizer, j);
      p.m[j] = requantizer.positive[i].m;
      p.shift[j] = requantizer.positive[i].shift;
      if (pass.ctrl.leaky) p.m_negative[j] = requantizer.negative[i];
    }
  }
  std::size_t index(const Requantizer& requantizer, std::size_t column) const {
    return requantizer.positive.size() == 1 ? 0 : static_cast<std::size_t>(job_.channels[column]);
  }

  LanePass sum_pass(const Residual& residual) const {
    LanePass sum = pass();
    scale(residual.main, sum);
    sum.clamp = residual.main_clamp;
    sum.ctrl.keep = Keep::kResult;
    if (residual.kind == Residual::Kind::kLowBit) return sum;
    sum.clamp = kClip16;
    sum.counts_clips = true;
    sum.ctrl.branch = true;
    const Requantizer& identity = residual.identity_requantizer;
    for (std::size_t j = 0; j < job_.columns(); ++j) {
      const Multiplier multiplier =
          identity.empty() ? Multiplier{1, 0} : identity.positive[index(identity, j)];
      sum.parameters.other_m[j] = multiplier.m;
      sum.parameters.other_shift[j] = multiplier.shift;
    }
    return sum;
  }

  LanePass store_pass(std::size_t s) const {
    const Store& store = layer_.stores[s];
    LanePass code = pass();
    code.store = static_cast<int>(s);
    code.ctrl.emit = true;
    code.clamp = store.clamp;
    scale(store.requantizer, code);
    if (!layer_.residual) return code;
    if (layer_.residual->kind == Residual::Kind::kLowBit) {
      code.ctrl.low_bit = true;
      code.parameters.other_m.assign(job_.columns(), store.identity_m);
    } else if (store.requantizer.empty()) {  // what an activation takes away is no saturation
      code.counts_above = store.clamp.max <= kClip16.max;
      code.counts_below = store.clamp.min < 0 && store.clamp.min >= kClip16.min;
    }
    return code;
  }

  /// The first pass takes sums, or codes, and keeps what later ones need.
  void take_values(LanePass& first) const {
    first.ctrl.feedback = false;
    if (first.ctrl.keep == Keep::kOld) first.ctrl.keep = Keep::kOperand;
    const auto* gemm = std::get_if<GemmOp>(&layer_.op);
    if (gemm == nullptr) {
      first.window = 0;
      return;
    }
    first.counts_sums = true;
    for (std::size_t j = 0; j < job_.columns(); ++j) {
      first.parameters.addend[j] = gemm->bias[static_cast<std::size_t>(job_.channels[j])];
    }
  }

  /// `first` takes the window's last code itself.
  static void take_element(LanePass& first, const LanePass& last) {
    first.window = last.window;
    first.ctrl.feedback = last.ctrl.feedback;
    first.ctrl.maximum = last.ctrl.maximum;
    if (first.ctrl.keep == Keep::kOld) first.ctrl.keep = Keep::kOperand;
  }

  const VectorJob& job_;
  const IntegerLayer& layer_;
};

}  // namespace

std::optional<std::vector<LanePass>> lane_passes(const VectorJob& job) {
  return Passes(job).make();
}

}  // namespace bitpulse::rtl
