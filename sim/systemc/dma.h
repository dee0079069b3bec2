// SPDX-License-Identifier: Apache-2.0
#pragma once

// The DMA engine: one command at a time between DRAM and a buffer. It is a TLM-2.0 initiator that
// uses b_transport with annotated delay: one generic payload per run of DRAM addresses without a
// gap, a DmaExtension telling first and last run and the bytes of the command. It calls from an
// SC_METHOD, so a memory must annotate its delay and not wait. The command ends at the cycle edge
// at or after the last run's delay. Bits move when the command starts; the claim it holds on its
// buffer lasts to its finish.
//
// A move on chip reads and writes the activation buffer in the place of the memory, as many bytes
// per cycle as the array has rows. Where all tensors are wanted, what it has stored is also written
// to the tensor's place in the memory, through the debug port, which costs nothing.

#include <tlm_utils/simple_initiator_socket.h>

#include <cstdint>
#include <systemc>
#include <vector>

#include "sim/systemc/buffer.h"
#include "sim/systemc/memory_extension.h"
#include "sim/systemc/unit.h"

namespace bitpulse {

class Dma : public UnitModule {
 public:
  tlm_utils::simple_initiator_socket<Dma> memory{"memory"};
  sc_core::sc_port<BufferIf> act{"act"};
  sc_core::sc_port<BufferIf> weight{"weight"};
  sc_core::sc_port<BufferIf> out{"out"};

  explicit Dma(const sc_core::sc_module_name& name);
  ~Dma() override;

  bool accepts() const override { return idle(); }
  std::uint64_t issue(CommandId id) override;

 private:
  /// Bits that are contiguous in DRAM and in the buffer.
  struct Piece {
    std::uint64_t dram_bit = 0, buffer_bit = 0, bits = 0;
  };
  void reset_unit() override { gathered_.clear(); }
  void begin(CommandId) override {}  // bits have moved when the finish is known
  void move(const DmaPattern& pattern);
  void add_piece(const Piece& piece);
  void flush_run(bool last);
  void transport(std::uint64_t address, std::uint64_t bytes, std::uint8_t* data);
  void move_on_chip(std::uint64_t address, std::uint64_t bytes, std::uint8_t* data);
  void copy_to_memory();
  void debug_memory(tlm::tlm_command direction, std::uint64_t address, std::uint64_t bytes,
                    std::uint8_t* data);
  void read_back(std::uint64_t address, std::uint8_t* byte);
  void claim_buffer(std::uint64_t start, std::uint64_t finish);
  void count(Counters& counters) const;

  tlm::tlm_generic_payload payload_;
  DmaExtension extension_;
  std::vector<std::uint8_t> staging_;

  // The command in progress.
  CommandId id_ = 0;
  const DmaCommand* command_ = nullptr;
  BufferIf* buffer_ = nullptr;
  std::uint8_t* bytes_ = nullptr;  // of the buffer; null without values
  std::vector<Piece> gathered_;    // the run of DRAM addresses that is being gathered
  std::uint64_t moved_bits_ = 0, moved_bytes_ = 0;
  sc_core::sc_time delay_;
};

}  // namespace bitpulse
