// SPDX-License-Identifier: Apache-2.0
#include "sim/schedule/program_sizes.h"

namespace bitpulse {

ProgramSizes& ProgramSizes::operator+=(const ProgramSizes& o) {
  commands += o.commands, predecessors += o.predecessors, dma += o.dma, array += o.array;
  vector += o.vector, patterns += o.patterns, outputs += o.outputs, weights += o.weights;
  return *this;
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
  program.patterns.reserve(sizes.patterns);
  program.outputs.reserve(sizes.outputs);
  program.weights.reserve(sizes.weights);
}

}  // namespace bitpulse
