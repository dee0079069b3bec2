// SPDX-License-Identifier: Apache-2.0
#include "sim/systemc/dram.h"

#include <cstring>

#include "sim/systemc/memory_extension.h"

namespace bitpulse {

Dram::Dram(const sc_core::sc_module_name& name) : sc_core::sc_module(name) {
  socket.register_b_transport(this, &Dram::b_transport);
  socket.register_transport_dbg(this, &Dram::transport_dbg);
}

void Dram::reset(const Machine& machine, std::uint64_t bytes, bool has_values) {
  spec_ = machine.dram;
  size_ = bytes;
  bytes_.assign(has_values ? bytes : 0, 0);
  epoch_ = sc_core::sc_time_stamp();
  banked_.reset();
  if (spec_.model == DramModel::kBanked) banked_.emplace(spec_.timing, machine.clock_mhz);
}

tlm::tlm_response_status Dram::check(const tlm::tlm_generic_payload& payload) const {
  const std::uint64_t address = payload.get_address(), length = payload.get_data_length();
  if (address > size_ || length > size_ - address) return tlm::TLM_ADDRESS_ERROR_RESPONSE;
  if (payload.get_byte_enable_ptr() != nullptr) return tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE;
  if (payload.get_streaming_width() < length) return tlm::TLM_BURST_ERROR_RESPONSE;
  return tlm::TLM_OK_RESPONSE;
}

void Dram::move(tlm::tlm_generic_payload& payload) {
  if (bytes_.empty()) return;
  std::uint8_t* here = bytes_.data() + payload.get_address();
  if (payload.is_read()) {
    std::memcpy(payload.get_data_ptr(), here, payload.get_data_length());
  } else if (payload.is_write()) {
    std::memcpy(here, payload.get_data_ptr(), payload.get_data_length());
  }
}

void Dram::b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  payload.set_response_status(check(payload));
  if (!payload.is_response_ok()) return;
  move(payload);

  DmaExtension* command = nullptr;
  payload.get_extension(command);
  if (command == nullptr || command->first) {
    command_start_ = cycle_of(sc_core::sc_time_stamp() + delay);
    command_bytes_ = 0;
    if (banked_) {
      events_before_ = banked_->events();
      banked_->begin(command_start_);
    }
  }
  command_bytes_ += payload.get_data_length();
  if (banked_) {
    banked_->access(payload.get_address(), payload.get_data_length(), payload.is_write());
  }
  if (command != nullptr && !command->last) return;
  const std::uint64_t bandwidth = spec_.bytes_per_cycle;
  const std::uint64_t finish = banked_ ? banked_->finish()
                                       : command_start_ + spec_.latency_cycles +
                                             (command_bytes_ + bandwidth - 1) / bandwidth;
  delay = epoch_ + cycles_to_time(finish) - sc_core::sc_time_stamp();
  if (command != nullptr && banked_) command->events = banked_->events() - events_before_;
}

/// The cycle of this run at or after `time`.
std::uint64_t Dram::cycle_of(const sc_core::sc_time& time) const {
  const std::uint64_t cycle = cycles_to_time(1).value();
  return ((time - epoch_).value() + cycle - 1) / cycle;
}

unsigned int Dram::transport_dbg(tlm::tlm_generic_payload& payload) {
  payload.set_response_status(check(payload));
  if (!payload.is_response_ok()) return 0;
  move(payload);
  return payload.get_data_length();
}

}  // namespace bitpulse
