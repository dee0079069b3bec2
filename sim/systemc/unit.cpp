// SPDX-License-Identifier: Apache-2.0
#include "sim/systemc/unit.h"

namespace bitpulse {

UnitModule::UnitModule(const sc_core::sc_module_name& name) : sc_core::sc_module(name) {
  SC_METHOD(work_off);
  sensitive << due_;
  dont_initialize();
}

void UnitModule::reset(RunState& run) {
  run_ = &run;
  agenda_ = {};
  due_.cancel();
  reset_unit();
}

void UnitModule::run_at(CommandId id, CommandTime time) {
  const std::uint64_t now = run_->cycle();
  agenda_.push({time.finish, id, false});
  if (time.start == now) {
    begin(id);
  } else {
    agenda_.push({time.start, id, true});
  }
  // An earlier notification overrides a later one and is not overridden by it.
  due_.notify(cycles_to_time(agenda_.top().cycle - now));
}

void UnitModule::work_off() {
  const std::uint64_t now = run_->cycle();
  while (!agenda_.empty() && agenda_.top().cycle == now) {
    const Entry entry = agenda_.top();
    agenda_.pop();
    if (!entry.begins) {
      completion->finished(entry.id);
      continue;
    }
    try {
      begin(entry.id);
    } catch (...) {
      completion->failed(std::current_exception());
      return;
    }
  }
  if (!agenda_.empty()) due_.notify(cycles_to_time(agenda_.top().cycle - now));
}

}  // namespace bitpulse
