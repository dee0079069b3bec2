// SPDX-License-Identifier: Apache-2.0
#include "sim/fast/fast_engine.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <limits>
#include <optional>

#include "models/error.h"
#include "sim/fast/array_timer.h"
#include "sim/fast/command_counters.h"
#include "sim/memory/banked_dram.h"
#include "sim/memory/dma_runs.h"

namespace bitpulse {
namespace {

constexpr std::uint64_t kPending = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t kVectorDepth = 4;  // pipeline depth of the vector unit

std::uint64_t divide_up(std::uint64_t a, std::uint64_t b) { return (a + b - 1) / b; }

/// One pass over the three queues. Times depend on queue order and predecessors only, so a queue
/// runs on while its head is ready, however far the others lag behind.
class QueueRun {
 public:
  /// `dram_events`, where given, takes the events of each layer.
  QueueRun(const Program& program, std::vector<CommandTime>& times,
           std::vector<DramEvents>* dram_events)
      : program_(program),
        times_(times),
        dram_events_(dram_events),
        array_(program.machine.array),
        count_(static_cast<CommandId>(program.commands.size())) {
    if (program.machine.dram.model == DramModel::kBanked) {
      dram_.emplace(program.machine.dram.timing, program.machine.clock_mhz);
    }
  }

  /// Fills `times`; returns the last finish.
  std::uint64_t run() {
    times_.assign(count_, {0, kPending});
    for (int u = 0; u < kUnitCount; ++u) head_[u] = next(u, 0);
    for (bool progress = true; progress;) {
      progress = false;
      for (int u = 0; u < kUnitCount; ++u) {
        std::uint64_t ready = 0;
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
    CommandTime& time = times_[id];
    switch (command.unit) {
      case Unit::kArray:
        time = array_.issue(program_.array[command.payload].nest, ready);
        break;
      case Unit::kDma:
        time.start = std::max(ready, dma_free_);
        dma_free_ = time.finish = transfer(command, time.start);
        break;
      case Unit::kVector: {
        const VectorCommand& vector = program_.vector[command.payload];
        time.start = std::max(ready, vector_free_);
        vector_free_ = time.finish =
            time.start + kVectorDepth +
            vector.passes * divide_up(vector.elements, program_.machine.vector.lanes);
        break;
      }
    }
    last_finish_ = std::max(last_finish_, time.finish);
  }

  std::uint64_t transfer(const Command& command, std::uint64_t start) {
    const DmaCommand& dma = program_.dma[command.payload];
    if (dma.on_chip) {
      return start + divide_up(dma.bytes, on_chip_bytes_per_cycle(program_.machine.array));
    }
    if (!dram_) {
      const DramSpec& spec = program_.machine.dram;
      return start + spec.latency_cycles + divide_up(dma.bytes, spec.bytes_per_cycle);
    }
    const DramEvents before = dram_->events();
    dram_->begin(start);
    for_each_byte_run(program_, dma, [&](std::uint64_t address, std::uint64_t bytes) {
      dram_->access(address, bytes, dma.is_store);
    });
    const std::uint64_t finish = dram_->finish();
    if (dram_events_) (*dram_events_)[command.layer] += dram_->events() - before;
    return finish;
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
  std::vector<DramEvents>* dram_events_;
  ArrayTimer array_;
  std::optional<BankedDram> dram_;
  CommandId count_;
  std::array<CommandId, kUnitCount> head_{};
  std::uint64_t dma_free_ = 0, vector_free_ = 0, last_finish_ = 0;
};

}  // namespace

RunResult FastEngine::run(const Program& program, const Operands&) {
  RunResult result;
  std::vector<DramEvents> dram_events(program.layers.size());
  QueueRun(program, result.times, &dram_events).run();
  result.layers.resize(program.layers.size());
  for (const Command& command : program.commands) {
    count_command(program, command, result.layers[command.layer]);
  }
  for (std::size_t l = 0; l < dram_events.size(); ++l) {
    result.layers[l].dram_activates = dram_events[l].activates;
    result.layers[l].dram_row_hits = dram_events[l].row_hits;
    result.layers[l].dram_refreshes = dram_events[l].refreshes;
  }
  return result;
}

std::uint64_t FastEngine::cycles(const Program& program) {
  thread_local std::vector<CommandTime> times;  // called thousands of times by the compiler
  return QueueRun(program, times, nullptr).run();
}

}  // namespace bitpulse
