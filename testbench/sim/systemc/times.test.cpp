// SPDX-License-Identifier: Apache-2.0
// cycles(fast) == cycles(systemc): start and finish of every command, and every counter.
#include "models/error.h"
#include "sim/fast/fast_engine.h"
#include "sim/schedule/compile.h"
#include "sim/systemc/systemc_engine.h"
#include "testbench/catch.h"
#include "testbench/sim/schedule/random_network.h"
#include "testbench/sim/systemc/random_program.h"

namespace bitpulse {
namespace {

/// Empty where both engines agree.
std::string difference(const RunResult& fast, const RunResult& systemc) {
  for (std::size_t id = 0; id < fast.times.size(); ++id) {
    const CommandTime f = fast.times[id], s = systemc.times[id];
    if (f == s) continue;
    return "command " + std::to_string(id) + ": fast " + std::to_string(f.start) + ".." +
           std::to_string(f.finish) + ", systemc " + std::to_string(s.start) + ".." +
           std::to_string(s.finish);
  }
  for (std::size_t l = 0; l < fast.layers.size(); ++l) {
    for (const CounterInfo& info : kCounterTable) {
      const std::uint64_t f = fast.layers[l].*info.member, s = systemc.layers[l].*info.member;
      if (f == s) continue;
      return "layer " + std::to_string(l) + ", " + info.name + ": fast " + std::to_string(f) +
             ", systemc " + std::to_string(s);
    }
    if (fast.layers[l].macs != systemc.layers[l].macs) return "macs differ";
  }
  return fast.times.size() == systemc.times.size() ? "" : "another number of commands";
}

TEST_CASE("random programs take the same cycles and count the same in fast and systemc",
          "[engines][differential]") {
  FastEngine fast;
  SystemcEngine systemc;
  for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
    RandomSource random(seed);
    const Program program = random_program(random);
    CAPTURE(seed, program.commands.size());
    REQUIRE(difference(fast.run(program), systemc.run(program, {})) == "");
  }
}

TEST_CASE("compiled random layers take the same cycles in fast and systemc",
          "[engines][differential]") {
  FastEngine fast;
  SystemcEngine systemc;
  int compiled = 0;
  for (std::uint64_t seed = 1; seed <= 1500; ++seed) {
    RandomSource random(seed);
    const Machine machine = random_machine(random);
    const IntegerNetwork network = random_network(random);
    CompileOptions options;
    options.batch = random.number(1, 3);
    Program program;
    try {
      program = compile(network, machine, options, FastEngine::cycles);
    } catch (const Error&) {
      continue;  // no tile fits
    }
    ++compiled;
    CAPTURE(seed);
    REQUIRE(difference(fast.run(program), systemc.run(program, {})) == "");
  }
  CHECK(compiled > 1000);
}

TEST_CASE("a program that cannot go on stops with the command and what it waits for",
          "[systemc][errors]") {
  Program program;
  program.layers.resize(1);
  program.layers[0].name = "conv1";
  Command wait, vector;
  wait.unit = Unit::kVector;
  wait.predecessor_count = 1;
  vector.unit = Unit::kVector;
  program.commands = {wait, vector};
  program.predecessors = {1};
  program.vector.resize(1);
  SystemcEngine systemc;
  try {
    systemc.run(program, {});
    FAIL("expected an error");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kInternal);
    CHECK_THAT(error.what(), Catch::Contains("command 0 (vector, layer \"conv1\") waits for "
                                             "command 1 (vector, layer \"conv1\")"));
  }
  // The engine is usable afterwards.
  program.commands[0].predecessor_count = 0;
  CHECK(systemc.run(program, {}).times.back().finish == 8);
}

}  // namespace
}  // namespace bitpulse
