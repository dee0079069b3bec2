// SPDX-License-Identifier: Apache-2.0
#include "sim/systemc/sequencer.h"

#include <algorithm>
#include <string>

#include "models/error.h"

namespace bitpulse {

Sequencer::Sequencer(const sc_core::sc_module_name& name) : sc_core::sc_module(name) {
  completion.bind(*this);
  SC_METHOD(dispatch);
  sensitive << wake_;
  dont_initialize();
}

void Sequencer::reset(RunState& run) {
  run_ = &run;
  const std::vector<Command>& commands = run.program->commands;
  for (Queue& queue : queues_) queue = {};
  for (CommandId id = 0; id < commands.size(); ++id) {
    queues_[static_cast<std::size_t>(commands[id].unit)].commands.push_back(id);
  }
  times_.assign(commands.size(), CommandTime{});
  issued_.assign(commands.size(), false);
  finished_.assign(commands.size(), false);
  error_ = nullptr;
  wake_.notify(sc_core::SC_ZERO_TIME);
}

void Sequencer::finished(CommandId id) {
  finished_[id] = true;
  times_[id].finish = run_->cycle();
  wake_.notify(sc_core::SC_ZERO_TIME);
}

void Sequencer::failed(std::exception_ptr error) {
  if (!error_) error_ = std::move(error);
}

bool Sequencer::ready(CommandId id) const {
  const Command& command = run_->command(id);
  const auto first = run_->program->predecessors.begin() + command.first_predecessor;
  return std::all_of(first, first + command.predecessor_count,
                     [this](CommandId p) { return finished_[p]; });
}

void Sequencer::dispatch() {
  if (error_) return;
  UnitIf* const units[kUnitCount] = {dma.operator->(), array.operator->(), vector.operator->()};
  try {
    for (int u = 0; u < kUnitCount; ++u) {
      Queue& queue = queues_[static_cast<std::size_t>(u)];
      while (queue.head < queue.commands.size() && units[u]->accepts() &&
             ready(queue.commands[queue.head])) {
        const CommandId id = queue.commands[queue.head++];
        while (run_->oldest_waiting < issued_.size() && issued_[run_->oldest_waiting]) {
          ++run_->oldest_waiting;
        }
        times_[id].start = units[u]->issue(id);
        issued_[id] = true;
      }
    }
  } catch (...) {
    failed(std::current_exception());  // the kernel would not survive it; take_times rethrows
  }
}

std::vector<CommandTime> Sequencer::take_times() {
  if (error_) std::rethrow_exception(error_);
  if (std::find(finished_.begin(), finished_.end(), false) != finished_.end()) report_deadlock();
  return std::move(times_);
}

void Sequencer::report_deadlock() const {
  const Program& program = *run_->program;
  const auto describe = [&program](CommandId id) {
    const Command& command = program.commands[id];
    return "command " + std::to_string(id) + " (" + kUnitNames[static_cast<int>(command.unit)] +
           ", layer \"" + program.layers[command.layer].name + "\")";
  };
  for (const Queue& queue : queues_) {
    if (queue.head == queue.commands.size()) continue;
    const CommandId id = queue.commands[queue.head];
    const Command& command = program.commands[id];
    for (std::uint32_t i = 0; i < command.predecessor_count; ++i) {
      const CommandId awaited = program.predecessors[command.first_predecessor + i];
      if (finished_[awaited]) continue;
      throw Error(ErrorKind::kInternal, "systemc: no command can make progress; " + describe(id) +
                                            " waits for " + describe(awaited) +
                                            ", which never finishes");
    }
  }
  throw Error(ErrorKind::kInternal, "systemc: a command never finished");
}

}  // namespace bitpulse
