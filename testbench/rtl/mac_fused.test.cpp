// SPDX-License-Identifier: Apache-2.0
// The fused MAC: every operand pair in each lane, for every pair of widths and of signedness, and
// random words with the mode changing at every step.

#include <random>

#include "Vmac_fused.h"
#include "testbench/catch.h"
#include "testbench/rtl/reference.h"

namespace bitpulse::rtl {
namespace {

constexpr int kWidths[] = {2, 4, 8};

class FusedMac {
 public:
  FusedMac() {
    mac_.acc_format_i = static_cast<CData>(AccFormat{false, 32}.pack());
    mac_.shift_i = 0;
    mac_.psum_i = 0;
  }

  /// The sum of the lane products.
  std::int64_t dot(std::uint32_t act, Format act_format, std::uint32_t weight,
                   Format weight_format) {
    mac_.act_format_i = static_cast<CData>(act_format.pack());
    mac_.weight_format_i = static_cast<CData>(weight_format.pack());
    mac_.act_i = act;
    mac_.weight_i = weight;
    mac_.eval();
    return mac_.overflow_o == 0 ? static_cast<std::int32_t>(mac_.sum_o) : INT64_MAX;
  }

 private:
  Vmac_fused mac_;
};

constexpr std::uint32_t mask(int bits) { return static_cast<std::uint32_t>((1ull << bits) - 1); }

/// `word` with the operand of `lane` replaced by `code`.
constexpr std::uint32_t put(std::uint32_t word, int lane, int bits, std::uint32_t code) {
  return (word & ~(mask(bits) << (lane * bits))) | (code << (lane * bits));
}

/// All lanes at one code.
constexpr std::uint32_t fill(int lanes, int bits, std::uint32_t code) {
  std::uint32_t word = 0;
  for (int lane = 0; lane < lanes; ++lane) word = put(word, lane, bits, code);
  return word;
}

/// The codes of the least and the greatest value.
constexpr std::uint32_t least(Format f) { return f.is_signed ? 1u << (f.bits - 1) : 0; }
constexpr std::uint32_t greatest(Format f) { return mask(f.is_signed ? f.bits - 1 : f.bits); }

struct Count {
  std::uint64_t compared = 0, mismatches = 0;
};

/// Every operand pair in every lane, the other lanes at the given codes.
Count check_lanes(FusedMac& mac, Format act, Format weight, std::uint32_t act_others,
                  std::uint32_t weight_others) {
  Count count;
  for (int lane = 0; lane < 64 / (act.bits * weight.bits); ++lane) {
    for (std::uint32_t x = 0; x <= mask(act.bits); ++x) {
      const std::uint32_t act_word = put(act_others, lane, act.bits, x);
      for (std::uint32_t y = 0; y <= mask(weight.bits); ++y) {
        const std::uint32_t weight_word = put(weight_others, lane, weight.bits, y);
        count.mismatches += mac.dot(act_word, act, weight_word, weight) !=
                            reference::dot(act_word, act, weight_word, weight);
        ++count.compared;
      }
    }
  }
  return count;
}

}  // namespace

TEST_CASE("every operand pair in every lane of the fused MAC is exact", "[rtl][mac]") {
  FusedMac mac;
  for (const int a : kWidths) {
    for (const int w : kWidths) {
      const int lanes = 64 / (a * w);
      Count total;
      for (int signs = 0; signs < 4; ++signs) {
        const Format act{(signs & 1) != 0, a}, weight{(signs & 2) != 0, w};
        const std::uint32_t others[3][2] = {
            {0, 0},
            {fill(lanes, a, least(act)), fill(lanes, w, least(weight))},
            {fill(lanes, a, greatest(act)), fill(lanes, w, greatest(weight))}};
        for (const auto& [act_others, weight_others] : others) {
          const Count count = check_lanes(mac, act, weight, act_others, weight_others);
          total.compared += count.compared;
          total.mismatches += count.mismatches;
        }
      }
      CAPTURE(a, w);
      CHECK(total.mismatches == 0);
      CHECK(total.compared == 4ull * 3 * static_cast<unsigned>(lanes) << (a + w));
      std::cout << "mac_fused " << a << "x" << w << ": " << total.compared << " words, "
                << total.mismatches << " mismatches\n";
    }
  }
}

TEST_CASE(
    "a million random words per mode of the fused MAC are exact, the mode changing at every step",
    "[rtl][mac]") {
  FusedMac mac;
  std::mt19937_64 random(20200501);
  std::uint64_t mismatches = 0;
  int steps = 0;
  for (; steps < 9'000'000; ++steps) {
    const std::uint64_t bits = random(), words = random();
    const int mode = steps % 9;
    const Format act{(bits & 1) != 0, kWidths[mode / 3]};
    const Format weight{(bits & 2) != 0, kWidths[mode % 3]};
    const auto x = static_cast<std::uint32_t>(words), y = static_cast<std::uint32_t>(words >> 32);
    mismatches += mac.dot(x, act, y, weight) != reference::dot(x, act, y, weight);
  }
  CHECK(mismatches == 0);
  CHECK(steps / 9 == 1'000'000);
  std::cout << "mac_fused: " << steps / 9 << " random words in each of 9 modes, " << mismatches
            << " mismatches\n";
}

}  // namespace bitpulse::rtl
