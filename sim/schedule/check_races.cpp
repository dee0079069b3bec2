// SPDX-License-Identifier: Apache-2.0
#include "sim/schedule/check_races.h"

#include <algorithm>
#include <array>

#include "sim/schedule/layer_plan.h"
#include "sim/schedule/layer_shape.h"
#include "sim/schedule/regions.h"
#include "sim/schedule/tiling.h"

namespace bitpulse {

namespace {

/// The memories on the chip; sums count in units of acc_bits.
enum Memory : std::size_t { kActMemory, kWeightMemory, kOutMemory, kSumMemory, kMemoryCount };
constexpr const char* kMemoryNames[] = {"act buffer", "weight buffer", "out buffer",
                                        "accumulators"};

struct Access {
  CommandId command = 0;
  std::uint64_t begin = 0, end = 0;
  bool writes = false;
};

class BufferCheck {
 public:
  BufferCheck(const Program& program, const IntegerNetwork& network,
              std::vector<std::string>& violations)
      : program_(program), network_(network), order_(program), violations_(violations) {
    const Footprint half = half_capacity(program.machine);
    half_[kActMemory] = static_cast<std::uint64_t>(half.act);
    half_[kWeightMemory] = static_cast<std::uint64_t>(half.weight);
    half_[kOutMemory] = static_cast<std::uint64_t>(half.out);
    half_[kSumMemory] = static_cast<std::uint64_t>(half.sums);
  }

  void run() {
    for (CommandId id = 0; id < program_.commands.size(); ++id) {
      const Command& command = program_.commands[id];
      switch (command.unit) {
        case Unit::kDma:
          dma(id, program_.dma[command.payload]);
          break;
        case Unit::kArray:
          array(id, program_.array[command.payload]);
          break;
        case Unit::kVector:
          vector(id, program_.vector[command.payload]);
          break;
      }
    }
  }

 private:
  void dma(CommandId id, const DmaCommand& command) {
    constexpr Memory kOf[] = {kActMemory, kWeightMemory, kOutMemory};
    for (std::uint32_t i = 0; i < command.pattern_count; ++i) {
      const DmaPattern& p = program_.patterns[command.first_pattern + i];
      const std::uint64_t size =
          (p.rows - 1) * p.buffer_row_stride + (p.runs - 1) * p.buffer_run_stride + p.run_bits;
      access(id, kOf[static_cast<std::size_t>(command.buffer)], p.buffer_bit, size,
             !command.is_store);
      if (!command.on_chip) continue;
      const std::uint64_t far_size =
          (p.rows - 1) * p.dram_row_stride + (p.runs - 1) * p.dram_run_stride + p.run_bits;
      if (program_.kept_at(program_.commands[id].layer, p.dram_bit) == nullptr) {
        violations_.push_back(name(id) + " moves to or from no kept tensor");
      }
      access(id, kActMemory, p.dram_bit, far_size, command.is_store);
    }
  }

  void array(CommandId id, const ArrayCommand& command) {
    const LayerPlan& plan = program_.layers[program_.commands[id].layer];
    const LayerShape shape = layer_shape(network_, network_.layers[plan.layer], program_.batch);
    const WidthGroup& group = plan.width_groups[command.tile.width_group];
    const GemmTile& t = command.tile;
    access(id, kActMemory, command.act.buffer_bit,
           static_cast<std::uint64_t>(region_bits(command.act, shape.in.bits)), false);
    const std::int64_t codes = codes_before(shape, group.mode.lanes, t.k.end) -
                               codes_before(shape, group.mode.lanes, t.k.begin);
    access(id, kWeightMemory, command.weight_bit,
           static_cast<std::uint64_t>(
               byte_aligned(t.groups.size() * t.n.size() * codes * group.weight_bits)),
           false);
    access(id, kSumMemory, command.acc_offset,
           static_cast<std::uint64_t>(t.groups.size() * t.m.size() * t.n.size()), true);
  }

  void vector(CommandId id, const VectorCommand& command) {
    const LayerPlan& plan = program_.layers[program_.commands[id].layer];
    const LayerShape shape = layer_shape(network_, network_.layers[plan.layer], program_.batch);
    const GemmTile& t = command.tile;
    if (shape.is_gemm) {
      access(id, kSumMemory, command.acc_offset,
             static_cast<std::uint64_t>(t.groups.size() * t.m.size() * t.n.size()), false);
    } else {
      access(id, kActMemory, command.input.buffer_bit,
             static_cast<std::uint64_t>(region_bits(command.input, shape.in.bits)), false);
    }
    if (shape.has_identity) {
      access(id, kOutMemory, command.identity.buffer_bit,
             static_cast<std::uint64_t>(t.m.size() * byte_aligned(command.identity.channels.size() *
                                                                  shape.identity.tensor.bits)),
             false);
    }
    for (std::size_t i = 0; i < shape.stores.size(); ++i) {
      const OutputTile& out = program_.outputs[command.first_output + i];
      access(id, kOutMemory, out.buffer_bit,
             static_cast<std::uint64_t>(
                 t.m.size() * byte_aligned(out.channels.size() * shape.stores[i].tensor.bits)),
             true);
    }
  }

  void access(CommandId id, Memory memory, std::uint64_t begin, std::uint64_t size, bool writes) {
    if (size == 0) return;
    const std::uint64_t end = begin + size;
    if (!stands_in_place(id, memory, begin, end)) {
      violations_.push_back(name(id) + " leaves its half of the " + kMemoryNames[memory]);
    }
    std::vector<Access>& past = accesses_[memory];
    for (const Access& other : past) {
      if (other.command == id || other.end <= begin || end <= other.begin) continue;
      if (!writes && !other.writes) continue;
      if (memory == kOutMemory && same_output(other, id)) continue;
      if (memory == kSumMemory && adds_behind(other, id)) continue;
      if (order_.finished(other.command, id)) continue;
      violations_.push_back(name(id) + " may meet " + name(other.command) + " in the " +
                            kMemoryNames[memory]);
    }
    if (writes && memory != kSumMemory) {  // sums: K tiles add up, the reader waits for all
      past.erase(std::remove_if(
                     past.begin(), past.end(),
                     [&](const Access& other) { return begin <= other.begin && other.end <= end; }),
                 past.end());
    }
    past.push_back({id, begin, end, writes});
  }

  /// Inside a kept tensor, or inside one of the halves of what is left for tiles.
  bool stands_in_place(CommandId id, Memory memory, std::uint64_t begin, std::uint64_t end) const {
    const std::uint32_t layer = program_.commands[id].layer;
    const std::uint64_t kept = memory == kActMemory ? kept_bits(program_.kept, layer) : 0;
    if (begin < kept) {
      const KeptTensor* tensor = program_.kept_at(layer, begin);
      return tensor != nullptr && end <= tensor->end();
    }
    const std::uint64_t half = half_[memory] - kept / 2;
    return end - kept <= half * (begin - kept >= half ? 2 : 1);
  }

  /// K tiles of one output tile meet in order: each adds behind the stream of the one before.
  bool adds_behind(const Access& other, CommandId id) const {
    const Command& a = program_.commands[other.command];
    const Command& b = program_.commands[id];
    return a.unit == Unit::kArray && b.unit == Unit::kArray && program_.array[b.payload].accumulate;
  }

  /// Vector commands that gather one output tile write different channels of it, one by one.
  bool same_output(const Access& other, CommandId id) const {
    const Command& a = program_.commands[other.command];
    const Command& b = program_.commands[id];
    return a.unit == Unit::kVector && b.unit == Unit::kVector &&
           program_.vector[a.payload].first_output == program_.vector[b.payload].first_output;
  }

  static std::string name(CommandId id) { return "command " + std::to_string(id); }

  const Program& program_;
  const IntegerNetwork& network_;
  HappensBefore order_;
  std::vector<std::string>& violations_;
  std::array<std::uint64_t, kMemoryCount> half_{};
  std::array<std::vector<Access>, kMemoryCount> accesses_;
};

}  // namespace

HappensBefore::HappensBefore(const Program& program)
    : words_((program.commands.size() + 63) / 64), bits_(words_ * program.commands.size()) {
  std::array<std::vector<CommandId>, kUnitCount> queue;
  const auto nest = [&](CommandId id) -> const FoldNest& {
    return program.array[program.commands[id].payload].nest;
  };
  for (CommandId id = 0; id < program.commands.size(); ++id) {
    const Command& command = program.commands[id];
    std::vector<CommandId>& before = queue[static_cast<std::size_t>(command.unit)];
    const bool in_order = command.unit != Unit::kArray || !program.machine.array.overlap;
    if (!before.empty()) {
      if (in_order) {
        include(id, before.back());
      } else {  // the one before has started: what it waited for has finished
        for (std::size_t w = 0; w < words_; ++w) {
          bits_[id * words_ + w] |= bits_[before.back() * words_ + w];
        }
      }
    }
    for (std::uint32_t i = 0; i < command.predecessor_count; ++i) {
      const CommandId predecessor = program.predecessors[command.first_predecessor + i];
      include(id, predecessor);
      if (program.commands[predecessor].unit != Unit::kArray) continue;
      for (const CommandId earlier : queue[static_cast<std::size_t>(Unit::kArray)]) {
        if (earlier >= predecessor) break;
        if (finishes_after(program.machine.array, nest(earlier), nest(predecessor))) {
          include(id, earlier);
        }
      }
    }
    before.push_back(id);
  }
}

void HappensBefore::include(CommandId target, CommandId source) {
  for (std::size_t w = 0; w < words_; ++w) {
    bits_[target * words_ + w] |= bits_[source * words_ + w];
  }
  bits_[target * words_ + source / 64] |= std::uint64_t{1} << (source % 64);
}

void check_buffers(const Program& program, const IntegerNetwork& network,
                   std::vector<std::string>& violations) {
  BufferCheck(program, network, violations).run();
}

}  // namespace bitpulse
