// SPDX-License-Identifier: Apache-2.0
#include "sim/systemc/array.h"

#include <algorithm>

namespace bitpulse {
namespace {

/// Bits a fold reads from the two operand buffers and moves at accumulator memory (sim/counters.h).
void count_fold(const Fold& fold, const ArraySpec& spec, const PeMode& mode, bool accumulate,
                Counters& counters) {
  const std::uint64_t rows = fold.rows, cols = fold.cols;
  const auto stream = static_cast<std::uint64_t>(fold.stream);
  const auto act_word = static_cast<std::uint64_t>(mode.lanes * mode.act_digit_bits);
  const auto weight_word = static_cast<std::uint64_t>(mode.lanes * mode.weight_digit_bits);
  const bool os = spec.dataflow == Dataflow::kOs, is = spec.dataflow == Dataflow::kIs;

  const std::uint64_t left_words = stream * rows;
  const std::uint64_t top_words = os ? stream * cols : rows * cols;
  counters.act_read_bits += (is ? top_words : left_words) * act_word;
  counters.weight_read_bits += (is ? left_words : top_words) * weight_word;

  const std::uint64_t sum_bits =
      (os ? rows : stream) * cols * static_cast<std::uint64_t>(spec.acc_bits);
  counters.acc_write_bits += sum_bits;
  if (accumulate || !fold.opens_sums) counters.acc_read_bits += sum_bits;

  counters.pe_cycles_used += stream * rows * cols;
  ++counters.folds;
}

}  // namespace

void ArrayUnit::reset_unit() {
  wavefront_.emplace(run().program->machine.array);
  act_tiles_.reset();
  weight_tiles_.reset();
}

std::uint64_t ArrayUnit::issue(CommandId id) {
  const ArrayCommand& command = run().program->array[run().command(id).payload];
  const CommandTime time = place(id, command);
  if (run().has_values()) claim_memories(id, command, time);
  run_at(id, time);
  return time.start;
}

CommandTime ArrayUnit::place(CommandId id, const ArrayCommand& command) {
  const Program& program = *run().program;
  const ArraySpec& spec = program.machine.array;
  const LayerPlan& plan = program.layers[run().command(id).layer];
  const WidthGroup& group = plan.width_groups[command.tile.width_group];
  Counters& counters = run().counters_of(id);
  counters.macs[{plan.act_bits, group.weight_bits}] += command.macs;

  const auto ready = static_cast<std::int64_t>(run().cycle());
  bool first = true;
  CommandTime time;
  for_each_fold(command.nest, spec, [&](const Fold& fold) {
    const FoldTime placed = wavefront_->place(fold, ready);
    if (first) time.start = static_cast<std::uint64_t>(placed.start);
    first = false;
    time.finish = std::max(time.finish, static_cast<std::uint64_t>(placed.finish));
    count_fold(fold, spec, group.mode, command.accumulate, counters);
  });
  return time;
}

void ArrayUnit::claim_memories(CommandId id, const ArrayCommand& command, CommandTime time) {
  const GemmLayer layer = gemm_layer(id, command);
  const auto claim = [&](auto& memory, std::uint64_t begin, std::uint64_t size, bool writes) {
    memory->claim({begin, begin + size, writes, id, time.start, time.finish});
  };
  claim(act, command.act.buffer_bit, layer.region_bits(command.act), false);
  claim(weight, command.weight_bit, layer.weight_bits(command.tile), false);
  claim(sums, command.acc_offset, layer.sums(command.tile), true);
}

void ArrayUnit::begin(CommandId id) {
  if (!run().has_values()) return;
  const ArrayCommand& command = run().program->array[run().command(id).payload];
  const GemmLayer layer = gemm_layer(id, command);
  const std::uint32_t plan = run().command(id).layer;
  const std::uint64_t act_end = command.act.buffer_bit + layer.region_bits(command.act);
  const std::uint64_t weight_end = command.weight_bit + layer.weight_bits(command.tile);
  const std::vector<WeightTile>& weights =
      weight_tiles_.get(layer, plan, command, weight->bytes(command.weight_bit, weight_end, id),
                        weight->stamp(command.weight_bit, weight_end));
  const std::vector<ActRows>& rows = act_tiles_.get(layer, plan, command, weights.front(),
                                                    act->bytes(command.act.buffer_bit, act_end, id),
                                                    act->stamp(command.act.buffer_bit, act_end));

  AccTile& tile = sums->write(id, command.acc_offset, command.tile, command.accumulate,
                              layer.sum_tiles(command.tile));
  std::uint64_t& overflows = run().counters_of(id).overflow_intermediate;
  for (std::size_t i = 0; i < tile.sums.size(); ++i) {
    SumTile& s = tile.sums[i];
    if (!command.accumulate) s.reset(command.tile.m.size(), weights[i].n());
    const std::uint64_t before = s.intermediate_overflows();
    s.accumulate(weights[i], rows[i]);
    overflows += s.intermediate_overflows() - before;
  }
}

GemmLayer ArrayUnit::gemm_layer(CommandId id, const ArrayCommand& command) const {
  return GemmLayer(*run().network, run().program->layers[run().command(id).layer],
                   command.tile.width_group);
}

}  // namespace bitpulse
