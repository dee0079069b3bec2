// SPDX-License-Identifier: Apache-2.0
#include "sim/timeline.h"

#include <algorithm>
#include <utility>

#include "models/error.h"

namespace bitpulse {
namespace {

std::size_t index(Unit unit) { return static_cast<std::size_t>(unit); }

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

std::uint64_t UnitCycles::streams(const FoldNest& nest, const ArraySpec& array) {
  const auto folds = [](std::uint64_t extent, std::uint64_t size) {
    return (extent + size - 1) / size;
  };
  return nest.repeats * folds(nest.cols_extent, array.cols) * folds(nest.rows_extent, array.rows) *
         nest.passes * nest.stream;
}

Timeline account(const Program& program, const std::vector<CommandTime>& times) {
  std::vector<LayerTimeline> layers(program.layers.size());
  std::vector<std::uint64_t> last_finish(program.layers.size(), 0);
  UnitCycles units;
  std::array<std::uint64_t, kUnitCount> last_start{};

  for (std::size_t id = 0; id < program.commands.size(); ++id) {
    const Command& command = program.commands[id];
    std::uint64_t& last = last_start[index(command.unit)];
    const CommandTime time = times[id];
    if (time.finish < time.start || time.start < last) {
      fail(describe(program, id) + " runs from " + std::to_string(time.start) + " to " +
           std::to_string(time.finish) + ", its queue's last start was " + std::to_string(last));
    }
    last = time.start;
    units.add(program, command, time, layers[command.layer],
              [&] { return stall_cause(program, times, id); });
    last_finish[command.layer] = std::max(last_finish[command.layer], time.finish);
  }

  std::uint64_t end = 0;
  for (std::size_t l = 0; l < layers.size(); ++l) {
    layers[l].cycles = std::max(end, last_finish[l]) - end;
    end += layers[l].cycles;
  }
  return make_timeline(units, std::move(layers));
}

Timeline make_timeline(const UnitCycles& units, std::vector<LayerTimeline> layers) {
  Timeline timeline;
  for (const LayerTimeline& layer : layers) timeline.cycles += layer.cycles;
  timeline.busy = units.busy;
  timeline.stalled = units.stalled;
  for (std::size_t u = 0; u < kUnitCount; ++u)
    timeline.idle[u] = timeline.cycles - units.covered[u];
  timeline.layers = std::move(layers);
  return timeline;
}

}  // namespace bitpulse
