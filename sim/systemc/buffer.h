// SPDX-License-Identifier: Apache-2.0
#pragma once

// A scratchpad: packed bytes, hazard checks, and a stamp per page that tells when its bytes last
// changed. Its bandwidth matches its users (section 5), so that it takes no time of its own.

#include <cstdint>
#include <systemc>
#include <vector>

#include "sim/systemc/bits.h"
#include "sim/systemc/hazard.h"
#include "sim/systemc/run_state.h"

namespace bitpulse {

class BufferIf : public virtual sc_core::sc_interface {
 public:
  /// The buffer's bytes, of which the caller touches no bit outside [begin, end).
  ///
  /// errors  Error(kInternal) where that is not inside the buffer
  virtual std::uint8_t* bytes(std::uint64_t begin, std::uint64_t end, CommandId command) = 0;
  /// Notes what a command issued now reads or writes, in bits, and when.
  ///
  /// errors  Error(kInternal): a hazard
  virtual void claim(const Claim& bits) = 0;
  /// Changes whenever a bit in [begin, end) may have changed.
  virtual std::uint64_t stamp(std::uint64_t begin, std::uint64_t end) const = 0;
};

class BufferModule : public sc_core::sc_module, public BufferIf {
 public:
  sc_core::sc_export<BufferIf> access{"access"};

  explicit BufferModule(const sc_core::sc_module_name& name);

  /// Holds `kib` KiB of zeros; in a run without values, nothing.
  void reset(const RunState& run, std::uint32_t kib);

  std::uint8_t* bytes(std::uint64_t begin, std::uint64_t end, CommandId command) override;
  void claim(const Claim& bits) override;
  std::uint64_t stamp(std::uint64_t begin, std::uint64_t end) const override;

 private:
  static constexpr std::uint64_t kPageBits = 1024 * 8;

  const RunState* run_ = nullptr;
  std::vector<std::uint8_t> bytes_;
  std::vector<std::uint64_t> page_stamp_;
  std::uint64_t writes_ = 0;  // never reset: stamps of different runs differ
  HazardCheck hazards_;
};

}  // namespace bitpulse
