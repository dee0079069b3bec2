// SPDX-License-Identifier: Apache-2.0
#include "sim/report/occupancy.h"

#include <algorithm>
#include <map>

namespace bitpulse {
namespace {

/// What a buffer holds while commands are replayed in program order.
class BufferReplay {
 public:
  /// A block of `bits` from `begin` on; ends whatever stood there.
  void write(std::uint64_t begin, std::uint64_t bits, std::uint64_t cycle) {
    if (bits == 0) return;
    const std::uint64_t end = begin + bits;
    auto it = live_.upper_bound(begin);
    if (it != live_.begin() && std::prev(it)->second.end > begin) --it;
    while (it != live_.end() && it->first < end) {
      close(it->second, it->first);
      it = live_.erase(it);
    }
    live_[begin] = {end, cycle, cycle};
  }

  /// The blocks from `begin` up to `end` are needed until `cycle`.
  void read(std::uint64_t begin, std::uint64_t end, std::uint64_t cycle) {
    auto it = live_.upper_bound(begin);
    if (it != live_.begin()) --it;
    for (; it != live_.end() && it->first < end; ++it) {
      if (it->second.end > begin) it->second.until = std::max(it->second.until, cycle);
    }
  }

  /// A block that is known whole only when it leaves: written from `since` to `until`.
  void hold(std::uint64_t bits, std::uint64_t since, std::uint64_t until) {
    close({bits, since, until}, 0);
  }

  std::vector<OccupancyStep> steps() {
    for (const auto& [begin, block] : live_) close(block, begin);
    live_.clear();
    std::vector<OccupancyStep> steps;
    std::int64_t bits = 0;
    for (const auto& [cycle, change] : changes_) {
      bits += change;
      if (change != 0) steps.push_back({cycle, static_cast<std::uint64_t>(bits)});
    }
    return steps;
  }

 private:
  struct Block {
    std::uint64_t end = 0, since = 0, until = 0;
  };

  void close(const Block& block, std::uint64_t begin) {
    if (block.until == block.since) return;
    const auto bits = static_cast<std::int64_t>(block.end - begin);
    changes_[block.since] += bits;
    changes_[block.until] -= bits;
  }

  std::map<std::uint64_t, Block> live_;            // by first bit
  std::map<std::uint64_t, std::int64_t> changes_;  // by cycle
};

/// How long each tensor kept in the activation buffer is needed: from the first move into it to the
/// last command that reads it.
class KeptTensors {
 public:
  explicit KeptTensors(const Program& program) : program_(program), spans_(program.kept.size()) {}

  /// Whether a command of `layer` that uses the activation buffer at `act_bit` uses a kept tensor.
  bool use(std::uint32_t layer, std::uint64_t act_bit, CommandTime time) {
    const KeptTensor* tensor = program_.kept_at(layer, act_bit);
    if (tensor == nullptr) return false;
    CommandTime& span = spans_[static_cast<std::size_t>(tensor - program_.kept.data())];
    if (span.finish == 0) span.start = time.start;
    span.finish = std::max(span.finish, time.finish);
    return true;
  }

  void hold_in(BufferReplay& act) const {
    for (std::size_t i = 0; i < spans_.size(); ++i) {
      act.hold(program_.kept[i].bits, spans_[i].start, spans_[i].finish);
    }
  }

 private:
  const Program& program_;
  std::vector<CommandTime> spans_;
};

std::uint64_t extent(const DmaPattern& pattern) {
  return (pattern.rows - 1) * pattern.buffer_row_stride +
         (pattern.runs - 1) * pattern.buffer_run_stride + pattern.run_bits;
}

std::size_t index(Buffer buffer) { return static_cast<std::size_t>(buffer); }

}  // namespace

std::vector<std::vector<OccupancyStep>> buffer_occupancy(const Program& program,
                                                         const std::vector<CommandTime>& times) {
  std::vector<BufferReplay> buffers(3);
  BufferReplay& act = buffers[index(Buffer::kAct)];
  BufferReplay& out = buffers[index(Buffer::kOut)];
  KeptTensors kept(program);
  // Output tiles that wait for their store: first bit, start of the first command that writes it.
  std::map<std::uint64_t, std::uint64_t> written;
  // A reader names where its block begins; blocks are loaded whole, so one bit finds them.
  for (std::size_t id = 0; id < program.commands.size(); ++id) {
    const Command& command = program.commands[id];
    const CommandTime time = times[id];
    switch (command.unit) {
      case Unit::kDma: {
        const DmaCommand& dma = program.dma[command.payload];
        if (dma.pattern_count == 0) break;
        std::uint64_t begin = ~std::uint64_t{0}, end = 0;
        for (std::uint32_t i = 0; i < dma.pattern_count; ++i) {
          const DmaPattern& pattern = program.patterns[dma.first_pattern + i];
          if (dma.on_chip) kept.use(command.layer, pattern.dram_bit, time);
          begin = std::min(begin, pattern.buffer_bit);
          end = std::max(end, pattern.buffer_bit + extent(pattern));
        }
        BufferReplay& buffer = buffers[index(dma.buffer)];
        if (dma.is_store) {
          const auto first = written.lower_bound(begin), last = written.lower_bound(end);
          std::uint64_t since = time.start;
          for (auto it = first; it != last; ++it) since = std::min(since, it->second);
          buffer.hold(end - begin, since, time.finish);
          written.erase(first, last);
        } else {
          buffer.write(begin, end - begin, time.start);
          buffer.read(begin, end, time.finish);
        }
        break;
      }
      case Unit::kArray: {
        const ArrayCommand& array = program.array[command.payload];
        if (!kept.use(command.layer, array.act.buffer_bit, time)) {
          act.read(array.act.buffer_bit, array.act.buffer_bit + 1, time.finish);
        }
        buffers[index(Buffer::kWeight)].read(array.weight_bit, array.weight_bit + 1, time.finish);
        break;
      }
      case Unit::kVector: {
        const VectorCommand& vector = program.vector[command.payload];
        if (vector.act_read_bits > 0 && !kept.use(command.layer, vector.input.buffer_bit, time)) {
          act.read(vector.input.buffer_bit, vector.input.buffer_bit + 1, time.finish);
        }
        if (vector.out_read_bits > 0) {
          out.read(vector.identity.buffer_bit, vector.identity.buffer_bit + 1, time.finish);
        }
        for (std::uint32_t i = 0; i < vector.output_count; ++i) {
          written.try_emplace(program.outputs[vector.first_output + i].buffer_bit, time.start);
        }
        break;
      }
    }
  }
  kept.hold_in(act);
  std::vector<std::vector<OccupancyStep>> steps;
  steps.reserve(buffers.size());
  for (BufferReplay& buffer : buffers) steps.push_back(buffer.steps());
  return steps;
}

}  // namespace bitpulse
