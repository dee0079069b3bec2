// SPDX-License-Identifier: Apache-2.0
#include "sim/systemc/array.h"

#include <algorithm>
#include <string>

#include "models/error.h"
#include "sim/systemc/bits.h"

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

/// Activations and weights of a command as whole codes, for a backend.
ArrayJob make_job(CommandId id, const ArrayCommand& command, const GemmLayer& layer,
                  const std::vector<ActRows>& rows, const WeightTile& weights,
                  const std::uint8_t* weight_bytes) {
  const GemmTile& tile = command.tile;
  ArrayJob job{id, &command, &layer.group(), layer.spec(), layer.codes(tile.k), {}, {}};
  const std::int64_t groups = tile.groups.size(), m = tile.m.size();
  job.acts.resize(static_cast<std::size_t>(groups * m * job.codes));
  job.weights.resize(static_cast<std::size_t>(groups * tile.n.size() * job.codes));
  unpack_codes(weight_bytes, command.weight_bit, Precision{layer.group().weight_bits, true},
               static_cast<std::int64_t>(job.weights.size()), job.weights.data());

  // Rows of a depthwise tile hold [position][group].
  const bool depthwise = job.spec.depthwise;
  const std::int64_t step = depthwise ? groups : 1;
  std::int32_t* to = job.acts.data();
  for (std::int64_t g = 0; g < groups; ++g) {
    const ActRows& source = rows[static_cast<std::size_t>(depthwise ? 0 : g)];
    for (std::int64_t i = 0; i < m; ++i) {
      for (std::int64_t k = 0; k < job.codes; ++k) {
        const std::int64_t at = i * source.stride + k * step + (depthwise ? g : 0);
        const int code = weights.form() == RowForm::kBytes
                             ? static_cast<const std::uint8_t*>(source.data)[at]
                             : static_cast<const std::int16_t*>(source.data)[at];
        *to++ = code - weights.bias();
      }
    }
  }
  return job;
}

/// Accumulator memory of a tile as [group][m][n].
std::vector<std::int32_t> copy_sums(const AccTile& tile, std::int64_t groups) {
  const SumTile& first = tile.sums.front();
  const bool depthwise = tile.sums.size() == 1 && groups > 1;
  const std::int64_t n = depthwise ? 1 : first.n();
  std::vector<std::int32_t> sums;
  for (std::int64_t g = 0; g < groups; ++g) {
    const SumTile& s = depthwise ? first : tile.sums[static_cast<std::size_t>(g)];
    for (std::int64_t i = 0; i < s.rows(); ++i) {
      const std::int32_t* row = s.row(i) + (depthwise ? g : 0);
      sums.insert(sums.end(), row, row + n);
    }
  }
  return sums;
}

}  // namespace

ArrayUnit::ArrayUnit(const sc_core::sc_module_name& name) : UnitModule(name) {
  SC_METHOD(clock);
  sensitive << edge_;
  dont_initialize();
}

void ArrayUnit::reset_unit() {
  wavefront_.emplace(run().program->machine.array);
  check_.reset(run().has_values() ? backend_ : nullptr, *run().program);
  edge_.cancel();
  expected_.clear();
  act_tiles_.reset();
  weight_tiles_.reset();
}

std::uint64_t ArrayUnit::issue(CommandId id) {
  const ArrayCommand& command = run().program->array[run().command(id).payload];
  const CommandTime time = place(id, command);
  if (run().has_values()) claim_memories(id, command, time);
  if (check_.active()) expected_[id] = time;
  run_at(id, time);
  return time.start;
}

void ArrayUnit::clock() {
  try {
    check_.step();
  } catch (...) {
    completion->failed(std::current_exception());
    return;
  }
  if (check_.busy()) edge_.notify(cycles_to_time(1));
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
  const std::uint64_t macs =
      layer.sums(command.tile) * static_cast<std::uint64_t>(layer.codes(command.tile.k));
  if (macs != command.macs) {
    throw Error(ErrorKind::kInternal, "array: command " + std::to_string(id) + " forms " +
                                          std::to_string(macs) + " products, its program says " +
                                          std::to_string(command.macs));
  }
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
  std::uint64_t overflows = 0;
  for (std::size_t i = 0; i < tile.sums.size(); ++i) {
    SumTile& s = tile.sums[i];
    if (!command.accumulate) s.reset(command.tile.m.size(), weights[i].n());
    const std::uint64_t before = s.intermediate_overflows();
    s.accumulate(weights[i], rows[i]);
    overflows += s.intermediate_overflows() - before;
  }
  run().counters_of(id).overflow_intermediate += overflows;
  if (check_.active()) {
    const auto expected = expected_.find(id);
    check_.submit(make_job(id, command, layer, rows, weights.front(),
                           weight->bytes(command.weight_bit, weight_end, id)),
                  {id, expected->second, copy_sums(tile, command.tile.groups.size()), overflows},
                  run().cycle());
    expected_.erase(expected);
    // In the middle of the cycle: all commands that begin in it have begun by then.
    edge_.notify(cycles_to_time(1) / 2);
  }
}

GemmLayer ArrayUnit::gemm_layer(CommandId id, const ArrayCommand& command) const {
  return GemmLayer(*run().network, run().program->layers[run().command(id).layer],
                   command.tile.width_group);
}

}  // namespace bitpulse
