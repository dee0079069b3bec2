// SPDX-License-Identifier: Apache-2.0
#include "sim/schedule/program_sizes.h"

#include <algorithm>

namespace bitpulse {

ProgramSizes& ProgramSizes::operator+=(const ProgramSizes& o) {
  commands += o.commands, predecessors += o.predecessors, dma += o.dma, array += o.array;
  vector += o.vector, patterns += o.patterns, outputs += o.outputs, weights += o.weights;
  return *this;
}

void ProgramSizes::repeat(const ProgramSizes& before, std::size_t times) {
  commands += times * (commands - before.commands);
  predecessors += times * (predecessors - before.predecessors);
  dma += times * (dma - before.dma);
  array += times * (array - before.array);
  vector += times * (vector - before.vector);
  patterns += times * (patterns - before.patterns);
  outputs += times * (outputs - before.outputs);
  weights += times * (weights - before.weights);
}

ProgramSizes sizes_of(const Program& program) {
  return {program.commands.size(), program.predecessors.size(), program.dma.size(),
          program.array.size(),    program.vector.size(),       program.patterns.size(),
          program.outputs.size(),  program.weights.size()};
}

void reserve(Program& program, const ProgramSizes& sizes) {
  program.commands.reserve(sizes.commands);
  program.predecessors.reserve(sizes.predecessors + program.layers.size());  // barriers
  program.dma.reserve(sizes.dma);
  program.array.reserve(sizes.array);
  program.vector.reserve(sizes.vector);
  // Trials may leave these out; nearly every dma command has one pattern, a vector command one
  // store.
  program.patterns.reserve(std::max(sizes.patterns, sizes.dma));
  program.outputs.reserve(std::max(sizes.outputs, sizes.vector));
  program.weights.reserve(sizes.weights);
}

}  // namespace bitpulse
