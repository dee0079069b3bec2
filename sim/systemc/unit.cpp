// SPDX-License-Identifier: Apache-2.0
#include "sim/systemc/unit.h"

namespace bitpulse {

UnitModule::UnitModule(sc_core::sc_module_name name) : sc_core::sc_module(name) {
  SC_METHOD(report_due);
  sensitive << due_;
  dont_initialize();
}

void UnitModule::reset(RunState& run) {
  run_ = &run;
  in_flight_ = {};
  due_.cancel();
  reset_unit();
}

void UnitModule::finish_at(CommandId id, std::uint64_t cycle) {
  in_flight_.emplace(cycle, id);
  // An earlier notification overrides a later one and is not overridden by it.
  due_.notify(cycles_to_time(cycle - run_->cycle()));
}

void UnitModule::report_due() {
  const std::uint64_t now = run_->cycle();
  while (!in_flight_.empty() && in_flight_.top().first == now) {
    completion->finished(in_flight_.top().second);
    in_flight_.pop();
  }
  if (!in_flight_.empty()) due_.notify(cycles_to_time(in_flight_.top().first - now));
}

}  // namespace bitpulse
