// SPDX-License-Identifier: Apache-2.0
#include "sim/fast/command_counters.h"

#include "sim/fast/array_timer.h"

namespace bitpulse {
namespace {

std::uint64_t count(Range range) { return static_cast<std::uint64_t>(range.size()); }

std::uint64_t tile_sums(const GemmTile& tile) {
  return count(tile.groups) * count(tile.m) * count(tile.n);
}

void count_dma(const Program& program, const DmaCommand& dma, Counters& counters) {
  std::uint64_t bits = 0;
  for (std::uint32_t i = 0; i < dma.pattern_count; ++i) {
    const DmaPattern& pattern = program.patterns[dma.first_pattern + i];
    bits += pattern.rows * pattern.runs * pattern.run_bits;
  }
  if (dma.on_chip) {
    (dma.is_store ? counters.act_write_bits : counters.act_read_bits) += bits;
  } else {
    (dma.is_store ? counters.dram_write_bytes : counters.dram_read_bytes) += dma.bytes;
  }
  switch (dma.buffer) {
    case Buffer::kAct:
      (dma.is_store ? counters.act_read_bits : counters.act_write_bits) += bits;
      break;
    case Buffer::kWeight:
      (dma.is_store ? counters.weight_read_bits : counters.weight_write_bits) += bits;
      break;
    case Buffer::kOut:
      (dma.is_store ? counters.out_read_bits : counters.out_write_bits) += bits;
      break;
  }
}

void count_array(const Program& program, const LayerPlan& plan, const ArrayCommand& array,
                 Counters& counters) {
  const ArraySpec& spec = program.machine.array;
  const FoldNest& nest = array.nest;
  const WidthGroup& group = plan.width_groups[array.tile.width_group];
  const auto act_bits = static_cast<std::uint64_t>(group.mode.lanes * group.mode.act_digit_bits);
  const auto weight_bits =
      static_cast<std::uint64_t>(group.mode.lanes * group.mode.weight_digit_bits);
  const auto acc_bits = static_cast<std::uint64_t>(spec.acc_bits);

  // Sums over the folds of one (column fold, row fold) sweep, then over repeats and passes.
  const std::uint64_t row_folds = cut_folds(nest.rows_extent, spec.rows).count;
  const std::uint64_t col_folds = cut_folds(nest.cols_extent, spec.cols).count;
  const std::uint64_t times = std::uint64_t{nest.repeats} * nest.passes;
  const std::uint64_t used_pes = times * nest.rows_extent * nest.cols_extent;
  const std::uint64_t row_words = times * nest.rows_extent * col_folds * nest.stream;
  const std::uint64_t col_words = times * nest.cols_extent * row_folds * nest.stream;

  counters.folds += times * row_folds * col_folds;
  counters.pe_cycles_used += used_pes * nest.stream;
  counters.macs[{plan.act_bits, group.weight_bits}] += array.macs;

  std::uint64_t written = col_words;  // sums
  std::uint64_t first = nest.repeats * nest.cols_extent * nest.stream;
  switch (spec.dataflow) {
    case Dataflow::kWs:
      counters.weight_read_bits += used_pes * weight_bits;
      counters.act_read_bits += row_words * act_bits;
      break;
    case Dataflow::kIs:
      counters.act_read_bits += used_pes * act_bits;
      counters.weight_read_bits += row_words * weight_bits;
      break;
    case Dataflow::kOs:
      counters.act_read_bits += row_words * act_bits;
      counters.weight_read_bits += col_words * weight_bits;
      written = first = used_pes;
      break;
  }
  counters.acc_write_bits += written * acc_bits;
  counters.acc_read_bits += (written - (array.accumulate ? 0 : first)) * acc_bits;
}

void count_vector(const Program& program, const LayerPlan& plan, const VectorCommand& vector,
                  Counters& counters) {
  const auto acc_bits = static_cast<std::uint64_t>(program.machine.array.acc_bits);
  if (!plan.width_groups.empty()) counters.acc_read_bits += tile_sums(vector.tile) * acc_bits;
  counters.act_read_bits += vector.act_read_bits;
  counters.out_read_bits += vector.out_read_bits;
  counters.out_write_bits += vector.out_write_bits;
  counters.vector_element_ops += vector.elements * vector.passes;
}

}  // namespace

void count_command(const Program& program, const Command& command, Counters& counters) {
  const LayerPlan& plan = program.layers[command.layer];
  switch (command.unit) {
    case Unit::kDma:
      return count_dma(program, program.dma[command.payload], counters);
    case Unit::kArray:
      return count_array(program, plan, program.array[command.payload], counters);
    case Unit::kVector:
      return count_vector(program, plan, program.vector[command.payload], counters);
  }
}

}  // namespace bitpulse
