// SPDX-License-Identifier: Apache-2.0
#include "models/error.h"
#include "quant/integer/executor.h"
#include "sim/cosim/random_values.h"
#include "sim/fast/fast_engine.h"
#include "sim/schedule/compile.h"
#include "sim/systemc/hazard.h"
#include "sim/systemc/systemc_engine.h"
#include "testbench/catch.h"
#include "testbench/sim/schedule/random_network.h"

namespace bitpulse {
namespace {

/// Whether the two claims, issued in this order, go together.
bool accepted(const Claim& first, const Claim& second, bool in_order = false) {
  HazardCheck check("buffer", in_order);
  check.add(first, first.start, 0);
  try {
    check.add(second, second.start, 0);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kInternal);
    return false;
  }
  return true;
}

TEST_CASE("a read may start when the write before it has finished, and not a cycle earlier",
          "[systemc][hazard]") {
  const Claim write{0, 64, true, 1, 0, 100};
  CHECK(accepted(write, {32, 40, false, 2, 100, 120}));
  CHECK_FALSE(accepted(write, {32, 40, false, 2, 99, 120}));
  CHECK(accepted(write, {64, 80, false, 2, 10, 120}));
  CHECK_FALSE(accepted(write, {63, 80, false, 2, 10, 120}));
}

TEST_CASE("two reads never meet, nor do two writes of a unit that keeps its order",
          "[systemc][hazard]") {
  CHECK(accepted({0, 64, false, 1, 0, 100}, {0, 64, false, 2, 50, 120}));
  CHECK_FALSE(accepted({0, 64, true, 1, 0, 100}, {0, 64, true, 2, 50, 120}));
  CHECK(accepted({0, 64, true, 1, 0, 100}, {0, 64, true, 2, 50, 120}, true));
  CHECK_FALSE(accepted({0, 64, true, 1, 0, 100}, {0, 64, false, 2, 50, 120}, true));
}

TEST_CASE("a command that overtakes an earlier one it depends on is a hazard",
          "[systemc][hazard]") {
  CHECK_FALSE(accepted({0, 64, false, 5, 0, 10}, {0, 64, true, 4, 50, 60}));
  CHECK(accepted({0, 64, false, 5, 0, 10}, {0, 64, true, 6, 50, 60}));
}

TEST_CASE("a program without one of its predecessors stops, or its integers are right anyway",
          "[systemc][hazard]") {
  SystemcEngine systemc;
  int stopped = 0, right = 0;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    NetworkBuilder b = random_value_network(seed);
    RandomSource random(seed);
    Machine machine = random_machine(random);
    machine.vector.rounding = b.network.rounding;
    Program program;
    try {
      program = compile(b.network, machine, {}, FastEngine::timer);
    } catch (const Error&) {
      continue;  // no tile fits
    }
    const TensorCodes inputs = b.random_inputs(1);
    Operands operands;
    operands.network = &b.network;
    operands.inputs = &inputs;
    const TensorCodes expected = systemc.run(program, operands).tensors;

    std::vector<CommandId> waiting;
    for (CommandId id = 0; id < program.commands.size(); ++id) {
      if (program.commands[id].predecessor_count > 0) waiting.push_back(id);
    }
    Command& command = program.commands[waiting[static_cast<std::size_t>(
        random.number(0, static_cast<std::int64_t>(waiting.size()) - 1))]];
    ++command.first_predecessor;
    --command.predecessor_count;
    CAPTURE(seed);
    try {
      const TensorCodes got = systemc.run(program, operands).tensors;
      REQUIRE(got == expected);
      ++right;
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::kInternal);
      ++stopped;
    }
  }
  CHECK(stopped > 100);
  CHECK(right > 10);
}

}  // namespace
}  // namespace bitpulse
