// SPDX-License-Identifier: Apache-2.0
#include "sim/schedule/compile.h"

#include "models/error.h"
#include "sim/fast/fast_engine.h"
#include "sim/schedule/check.h"
#include "testbench/catch.h"
#include "testbench/sim/schedule/random_network.h"

namespace bitpulse {

TEST_CASE("programs of random layers on random machines are sound", "[schedule][random]") {
  int compiled = 0, refused = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    RandomSource random(seed);
    const Machine machine = random_machine(random);
    const IntegerNetwork network = random_network(random);
    CompileOptions options;
    options.batch = random.one_in(3) ? random.number(2, 4) : 1;
    try {
      const Program program = compile(network, machine, options, FastEngine::timer);
      ++compiled;
      const std::vector<std::string> violations = validate_program(program, network);
      CAPTURE(seed);
      if (!violations.empty()) FAIL_CHECK(violations.front());
    } catch (const Error& error) {
      CAPTURE(seed, error.what());
      CHECK(error.kind() == ErrorKind::kInvalidInput);
      ++refused;
    }
  }
  CHECK(compiled > 200);
  CHECK(refused < 80);
}

}  // namespace bitpulse
