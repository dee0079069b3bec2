// SPDX-License-Identifier: Apache-2.0
#include "sim/systemc/dma.h"

#include <cstring>
#include <string>

#include "models/error.h"

namespace bitpulse {
namespace {

/// The end of a pattern's bits in its buffer, and on the other side.
std::uint64_t buffer_end(const DmaPattern& p) {
  return p.buffer_bit + (p.rows - 1) * p.buffer_row_stride + (p.runs - 1) * p.buffer_run_stride +
         p.run_bits;
}
std::uint64_t far_end(const DmaPattern& p) {
  return p.dram_bit + (p.rows - 1) * p.dram_row_stride + (p.runs - 1) * p.dram_run_stride +
         p.run_bits;
}

}  // namespace

Dma::Dma(const sc_core::sc_module_name& name) : UnitModule(name) {
  payload_.set_extension(&extension_);
  payload_.set_byte_enable_ptr(nullptr);
}

Dma::~Dma() { payload_.clear_extension(&extension_); }

std::uint64_t Dma::issue(CommandId id) {
  const Program& program = *run().program;
  const std::uint64_t start = run().cycle();
  id_ = id;
  command_ = &program.dma[run().command(id).payload];
  buffer_ = command_->buffer == Buffer::kAct      ? act.operator->()
            : command_->buffer == Buffer::kWeight ? weight.operator->()
                                                  : out.operator->();
  bytes_ = nullptr;
  moved_bits_ = moved_bytes_ = 0;
  delay_ = sc_core::SC_ZERO_TIME;
  extension_ = DmaExtension{};
  extension_.command_bytes = command_->bytes;
  payload_.set_command(command_->is_store ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND);

  for (std::uint32_t i = 0; i < command_->pattern_count; ++i) {
    move(program.patterns[command_->first_pattern + i]);
  }
  flush_run(true);
  if (moved_bytes_ != command_->bytes) {
    throw Error(ErrorKind::kInternal,
                "dma: command " + std::to_string(id) + " touches " + std::to_string(moved_bytes_) +
                    " bytes of memory, its program says " + std::to_string(command_->bytes));
  }

  if (command_->on_chip) {
    const std::uint64_t rows = program.machine.array.rows;
    delay_ = cycles_to_time(moved_bytes_ / rows + (moved_bytes_ % rows == 0 ? 0 : 1));
  }
  const std::uint64_t cycle = cycles_to_time(1).value();
  const std::uint64_t finish = start + (delay_.value() + cycle - 1) / cycle;
  if (run().has_values()) {
    claim_buffer(start, finish);
    if (command_->on_chip && command_->is_store && run().keep_all_tensors) copy_to_memory();
  }
  count(run().counters_of(id));
  run_at(id, {start, finish});
  return start;
}

void Dma::move(const DmaPattern& pattern) {
  if (run().has_values()) bytes_ = buffer_->bytes(pattern.buffer_bit, buffer_end(pattern), id_);
  const bool solid_run = pattern.runs == 1 || (pattern.dram_run_stride == pattern.run_bits &&
                                               pattern.buffer_run_stride == pattern.run_bits);
  const std::uint64_t runs = solid_run ? 1 : pattern.runs;
  const std::uint64_t bits = solid_run ? pattern.runs * pattern.run_bits : pattern.run_bits;
  for (std::uint64_t row = 0; row < pattern.rows; ++row) {
    for (std::uint64_t n = 0; n < runs; ++n) {
      add_piece(
          {pattern.dram_bit + row * pattern.dram_row_stride + n * pattern.dram_run_stride,
           pattern.buffer_bit + row * pattern.buffer_row_stride + n * pattern.buffer_run_stride,
           bits});
    }
  }
}

void Dma::add_piece(const Piece& piece) {
  moved_bits_ += piece.bits;
  if (!gathered_.empty()) {
    Piece& back = gathered_.back();
    if (back.dram_bit + back.bits != piece.dram_bit) {
      flush_run(false);
    } else if (back.buffer_bit + back.bits == piece.buffer_bit) {
      back.bits += piece.bits;
      return;
    }
  }
  gathered_.push_back(piece);
}

void Dma::flush_run(bool last) {
  if (gathered_.empty()) {
    throw Error(ErrorKind::kInternal, "dma: command " + std::to_string(id_) + " moves nothing");
  }
  const std::uint64_t begin = gathered_.front().dram_bit;
  const std::uint64_t end = gathered_.back().dram_bit + gathered_.back().bits;
  const std::uint64_t address = begin / 8, bytes = bytes_of_bits(end) - address;
  extension_.last = last;

  if (bytes_ != nullptr && gathered_.size() == 1 && begin % 8 == 0 && end % 8 == 0 &&
      gathered_.front().buffer_bit % 8 == 0) {
    transport(address, bytes, bytes_ + gathered_.front().buffer_bit / 8);
  } else {
    if (staging_.size() < bytes + kBitSlack) staging_.resize(bytes + kBitSlack);
    const bool gathers = command_->is_store && bytes_ != nullptr;
    if (gathers) {  // bits of the first and last byte that are not the command's stay as they are
      if (begin % 8 != 0) read_back(address, &staging_[0]);
      if (end % 8 != 0) read_back(address + bytes - 1, &staging_[bytes - 1]);
      for (const Piece& piece : gathered_) {
        copy_bits(staging_.data(), piece.dram_bit - address * 8, bytes_, piece.buffer_bit,
                  piece.bits);
      }
    }
    transport(address, bytes, staging_.data());
    if (!command_->is_store && bytes_ != nullptr) {
      for (const Piece& piece : gathered_) {
        copy_bits(bytes_, piece.buffer_bit, staging_.data(), piece.dram_bit - address * 8,
                  piece.bits);
      }
    }
  }
  gathered_.clear();
  moved_bytes_ += bytes;
  extension_.first = false;
}

void Dma::transport(std::uint64_t address, std::uint64_t bytes, std::uint8_t* data) {
  if (command_->on_chip) return move_on_chip(address, bytes, data);
  payload_.set_address(address);
  payload_.set_data_ptr(data);
  payload_.set_data_length(static_cast<unsigned int>(bytes));
  payload_.set_streaming_width(static_cast<unsigned int>(bytes));
  payload_.set_dmi_allowed(false);
  payload_.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  memory->b_transport(payload_, delay_);
  if (!payload_.is_response_ok()) {
    throw Error(ErrorKind::kInternal, "dma: command " + std::to_string(id_) + ": memory answers " +
                                          payload_.get_response_string() + " to " +
                                          std::to_string(bytes) + " bytes at address " +
                                          std::to_string(address));
  }
}

void Dma::move_on_chip(std::uint64_t address, std::uint64_t bytes, std::uint8_t* data) {
  if (!run().has_values()) return;
  std::uint8_t* kept = act->bytes(address * 8, (address + bytes) * 8, id_) + address;
  if (command_->is_store) {
    std::memcpy(kept, data, bytes);
  } else {
    std::memcpy(data, kept, bytes);
  }
}

void Dma::read_back(std::uint64_t address, std::uint8_t* byte) {
  if (command_->on_chip) {
    *byte = act->bytes(address * 8, (address + 1) * 8, id_)[address];
  } else {
    debug_memory(tlm::TLM_READ_COMMAND, address, 1, byte);
  }
}

void Dma::copy_to_memory() {
  const Program& program = *run().program;
  for (std::uint32_t i = 0; i < command_->pattern_count; ++i) {
    const DmaPattern& p = program.patterns[command_->first_pattern + i];
    const KeptTensor* tensor = program.kept_at(run().command(id_).layer, p.dram_bit);
    if (tensor == nullptr) {
      throw Error(ErrorKind::kInternal, "dma: command " + std::to_string(id_) + " stores to bit " +
                                            std::to_string(p.dram_bit) +
                                            " of the act buffer, where no tensor is kept");
    }
    const std::uint64_t begin = p.dram_bit / 8, end = bytes_of_bits(far_end(p));
    const std::uint64_t home = program.tensor_bit[static_cast<std::size_t>(tensor->tensor)];
    debug_memory(tlm::TLM_WRITE_COMMAND, begin + home / 8 - tensor->act_bit / 8, end - begin,
                 act->bytes(begin * 8, end * 8, id_) + begin);
  }
}

void Dma::debug_memory(tlm::tlm_command direction, std::uint64_t address, std::uint64_t bytes,
                       std::uint8_t* data) {
  tlm::tlm_generic_payload payload;
  payload.set_command(direction);
  payload.set_address(address);
  payload.set_data_ptr(data);
  payload.set_data_length(static_cast<unsigned int>(bytes));
  payload.set_streaming_width(static_cast<unsigned int>(bytes));
  if (memory->transport_dbg(payload) != bytes) {
    throw Error(ErrorKind::kInternal, "dma: command " + std::to_string(id_) +
                                          ": memory gives no debug access to address " +
                                          std::to_string(address));
  }
}

void Dma::claim_buffer(std::uint64_t start, std::uint64_t finish) {
  for (std::uint32_t i = 0; i < command_->pattern_count; ++i) {
    const DmaPattern& p = run().program->patterns[command_->first_pattern + i];
    buffer_->claim({p.buffer_bit, buffer_end(p), !command_->is_store, id_, start, finish});
    if (!command_->on_chip) continue;
    act->claim({p.dram_bit, far_end(p), command_->is_store, id_, start, finish});
  }
}

void Dma::count(Counters& counters) const {
  const bool store = command_->is_store;
  if (command_->on_chip) {
    (store ? counters.act_write_bits : counters.act_read_bits) += moved_bits_;
  } else {
    (store ? counters.dram_write_bytes : counters.dram_read_bytes) += moved_bytes_;
  }
  counters.dram_activates += extension_.events.activates;
  counters.dram_row_hits += extension_.events.row_hits;
  counters.dram_refreshes += extension_.events.refreshes;
  switch (command_->buffer) {
    case Buffer::kAct:
      (store ? counters.act_read_bits : counters.act_write_bits) += moved_bits_;
      break;
    case Buffer::kWeight:
      (store ? counters.weight_read_bits : counters.weight_write_bits) += moved_bits_;
      break;
    case Buffer::kOut:
      (store ? counters.out_read_bits : counters.out_write_bits) += moved_bits_;
      break;
  }
}

}  // namespace bitpulse
