// SPDX-License-Identifier: Apache-2.0
// times(rtl) == times(systemc) == times(fast) and integers(rtl) == integers(reference) on layers
// and machines that nobody chose.
#include <algorithm>

#include "sim/cosim/cosim.h"
#include "sim/cosim/random_case.h"
#include "sim/rtl/rtl_engine.h"
#include "sim/systemc/systemc_engine.h"
#include "testbench/catch.h"

namespace bitpulse {
namespace {

constexpr int kCases = 600;

/// How many cases have met what is hard.
struct Met {
  int not_square = 0, serial = 0, saturating = 0, narrow_sums = 0, several_widths = 0, groups = 0,
      digits = 0, resumed = 0, several_commands = 0, different_folds = 0, mode_switches = 0;
  int dataflow[3] = {}, pe[4] = {};

  void count(const Program& program) {
    const ArraySpec& array = program.machine.array;
    not_square += array.rows != array.cols;
    serial += !array.overlap;
    saturating += array.overflow == Overflow::kSaturate;
    narrow_sums += array.acc_bits < 16;
    ++dataflow[static_cast<int>(array.dataflow)];
    ++pe[static_cast<int>(array.pe)];
    const auto any_plan = [&](auto has) {
      return std::any_of(program.layers.begin(), program.layers.end(), has);
    };
    several_widths += any_plan([](const LayerPlan& l) { return l.width_groups.size() > 1; });
    groups += any_plan([](const LayerPlan& l) { return l.groups > 1; });
    digits += any_plan([](const LayerPlan& l) {
      return !l.width_groups.empty() && l.width_groups.front().mode.passes() > 1;
    });
    resumed += std::any_of(program.array.begin(), program.array.end(),
                           [](const ArrayCommand& c) { return c.accumulate; });
    several_commands += program.array.size() > 1;
    different_folds +=
        std::any_of(program.array.begin(), program.array.end(), [&](const ArrayCommand& c) {
          const auto changes = [](std::uint64_t extent, std::uint32_t size) {
            return extent > size && extent % size != 0;
          };
          return array.overlap && (changes(c.nest.rows_extent, array.rows) ||
                                   changes(c.nest.cols_extent, array.cols));
        });
    mode_switches += array.pe == PeKind::kFused && array.overlap &&
                     any_plan([](const LayerPlan& l) { return l.width_groups.size() > 1; });
  }
};

TEST_CASE(
    "random layers have the same edges in every cycle and take the same cycles on rtl, systemc and "
    "fast, with the reference's integers and overflows",
    "[rtl][differential]") {
  SystemcEngine systemc;
  RtlEngine rtl;
  rtl.set_lockstep(true);
  Met met;
  std::uint64_t overflows = 0, sums = 0;
  for (int number = 0; number < kCases; ++number) {
    const RandomCase c = random_case(20, number);
    const CosimResult result = cosimulate(c.name, c.program, c.network, c.inputs, {&systemc, &rtl});
    CAPTURE(c.name);
    REQUIRE(result.divergence.value_or("") == "");
    CHECK(result.commands == c.program.commands.size());
    met.count(c.program);
    sums += result.elements;
    overflows += result.overflows;
  }
  CHECK(met.not_square >= kCases / 2);
  for (const int count :
       {met.serial, met.saturating, met.narrow_sums, met.several_widths, met.groups, met.digits,
        met.resumed, met.several_commands, met.dataflow[0], met.dataflow[1], met.dataflow[2],
        met.pe[0], met.pe[1], met.pe[2], met.pe[3]}) {
    CHECK(count >= kCases / 12);
  }
  CHECK(met.different_folds >= kCases / 12);
  CHECK(met.mode_switches >= kCases / 60);
  CHECK(overflows > 10'000);
  CHECK(sums > 100'000);
}

TEST_CASE("a random case follows from its seed and number alone", "[cosim][determinism]") {
  const RandomCase before = random_case(5, 3);
  random_case(6, 0);
  const RandomCase again = random_case(5, 3);
  CHECK(again.name == before.name);
  CHECK(again.inputs == before.inputs);
  CHECK(again.program.commands.size() == before.program.commands.size());
  CHECK(random_case(5, 4).inputs != before.inputs);
  CHECK(random_case(6, 3).inputs != before.inputs);
}

TEST_CASE("random cases for a machine are on that machine", "[cosim]") {
  Machine machine;
  machine.name = "mine";
  machine.array.rows = 12;
  machine.array.cols = 8;
  machine.vector.rounding = Rounding::kHalfEven;
  for (int number = 0; number < 5; ++number) {
    const RandomCase c = random_case(1, number, machine);
    CHECK(c.program.machine.name == "mine");
    CHECK(c.program.machine.array.rows == 12);
    CHECK(c.network.rounding == Rounding::kHalfEven);
  }
}

}  // namespace
}  // namespace bitpulse
