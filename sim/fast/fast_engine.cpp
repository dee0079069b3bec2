// SPDX-License-Identifier: Apache-2.0
#include "sim/fast/fast_engine.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <limits>

#include "models/error.h"
#include "sim/fast/command_counters.h"
#include "sim/fast/unit_timers.h"

namespace bitpulse {
namespace {

constexpr std::uint64_t kPending = std::numeric_limits<std::uint64_t>::max();

/// Times depend on queue order and predecessors only. The commands of a compiled program come after
/// their predecessors and are executed one by one; where one does not, the three queues go on, each
/// while its head is ready, however far the others lag behind.
class QueueRun {
 public:
  /// `counters`, where given, takes what each layer does.
  QueueRun(const Program& program, std::vector<CommandTime>& times, std::vector<Counters>* counters)
      : program_(program),
        times_(times),
        counters_(counters),
        units_(program.machine),
        count_(static_cast<CommandId>(program.commands.size())) {}

  /// Fills `times`; returns the last finish.
  std::uint64_t run() {
    times_.assign(count_, {0, kPending});
    std::uint64_t ready = 0;
    CommandId first = 0;
    while (first < count_ && is_ready(program_.commands[first], ready)) execute(first++, ready);
    for (int u = 0; u < kUnitCount; ++u) head_[u] = next(u, first);
    for (bool progress = true; progress;) {
      progress = false;
      for (int u = 0; u < kUnitCount; ++u) {
        while (head_[u] < count_ && is_ready(program_.commands[head_[u]], ready)) {
          execute(head_[u], ready);
          head_[u] = next(u, head_[u] + 1);
          progress = true;
        }
      }
    }
    const CommandId blocked = *std::min_element(head_.begin(), head_.end());
    if (blocked < count_) fail_blocked(blocked);
    return last_finish_;
  }

 private:
  CommandId next(int unit, CommandId from) const {
    while (from < count_ && static_cast<int>(program_.commands[from].unit) != unit) ++from;
    return from;
  }

  /// Whether all predecessors have finished; `ready` is then the latest finish.
  bool is_ready(const Command& command, std::uint64_t& ready) const {
    ready = 0;
    const CommandId* predecessor = program_.predecessors.data() + command.first_predecessor;
    for (std::uint32_t i = 0; i < command.predecessor_count; ++i) {
      ready = std::max(ready, times_[predecessor[i]].finish);
    }
    return ready != kPending;
  }

  void execute(CommandId id, std::uint64_t ready) {
    const Command& command = program_.commands[id];
    const DramEvents before = units_.dram_events();
    times_[id] = units_.issue(program_, command, ready);
    last_finish_ = std::max(last_finish_, times_[id].finish);
    if (counters_ == nullptr) return;
    Counters& counters = (*counters_)[command.layer];
    count_command(program_, command, counters);
    const DramEvents events = units_.dram_events() - before;
    counters.dram_activates += events.activates;
    counters.dram_row_hits += events.row_hits;
    counters.dram_refreshes += events.refreshes;
  }

  [[noreturn]] void fail_blocked(CommandId blocked) const {
    const auto describe = [this](CommandId id) {
      const Command& command = program_.commands[id];
      return "command " + std::to_string(id) + " (" + kUnitNames[static_cast<int>(command.unit)] +
             ", layer \"" + program_.layers[command.layer].name + "\")";
    };
    const Command& command = program_.commands[blocked];
    const auto first = program_.predecessors.begin() + command.first_predecessor;
    const CommandId awaited =
        *std::find_if(first, first + command.predecessor_count,
                      [this](CommandId id) { return times_[id].finish == kPending; });
    throw Error(ErrorKind::kInternal, "fast: no command can make progress; " + describe(blocked) +
                                          " waits for " + describe(awaited) +
                                          ", which never finishes");
  }

  const Program& program_;
  std::vector<CommandTime>& times_;
  std::vector<Counters>* counters_;
  UnitTimers units_;
  CommandId count_;
  std::array<CommandId, kUnitCount> head_{};
  std::uint64_t last_finish_ = 0;
};

}  // namespace

RunResult FastEngine::run(const Program& program, const Operands&) {
  RunResult result;
  result.layers.resize(program.layers.size());
  QueueRun(program, result.times, &result.layers).run();
  return result;
}

std::uint64_t FastEngine::cycles(const Program& program) {
  std::vector<CommandTime> times;
  return QueueRun(program, times, nullptr).run();
}

std::unique_ptr<CommandTimer> FastEngine::timer(const Machine& machine) {
  return std::make_unique<UnitTimers>(machine);
}

}  // namespace bitpulse
