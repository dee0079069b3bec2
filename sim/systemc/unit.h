// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the sequencer and the three units (dma, array, vector) see of each other. A unit takes a
// command whose predecessors have finished, says when it starts, and reports it at its finish.

#include <cstdint>
#include <queue>
#include <systemc>
#include <utility>
#include <vector>

#include "sim/systemc/run_state.h"

namespace bitpulse {

class CompletionIf : public virtual sc_core::sc_interface {
 public:
  virtual void finished(CommandId id) = 0;
};

class UnitIf : public virtual sc_core::sc_interface {
 public:
  /// Whether the next command of the queue may be issued now.
  virtual bool accepts() const = 0;
  /// Takes a command in this cycle; returns the cycle of its start, now or later.
  ///
  /// errors  Error(kInternal): hazards, memory errors, addresses outside a memory
  virtual std::uint64_t issue(CommandId id) = 0;
};

/// A unit's shell: keeps the commands in flight and reports each at its finish, in any order.
class UnitModule : public sc_core::sc_module, public UnitIf {
 public:
  sc_core::sc_port<CompletionIf> completion{"completion"};

  SC_HAS_PROCESS(UnitModule);
  explicit UnitModule(sc_core::sc_module_name name);

  /// Forgets commands in flight; what they share from now on is `run`.
  void reset(RunState& run);

 protected:
  RunState& run() { return *run_; }
  const RunState& run() const { return *run_; }
  bool idle() const { return in_flight_.empty(); }
  void finish_at(CommandId id, std::uint64_t cycle);

 private:
  virtual void reset_unit() {}
  void report_due();

  using Due = std::pair<std::uint64_t, CommandId>;
  std::priority_queue<Due, std::vector<Due>, std::greater<Due>> in_flight_;
  sc_core::sc_event due_{"due"};
  RunState* run_ = nullptr;
};

}  // namespace bitpulse
