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
  reference::Sum step(std::int64_t psum, std::int64_t product, int shift, AccFormat format) {
    model_.acc_format_i = static_cast<CData>(format.pack());
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
          for (const bool saturate : {false, true}) {
            const AccFormat format{saturate, bits};
            const auto expected = reference::accumulate({psum, 0}, product, shift, format);
            mismatches += !same(model.step(psum, product, shift, format), expected);
            overflows += expected.overflows;
            ++compared;
          }
        }
      }
    }
  }
  CHECK(mismatches == 0);
  CHECK(compared == 31u * 7 * 9 * 32 * 2);
  CHECK(overflows > compared / 4);
  std::cout << "mac_accumulate: " << compared << " corners, " << overflows << " overflows, "
            << mismatches << " mismatches\n";
}

TEST_CASE("a product that leaves the accumulator on its own is an overflow", "[rtl][accumulator]") {
  // 0 + 15 * 10 = 150 at 8 bits, -128 .. 127.
  Accumulator model;
  CHECK(same(model.step(0, 150, 0, {false, 8}), {150 - 256, 1}));
  CHECK(same(model.step(0, 150, 0, {true, 8}), {127, 1}));
  CHECK(same(model.step(0, -129, 0, {true, 8}), {-128, 1}));
  CHECK(same(model.step(0, 127, 0, {false, 8}), {127, 0}));
  // Shifted, it has overflowed once, and is then added as it is.
  CHECK(same(model.step(0, 75, 1, {false, 8}), {150 - 256, 1}));
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
      const int shift = shifts ? static_cast<int>((bits >> 8) % 32) : 0;
      const std::int64_t product = static_cast<std::int64_t>(bits) >> (64 - product_bits);
      const std::int64_t psum = expected.value;
      expected = reference::accumulate({psum, 0}, product, shift, format);
      mismatches += !same(model.step(psum, product, shift, format), expected);
      overflows += expected.overflows;
    }
  }
  CHECK(mismatches == 0);
  CHECK(overflows > 1'000'000);
  std::cout << "mac_accumulate: " << steps << " random steps, " << overflows << " overflows, "
            << mismatches << " mismatches\n";
}

}  // namespace bitpulse::rtl
