// SPDX-License-Identifier: Apache-2.0
#include "sim/systemc/dram.h"

#include <cstring>

#include "sim/systemc/memory_extension.h"

namespace bitpulse {

Dram::Dram(sc_core::sc_module_name name) : sc_core::sc_module(name) {
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

  DmaExtension* command = payload.get_extension<DmaExtension>();
  const sc_core::sc_time now = sc_core::sc_time_stamp();
  if (command == nullptr || command->first) {
    command_start_ = now + delay;
    command_bytes_ = 0;
    if (banked_) {
      events_before_ = banked_->events();
      banked_->begin((command_start_ - epoch_).value() / cycles_to_time(1).value());
    }
  }
  command_bytes_ += payload.get_data_length();
  if (!banked_) {
    const std::uint64_t bandwidth = spec_.bytes_per_cycle;
    delay = command_start_ - now +
            cycles_to_time(spec_.latency_cycles + (command_bytes_ + bandwidth - 1) / bandwidth);
    return;
  }
  banked_->access(payload.get_address(), payload.get_data_length(), payload.is_write());
  if (command == nullptr || command->last) {
    delay = epoch_ + cycles_to_time(banked_->finish()) - now;
    if (command != nullptr) command->events = banked_->events() - events_before_;
  }
}

unsigned int Dram::transport_dbg(tlm::tlm_generic_payload& payload) {
  payload.set_response_status(check(payload));
  if (!payload.is_response_ok()) return 0;
  move(payload);
  return payload.get_data_length();
}

}  // namespace bitpulse
