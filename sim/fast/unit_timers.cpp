// SPDX-License-Identifier: Apache-2.0
#include "sim/fast/unit_timers.h"

#include <algorithm>
#include <cassert>

#include "sim/memory/dma_runs.h"

namespace bitpulse {
namespace {

constexpr std::uint64_t kVectorDepth = 4;  // pipeline depth of the vector unit

std::uint64_t divide_up(std::uint64_t a, std::uint64_t b) { return (a + b - 1) / b; }

}  // namespace

UnitTimers::UnitTimers(const Machine& machine) : machine_(machine), array_(machine.array) {
  reset();
}

void UnitTimers::reset() {
  array_.reset();
  if (machine_.dram.model == DramModel::kBanked) {
    dram_.emplace(machine_.dram.timing, machine_.clock_mhz);
  }
  dma_free_ = vector_free_ = dma_waited_ = 0;
}

std::uint64_t UnitTimers::dma(const Program& program, const DmaCommand& command,
                              std::uint64_t ready) {
  const std::uint64_t start = std::max(ready, dma_free_);
  dma_waited_ += start - dma_free_;
  if (command.on_chip) {
    return dma_free_ = start + divide_up(command.bytes, on_chip_bytes_per_cycle(machine_.array));
  }
  if (!dram_) {
    const DramSpec& spec = machine_.dram;
    return dma_free_ = start + spec.latency_cycles + divide_up(command.bytes, spec.bytes_per_cycle);
  }
  dram_->begin(start);
  for_each_byte_run(program, command, [&](std::uint64_t address, std::uint64_t bytes) {
    dram_->access(address, bytes, command.is_store);
  });
  return dma_free_ = dram_->finish();
}

std::uint64_t UnitTimers::vector(std::uint64_t elements, std::uint32_t passes,
                                 std::uint64_t ready) {
  return vector_free_ = std::max(ready, vector_free_) + kVectorDepth +
                        passes * divide_up(elements, machine_.vector.lanes);
}

void UnitTimers::skip(std::uint64_t cycles, UnitWaits waited) {
  assert(!dram_);
  array_.skip(cycles, waited.array);
  dma_free_ += cycles;
  dma_waited_ += waited.dma;
  vector_free_ += cycles;
}

CommandTime UnitTimers::issue(const Program& program, const Command& command, std::uint64_t ready) {
  switch (command.unit) {
    case Unit::kArray:
      return array_.issue(program.array[command.payload].nest, ready);
    case Unit::kDma: {
      const std::uint64_t start = std::max(ready, dma_free_);
      return {start, dma(program, program.dma[command.payload], ready)};
    }
    case Unit::kVector:
      break;
  }
  const VectorCommand& pass = program.vector[command.payload];
  const std::uint64_t start = std::max(ready, vector_free_);
  return {start, vector(pass.elements, pass.passes, ready)};
}

}  // namespace bitpulse
