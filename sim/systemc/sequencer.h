// SPDX-License-Identifier: Apache-2.0
#pragma once

// The sequencer: three in-order queues (dma, array, vector) and the finished commands. A command is
// issued when it heads its queue, its unit accepts it and all its predecessors have finished.
// All completions of a cycle arrive before the dispatch of that cycle (one delta later), so nothing
// depends on the order of processes.

#include <array>
#include <exception>
#include <systemc>
#include <vector>

#include "sim/engine.h"
#include "sim/systemc/unit.h"

namespace bitpulse {

class Sequencer : public sc_core::sc_module, public CompletionIf {
 public:
  sc_core::sc_export<CompletionIf> completion{"completion"};
  sc_core::sc_port<UnitIf> dma{"dma"};
  sc_core::sc_port<UnitIf> array{"array"};
  sc_core::sc_port<UnitIf> vector{"vector"};

  SC_HAS_PROCESS(Sequencer);
  explicit Sequencer(const sc_core::sc_module_name& name);

  /// Fills the queues; the run begins when the kernel starts.
  void reset(RunState& run);

  /// The times of a run whose events are used up.
  ///
  /// errors  what a unit threw; Error(kInternal) naming a command and the predecessor it waits for
  std::vector<CommandTime> take_times();

  void finished(CommandId id) override;
  void failed(std::exception_ptr error) override;

 private:
  struct Queue {
    std::vector<CommandId> commands;
    std::size_t head = 0;
  };
  void dispatch();
  bool ready(CommandId id) const;
  [[noreturn]] void report_deadlock() const;

  RunState* run_ = nullptr;
  std::array<Queue, kUnitCount> queues_;
  std::vector<CommandTime> times_;
  std::vector<bool> issued_, finished_;
  std::exception_ptr error_;
  sc_core::sc_event wake_{"wake"};
};

}  // namespace bitpulse
