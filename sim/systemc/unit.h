// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the sequencer and the three units (dma, array, vector) see of each other. A unit takes a
// command whose predecessors have finished, says when it starts, and reports it at its finish.

#include <cstdint>
#include <exception>
#include <queue>
#include <systemc>
#include <tuple>
#include <vector>

#include "sim/engine.h"
#include "sim/systemc/run_state.h"

namespace bitpulse {

class CompletionIf : public virtual sc_core::sc_interface {
 public:
  virtual void finished(CommandId id) = 0;
  /// Ends the run with an error that a command met after it was issued.
  virtual void failed(std::exception_ptr error) = 0;
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

/// A unit's shell: keeps the commands in flight, begins each at its start if that is later than its
/// issue, and reports each at its finish, in any order.
class UnitModule : public sc_core::sc_module, public UnitIf {
 public:
  sc_core::sc_port<CompletionIf> completion{"completion"};

  SC_HAS_PROCESS(UnitModule);
  explicit UnitModule(const sc_core::sc_module_name& name);

  /// Forgets commands in flight; what they share from now on is `run`.
  void reset(RunState& run);

 protected:
  RunState& run() { return *run_; }
  const RunState& run() const { return *run_; }
  bool idle() const { return agenda_.empty(); }
  /// Calls begin(id) at the start of a command, and reports it at its finish.
  void run_at(CommandId id, CommandTime time);

 private:
  virtual void reset_unit() {}
  /// What a command does with values when it starts.
  virtual void begin(CommandId id) = 0;
  void work_off();

  struct Entry {
    std::uint64_t cycle = 0;
    CommandId id = 0;
    bool begins = false;  // else: is finished
    bool operator>(const Entry& o) const {
      return std::tie(cycle, id, o.begins) > std::tie(o.cycle, o.id, begins);
    }
  };
  std::priority_queue<Entry, std::vector<Entry>, std::greater<Entry>> agenda_;
  sc_core::sc_event due_{"due"};
  RunState* run_ = nullptr;
};

}  // namespace bitpulse
