// SPDX-License-Identifier: Apache-2.0
// The requantizer's lanes against plain C++ (reference_requantizer.h), pass by pass.

#include <cstring>
#include <random>

#include "Vrequantizer.h"
#include "testbench/catch.h"
#include "testbench/rtl/reference_requantizer.h"

namespace bitpulse::rtl {
namespace {

using reference::LaneInputs;
constexpr std::size_t kLanes = 4;

/// The Verilated lanes and the reference, stepped together.
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

  /// Returns whether both show the same after the edge.
  bool step(LaneCtrl ctrl, CodeRange clamp_to, const std::vector<LaneInputs>& inputs) {
    model_.ctrl_i = static_cast<SData>(ctrl.pack());
    model_.min_i = static_cast<IData>(clamp_to.min);
    model_.max_i = static_cast<IData>(clamp_to.max);
    for (std::size_t l = 0; l < kLanes; ++l) {
      model_.value_i[l] = static_cast<IData>(inputs[l].value);
      model_.addend_i[l] = static_cast<IData>(inputs[l].addend);
      model_.m_i[l] = static_cast<IData>(inputs[l].m);
      model_.m_negative_i[l] = static_cast<IData>(inputs[l].m_negative);
      model_.shift_i[l] = static_cast<IData>(inputs[l].shift);
      model_.other_i[l] = static_cast<IData>(inputs[l].other);
      model_.other_m_i[l] = static_cast<IData>(inputs[l].other_m);
      model_.other_shift_i[l] = static_cast<IData>(inputs[l].other_shift);
    }
    model_.clk_i = 1;
    model_.eval();
    model_.clk_i = 0;
    model_.eval();
    expected_.step(ctrl, clamp_to, inputs);
    return (model_.valid_o != 0) == expected_.valid &&
           std::memcmp(&model_.code_o, expected_.codes.data(), kLanes * sizeof(IData)) == 0 &&
           model_.saturated_o == expected_.saturated && model_.clamped_o == expected_.clamped &&
           model_.above_o == expected_.above && model_.below_o == expected_.below;
  }
  const reference::Requantizer& expected() const { return expected_; }

 private:
  Vrequantizer model_;
  reference::Requantizer expected_{kLanes};
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
        const int bits = shift == 0 ? 0 : shift - 1, of_value = bits / 2 < 29 ? bits / 2 : 29;
        LaneInputs tie;
        tie.value = odd << of_value;
        tie.m = 1 << (bits - of_value);
        tie.shift = shift;
        LaneInputs below = tie, above = tie, zero = tie;
        below.other = -1, below.other_m = 1, above.other = 1, above.other_m = 1, zero.value = 0;
        LaneCtrl ctrl;
        ctrl.valid = ctrl.emit = ctrl.low_bit = true;
        ctrl.rounding = rounding;
        mismatches += !lanes.step(ctrl, {-65536, 65535}, {tie, below, above, zero});
        ++compared;
      }
    }
  }
  mismatches += !lanes.step({}, {}, std::vector<LaneInputs>(kLanes));
  CHECK(mismatches == 0);
  CHECK(compared == 3 * 63 * 4);
}

TEST_CASE("two million random lane passes equal the reference", "[rtl][requantizer]") {
  Lanes lanes;
  std::mt19937_64 random(20210718);
  std::uint64_t compared = 0, mismatches = 0, saturated = 0, clamped = 0, inside = 0, beyond = 0;
  while (compared < 2'000'000) {
    const std::uint64_t bits = random();
    LaneCtrl ctrl;
    ctrl.valid = bits % 16 != 0;
    ctrl.emit = (bits & 16) != 0;
    ctrl.feedback = bits >> 5 & 1;
    ctrl.maximum = (bits >> 6 & 3) == 0;
    ctrl.leaky = bits >> 8 & 1;
    ctrl.rounding = static_cast<Rounding>((bits >> 9 & 7) % 3);
    ctrl.low_bit = (bits >> 12 & 3) == 0;
    ctrl.branch = (bits >> 14 & 3) == 0;
    ctrl.keep = static_cast<Keep>((bits >> 16 & 15) % 3);
    const bool small_m = (bits >> 20 & 1) != 0;
    std::vector<LaneInputs> inputs(kLanes);
    for (LaneInputs& e : inputs) {
      e.value = wide_range(random);
      if (random() % 8 == 0) e.value = (e.value >> 8) ^ 0x7fffffff;  // near an end
      e.addend = wide_range(random);
      e.m = small_m ? static_cast<std::int8_t>(random()) : wide_range(random);
      if (e.m == std::numeric_limits<std::int32_t>::min()) ++e.m;
      e.m_negative = e.m / 10;
      e.other = static_cast<std::int32_t>(random() % 131072) - 65536;
      e.other_m = static_cast<std::int32_t>(random()) >> 4;
      // Mostly so that the code lands in or near the clamp.
      e.shift =
          random() % 4 == 0 ? static_cast<int>(random() % 63) : static_cast<int>(random() % 8) + 20;
      e.other_shift =
          random() % 4 == 0 ? static_cast<int>(random() % 63) : static_cast<int>(random() % 8) + 24;
    }
    mismatches += !lanes.step(ctrl, kClamps[bits >> 24 & 7], inputs);
    compared += kLanes;
    saturated += lanes.expected().saturated;
    clamped += lanes.expected().clamped;
    beyond += lanes.expected().above + lanes.expected().below;
    for (const std::int32_t code : lanes.expected().codes) {
      inside += lanes.expected().clamped == 0 && code != 0;
    }
  }
  CHECK(mismatches == 0);
  CHECK(saturated > 5'000);
  CHECK(clamped > 100'000);
  CHECK(beyond > 100'000);
  CHECK(inside > 50'000);
  std::cout << "requantizer: " << compared << " passes of a lane, " << mismatches << " mismatches, "
            << saturated << " sums saturated, " << clamped << " codes clamped, " << inside
            << " inside and not zero\n";
}

}  // namespace bitpulse::rtl
