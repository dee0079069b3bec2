// SPDX-License-Identifier: Apache-2.0
#include "sim/timeline.h"

#include <algorithm>

#include "models/error.h"

namespace bitpulse {
namespace {

std::size_t index(Unit unit) { return static_cast<std::size_t>(unit); }

/// Cycles in which a fold of the nest streams; the rest of its time is preload, fill and drain.
std::uint64_t stream_cycles(const FoldNest& nest, const ArraySpec& array) {
  const auto folds = [](std::uint64_t extent, std::uint64_t size) {
    return (extent + size - 1) / size;
  };
  return nest.repeats * folds(nest.cols_extent, array.cols) * folds(nest.rows_extent, array.rows) *
         nest.passes * nest.stream;
}

std::string describe(const Program& program, std::size_t id) {
  const Command& command = program.commands[id];
  return "command " + std::to_string(id) + " (" + kUnitNames[index(command.unit)] + ", layer \"" +
         program.layers[command.layer].name + "\")";
}

[[noreturn]] void fail(const std::string& text) {
  throw Error(ErrorKind::kInternal, "timeline: " + text);
}

/// Unit of the predecessor that finishes last, the lowest id on ties.
Unit stall_cause(const Program& program, const std::vector<CommandTime>& times, std::size_t id) {
  const Command& command = program.commands[id];
  CommandId cause = 0;
  std::uint64_t latest = 0;
  for (std::uint32_t i = 0; i < command.predecessor_count; ++i) {
    const CommandId predecessor = program.predecessors[command.first_predecessor + i];
    const std::uint64_t finish = times[predecessor].finish;
    if (finish > latest || (finish == latest && predecessor < cause)) {
      latest = finish;
      cause = predecessor;
    }
  }
  if (latest != times[id].start) {
    fail(describe(program, id) + " starts at " + std::to_string(times[id].start) +
         " after a gap, but its last predecessor finishes at " + std::to_string(latest));
  }
  return program.commands[cause].unit;
}

}  // namespace

// A unit's commands in queue order start in that order, so one sweep keeps what is covered: up to
// `covered` every cycle of the unit is busy or a stall.
Timeline account(const Program& program, const std::vector<CommandTime>& times) {
  Timeline timeline;
  timeline.layers.resize(program.layers.size());
  std::vector<std::uint64_t> last_finish(program.layers.size(), 0);
  std::array<std::uint64_t, kUnitCount> covered{}, last_start{};

  for (std::size_t id = 0; id < program.commands.size(); ++id) {
    const Command& command = program.commands[id];
    const std::size_t unit = index(command.unit);
    const CommandTime time = times[id];
    if (time.finish < time.start || time.start < last_start[unit]) {
      fail(describe(program, id) + " runs from " + std::to_string(time.start) + " to " +
           std::to_string(time.finish) + ", its queue's last start was " +
           std::to_string(last_start[unit]));
    }
    last_start[unit] = time.start;
    LayerTimeline& layer = timeline.layers[command.layer];
    if (command.unit == Unit::kArray) {
      layer.stream_cycles +=
          stream_cycles(program.array[command.payload].nest, program.machine.array);
    }
    if (time.start > covered[unit]) {
      const std::size_t cause = index(stall_cause(program, times, id));
      layer.stall[unit][cause] += time.start - covered[unit];
      timeline.stalled[unit] += time.start - covered[unit];
      covered[unit] = time.start;
    }
    if (time.finish > covered[unit]) {
      const std::uint64_t busy = time.finish - covered[unit];
      timeline.busy[unit] += busy;
      if (command.unit == Unit::kArray) layer.array_cycles += busy;
      covered[unit] = time.finish;
    }
    last_finish[command.layer] = std::max(last_finish[command.layer], time.finish);
  }

  for (std::size_t l = 0; l < timeline.layers.size(); ++l) {
    const std::uint64_t before = timeline.cycles;
    timeline.cycles = std::max(timeline.cycles, last_finish[l]);
    timeline.layers[l].cycles = timeline.cycles - before;
  }
  for (std::size_t u = 0; u < kUnitCount; ++u) timeline.idle[u] = timeline.cycles - covered[u];
  return timeline;
}

}  // namespace bitpulse
