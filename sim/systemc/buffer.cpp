// SPDX-License-Identifier: Apache-2.0
#include "sim/systemc/buffer.h"

#include <algorithm>

#include "models/error.h"

namespace bitpulse {

BufferModule::BufferModule(const sc_core::sc_module_name& name)
    : sc_core::sc_module(name), hazards_(basename(), false) {
  access.bind(*this);
}

void BufferModule::reset(const RunState& run, std::uint32_t kib) {
  run_ = &run;
  const std::size_t size = run.has_values() ? std::size_t{kib} * 1024 : 0;
  bytes_.assign(size + kBitSlack, 0);
  page_stamp_.assign(size * 8 / kPageBits, ++writes_);
  hazards_.clear();
}

std::uint8_t* BufferModule::bytes(std::uint64_t begin, std::uint64_t end, CommandId command) {
  const std::uint64_t size = (bytes_.size() - kBitSlack) * 8;
  if (begin > end || end > size) {
    throw Error(ErrorKind::kInternal, std::string(basename()) + ": command " +
                                          std::to_string(command) + " uses bits " +
                                          std::to_string(begin) + ".." + std::to_string(end) +
                                          " of " + std::to_string(size));
  }
  return bytes_.data();
}

void BufferModule::claim(const Claim& bits) {
  hazards_.add(bits, run_->cycle(), run_->oldest_waiting);
  if (!bits.writes) return;
  ++writes_;
  for (std::uint64_t p = bits.begin / kPageBits; p * kPageBits < bits.end; ++p) {
    page_stamp_[p] = writes_;
  }
}

std::uint64_t BufferModule::stamp(std::uint64_t begin, std::uint64_t end) const {
  std::uint64_t latest = 0;
  for (std::uint64_t p = begin / kPageBits; p * kPageBits < end; ++p) {
    latest = std::max(latest, page_stamp_[p]);
  }
  return latest;
}

}  // namespace bitpulse
