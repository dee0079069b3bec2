// SPDX-License-Identifier: Apache-2.0
// The requantizer lane against quant/integer/requantize.h, in every rounding mode.

#include <limits>
#include <random>

#include "Vrequantizer.h"
#include "quant/integer/requantize.h"
#include "testbench/catch.h"

namespace bitpulse::rtl {
namespace {

constexpr int kLanes = 4;

struct Element {
  std::int32_t value = 0, addend = 0, m = 0, m_negative = 0, other = 0, other_m = 0;
  int shift = 0;
};

struct Pass {
  bool copy = false, leaky = false;
  Rounding rounding = Rounding::kHalfUp;
  CodeRange clamp;
};

struct Code {
  std::int64_t code = 0;
  bool saturated = false, clamped = false;
  friend bool operator==(Code a, Code b) {
    return a.code == b.code && a.saturated == b.saturated && a.clamped == b.clamped;
  }
};

Code expected(const Element& e, const Pass& pass) {
  constexpr CodeRange kInt32{std::numeric_limits<std::int32_t>::min(),
                             std::numeric_limits<std::int32_t>::max()};
  const std::int64_t sum = std::int64_t{e.value} + e.addend;
  const std::int64_t value = clamp(sum, kInt32);
  std::int64_t result = value;
  if (!pass.copy) {
    std::int64_t term = value * e.m;
    if (pass.leaky && term < 0) term = value * e.m_negative;
    result = round_shift(term + std::int64_t{e.other} * e.other_m, e.shift, pass.rounding);
  }
  return {clamp(result, pass.clamp), value != sum, clamp(result, pass.clamp) != result};
}

class Lanes {
 public:
  Lanes() {
    model_.rst_ni = 1;
    model_.clk_i = 0;
    model_.eval();
    model_.rst_ni = 0;
    model_.eval();
    model_.rst_ni = 1;
    model_.eval();
  }

  /// Element n of the group goes through lane n.
  void run(const Element (&group)[kLanes], const Pass& pass, Code (&codes)[kLanes]) {
    model_.valid_i = 1;
    model_.copy_i = pass.copy;
    model_.leaky_i = pass.leaky;
    model_.rounding_i = static_cast<CData>(pass.rounding);
    model_.min_i = static_cast<IData>(pass.clamp.min);
    model_.max_i = static_cast<IData>(pass.clamp.max);
    model_.shift_i = 0;
    for (int n = 0; n < kLanes; ++n) {
      model_.value_i[n] = static_cast<IData>(group[n].value);
      model_.addend_i[n] = static_cast<IData>(group[n].addend);
      model_.m_i[n] = static_cast<IData>(group[n].m);
      model_.m_negative_i[n] = static_cast<IData>(group[n].m_negative);
      model_.other_i[n] = static_cast<IData>(group[n].other);
      model_.other_m_i[n] = static_cast<IData>(group[n].other_m);
      model_.shift_i |= static_cast<IData>(group[n].shift) << (8 * n);
    }
    model_.clk_i = 1;
    model_.eval();
    model_.clk_i = 0;
    model_.eval();
    REQUIRE(model_.valid_o == 1);
    for (int n = 0; n < kLanes; ++n) {
      codes[n] = {static_cast<std::int32_t>(model_.code_o[n]), ((model_.saturated_o >> n) & 1) != 0,
                  ((model_.clamped_o >> n) & 1) != 0};
    }
  }

 private:
  Vrequantizer model_;
};

/// A number whose magnitude is as likely small as large.
std::int32_t wide_range(std::mt19937_64& random) {
  return static_cast<std::int32_t>(static_cast<std::int32_t>(random()) >> (random() % 32));
}

constexpr CodeRange kClamps[] = {{-128, 127}, {0, 255},        {0, 15},         {-8, 7},
                                 {-2, 1},     {-32768, 32767}, {-65536, 65535}, {0, 32767}};

}  // namespace

TEST_CASE("ties at every shift round as the rounding mode says", "[rtl][requantizer]") {
  Lanes lanes;
  int compared = 0, mismatches = 0;
  for (const Rounding rounding : {Rounding::kHalfUp, Rounding::kHalfEven, Rounding::kHalfAway}) {
    for (int shift = 0; shift <= 62; ++shift) {
      for (int odd = -3; odd <= 3; odd += 2) {  // odd * 2^(shift-1) is a tie
        // value * m: a power of two split over both factors, then one below and one above.
        const int bits = shift == 0 ? 0 : shift - 1;
        const Element tie{odd << (bits / 2 < 29 ? bits / 2 : 29),
                          0,
                          1 << (bits - (bits / 2 < 29 ? bits / 2 : 29)),
                          0,
                          0,
                          0,
                          shift};
        Element below = tie, above = tie, zero = tie;
        below.other = -1, below.other_m = 1, above.other = 1, above.other_m = 1, zero.value = 0;
        const Element group[kLanes] = {tie, below, above, zero};
        const Pass pass{false, false, rounding, {-65536, 65535}};
        Code codes[kLanes];
        lanes.run(group, pass, codes);
        for (int n = 0; n < kLanes; ++n, ++compared) {
          mismatches += !(codes[n] == expected(group[n], pass));
        }
      }
    }
  }
  CHECK(mismatches == 0);
  CHECK(compared == 3 * 63 * 4 * kLanes);
}

TEST_CASE("two million random requantizations equal the reference", "[rtl][requantizer]") {
  Lanes lanes;
  std::mt19937_64 random(20210718);
  std::uint64_t compared = 0, mismatches = 0, saturated = 0, clamped = 0, inside = 0;
  while (compared < 2'000'000) {
    const std::uint64_t bits = random();
    const Pass pass{bits % 16 == 0, (bits & 32) != 0, static_cast<Rounding>((bits >> 8) % 3),
                    kClamps[(bits >> 16) % 8]};
    const bool low_bit_residual = (bits & 64) != 0, small_m = (bits & 128) != 0;
    Element group[kLanes];
    for (Element& e : group) {
      e.value = wide_range(random);
      if (random() % 8 == 0) e.value = (e.value >> 8) ^ 0x7fffffff;  // near an end
      e.addend = wide_range(random);
      e.m = small_m ? static_cast<std::int8_t>(random()) : wide_range(random);
      if (e.m == std::numeric_limits<std::int32_t>::min()) ++e.m;
      e.m_negative = e.m / 10;
      if (low_bit_residual) {
        e.other = static_cast<std::int32_t>(random() % 131072) - 65536;
        e.other_m = static_cast<std::int32_t>(random()) >> 4;
      }
      // Mostly so that the code lands in or near the clamp.
      e.shift =
          random() % 4 == 0 ? static_cast<int>(random() % 63) : static_cast<int>(random() % 8) + 20;
    }
    Code codes[kLanes];
    lanes.run(group, pass, codes);
    for (int n = 0; n < kLanes; ++n, ++compared) {
      const Code code = expected(group[n], pass);
      mismatches += !(codes[n] == code);
      saturated += code.saturated;
      clamped += code.clamped;
      inside += !code.clamped && code.code != 0;
    }
  }
  CHECK(mismatches == 0);
  CHECK(saturated > 5'000);
  CHECK(clamped > 100'000);
  CHECK(inside > 100'000);
  std::cout << "requantizer: " << compared << " elements, " << mismatches << " mismatches, "
            << saturated << " sums saturated, " << clamped << " codes clamped, " << inside
            << " inside and not zero\n";
}

}  // namespace bitpulse::rtl
