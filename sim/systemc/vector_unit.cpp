// SPDX-License-Identifier: Apache-2.0
#include "sim/systemc/vector_unit.h"

#include <string>

#include "models/error.h"
#include "sim/systemc/gemm_layer.h"

namespace bitpulse {
namespace {

constexpr std::uint64_t kPipelineDepth = 4;

}  // namespace

void VectorUnit::reset_unit() {
  math_.reset();
  check_.reset(run().has_values() ? backend_ : nullptr, *run().program);
  math_.set_record(check_.active() ? &record_ : nullptr);
}

std::uint64_t VectorUnit::issue(CommandId id) {
  const Program& program = *run().program;
  const VectorCommand& command = program.vector[run().command(id).payload];
  const std::uint64_t start = run().cycle(), lanes = program.machine.vector.lanes;
  const std::uint64_t finish =
      start + kPipelineDepth + command.passes * ((command.elements + lanes - 1) / lanes);

  Counters& counters = run().counters_of(id);
  counters.vector_element_ops += command.elements * command.passes;
  if (!program.layers[run().command(id).layer].width_groups.empty()) {
    const GemmTile& t = command.tile;
    counters.acc_read_bits +=
        static_cast<std::uint64_t>(t.groups.size() * t.m.size() * t.n.size()) *
        static_cast<std::uint64_t>(program.machine.array.acc_bits);
  }
  counters.act_read_bits += command.act_read_bits;
  counters.out_read_bits += command.out_read_bits;
  counters.out_write_bits += command.out_write_bits;
  finish_ = finish;
  run_at(id, {start, finish});
  return start;
}

void VectorUnit::begin(CommandId id) {
  if (!run().has_values()) return;
  const Program& program = *run().program;
  const VectorCommand& command = program.vector[run().command(id).payload];
  const LayerPlan& plan = program.layers[run().command(id).layer];
  const IntegerLayer& layer = run().layer_of(id);
  const std::uint64_t now = run().cycle();
  Counters& counters = run().counters_of(id);
  const auto claim = [&](sc_core::sc_port<BufferIf>& buffer, std::uint64_t begin,
                         std::uint64_t bits, bool writes) {
    std::uint8_t* bytes = buffer->bytes(begin, begin + bits, id);
    buffer->claim({begin, begin + bits, writes, id, now, finish_});
    return bytes;
  };

  VectorOperands operands;
  operands.outputs = program.outputs.data() + command.first_output;
  if (std::holds_alternative<GemmOp>(layer.op)) {
    const GemmLayer gemm(*run().network, plan, command.tile.width_group);
    sums->claim({command.acc_offset, command.acc_offset + gemm.sums(command.tile), false, id, now,
                 finish_});
    AccTile& tile = sums->read(id, command.acc_offset, command.tile);
    operands.sums = &tile.sums;
    for (const SumTile& s : tile.sums) counters.overflow_final += s.final_overflows();
  } else {
    operands.act = claim(act, command.input.buffer_bit,
                         VectorMath::input_bits(*run().network, layer, command), false);
  }
  if (layer.residual) {
    operands.out = claim(out, command.identity.buffer_bit,
                         VectorMath::identity_bits(*run().network, layer, command), false);
  }
  for (std::size_t i = 0; i < layer.stores.size(); ++i) {
    operands.out = claim(
        out, operands.outputs[i].buffer_bit,
        VectorMath::output_bits(*run().network, layer, command, operands.outputs[i], i), true);
  }
  const VectorCounts counts = math_.run(*run().network, plan, command, operands);
  counters.saturations += counts.saturations;
  if (counts.act_read_bits != command.act_read_bits ||
      counts.out_read_bits != command.out_read_bits ||
      counts.out_write_bits != command.out_write_bits) {
    throw Error(ErrorKind::kInternal,
                "vector: command " + std::to_string(id) + " moves " +
                    std::to_string(counts.act_read_bits) + ", " +
                    std::to_string(counts.out_read_bits) + " and " +
                    std::to_string(counts.out_write_bits) +
                    " bits (input, identity, outputs), its program says otherwise");
  }
  if (check_.active()) {
    record_.job.id = id;
    record_.outcome.cycles = finish_ - now;
    check_.run(record_.job, record_.outcome);
  }
}

}  // namespace bitpulse
