// SPDX-License-Identifier: Apache-2.0
#pragma once

// Programs that no compiler would write, for comparing the times and counters of engines: any mix
// of commands with any predecessors, fold nests of any shape, strided copies at any bit, several
// layers, width groups and precisions, both DRAM models. They mean nothing as computations.

#include "sim/program.h"
#include "testbench/sim/schedule/random_network.h"

namespace bitpulse {

Program random_program(RandomSource& random);

}  // namespace bitpulse
