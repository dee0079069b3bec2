// SPDX-License-Identifier: Apache-2.0
// The accumulator of a MAC: wrap, saturate, shift and overflow at every width, corners and
// weighted-random walks.

#include <random>

#include "Vmac_accumulate.h"
#include "testbench/catch.h"
#include "testbench/rtl/reference.h"

namespace bitpulse::rtl {
namespace {

class Accumulator {
 public:
  reference::Sum step(std::int64_t psum, bool first, std::int64_t product, int shift,
                      AccFormat format) {
    model_.acc_format_i = static_cast<CData>(format.pack());
    model_.first_i = first;
    model_.shift_i = static_cast<CData>(shift);
    model_.product_i = static_cast<std::uint32_t>(product) & 0x3ffff;
    model_.psum_i = static_cast<std::uint32_t>(psum);
    model_.eval();
    return {static_cast<std::int32_t>(model_.sum_o), model_.overflow_o};
  }

 private:
  Vmac_accumulate model_;
};

bool same(reference::Sum a, reference::Sum b) {
  return a.value == b.value && a.overflows == b.overflows;
}

}  // namespace

TEST_CASE("sums at the limits of every accumulator width wrap or saturate exactly",
          "[rtl][accumulator]") {
  Accumulator model;
  std::uint64_t compared = 0, mismatches = 0, overflows = 0;
  for (int bits = 2; bits <= 32; ++bits) {
    const std::int64_t max = (std::int64_t{1} << (bits - 1)) - 1, min = -max - 1;
    const std::int64_t psums[] = {min, min + 1, -1, 0, 1, max - 1, max};
    const std::int64_t products[] = {-131072, -32640, -2, -1, 0, 1, 2, 65025, 131071};
    for (const std::int64_t psum : psums) {
      for (const std::int64_t product : products) {
        for (int shift = 0; shift < 32; ++shift) {
          for (int flags = 0; flags < 4; ++flags) {
            const AccFormat format{(flags & 1) != 0, bits};
            const bool first = (flags & 2) != 0;
            const auto expected = reference::accumulate({psum, 0}, first, product, shift, format);
            mismatches += !same(model.step(psum, first, product, shift, format), expected);
            overflows += expected.overflows;
            ++compared;
          }
        }
      }
    }
  }
  CHECK(mismatches == 0);
  CHECK(compared == 31u * 7 * 9 * 32 * 4);
  CHECK(overflows > compared / 4);
  std::cout << "mac_accumulate: " << compared << " corners, " << overflows << " overflows, "
            << mismatches << " mismatches\n";
}

TEST_CASE("ten million random accumulation steps are exact", "[rtl][accumulator]") {
  Accumulator model;
  std::mt19937_64 random(19650418);
  std::uint64_t mismatches = 0, overflows = 0, steps = 0;
  while (steps < 10'000'000) {
    // One walk: a format, operands of one size, mostly additions to the running sum.
    const AccFormat format{(random() & 1) != 0, 2 + static_cast<int>(random() % 31)};
    const int product_bits = 1 + static_cast<int>(random() % 18);
    const bool shifts = random() % 4 == 0;
    reference::Sum expected;
    for (int i = 0; i < 1000; ++i, ++steps) {
      const std::uint64_t bits = random();
      const bool first = i == 0 || bits % 64 == 0;
      const int shift = shifts ? static_cast<int>((bits >> 8) % 32) : 0;
      const std::int64_t product = static_cast<std::int64_t>(bits) >> (64 - product_bits);
      const std::int64_t psum = expected.value;
      expected = reference::accumulate({psum, 0}, first, product, shift, format);
      mismatches += !same(model.step(psum, first, product, shift, format), expected);
      overflows += expected.overflows;
    }
  }
  CHECK(mismatches == 0);
  CHECK(overflows > 1'000'000);
  std::cout << "mac_accumulate: " << steps << " random steps, " << overflows << " overflows, "
            << mismatches << " mismatches\n";
}

}  // namespace bitpulse::rtl
