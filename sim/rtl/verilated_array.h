// SPDX-License-Identifier: Apache-2.0
#pragma once

// Any Verilated class with the ports of rtl/README.md as an ArrayModel.

#include <algorithm>
#include <cstring>
#include <memory>

#include "sim/rtl/array_model.h"
#include "sim/rtl/clocked_model.h"
#if VM_TRACE_FST
#include "verilated_fst_c.h"
#elif VM_TRACE_VCD
#include "verilated_vcd_c.h"
#endif

namespace bitpulse::rtl {

#if VM_TRACE_FST
using WaveFile = VerilatedFstC;
inline constexpr Trace kModelTrace = Trace::kFst;
#elif VM_TRACE_VCD
using WaveFile = VerilatedVcdC;
inline constexpr Trace kModelTrace = Trace::kVcd;
#else
inline constexpr Trace kModelTrace = Trace::kNone;
#endif

template <class Model>
class VerilatedArray final : public ArrayModel {
 public:
  explicit VerilatedArray(const ArrayShape& shape) : shape_(shape) {
    const auto cols = static_cast<std::size_t>(shape.cols);
    outputs_.valid.resize(cols);
    outputs_.psum.resize(cols);
    outputs_.overflow.resize(cols);
#if VM_TRACE
    context_.traceEverOn(true);
    context_.timeunit(-9);
    context_.timeprecision(-12);
#endif
    reset();
  }
  ~VerilatedArray() override {
    close_trace();
    model_.final();
  }

  const ArrayShape& shape() const override { return shape_; }

  void set_format(AccFormat format) override { set(model_.acc_format_i, format.pack()); }

  void reset() override {
    model_.clk_i = 0;
    pulse_reset(model_);
    read_outputs();
  }

  void step(const EdgeInputs& inputs) override {
    model_.eval();  // the falling edge
    set(model_.act_ctrl_i, inputs.act_ctrl);
    set(model_.weight_ctrl_i, inputs.weight_ctrl);
    write(model_.act_i, inputs.act, shape_.act_words());
    write(model_.weight_i, inputs.weight, shape_.weight_words());
    dump(0);
    model_.clk_i = 1;
    model_.eval();
    dump(kPicoseconds / 2);
    // Eval reads clock and reset as one word, which waits until a clock just written is in memory.
    model_.clk_i = 0;
    read_outputs();
    ++cycle_;
  }

  const EdgeOutputs& outputs() const override { return outputs_; }

  Trace trace() const override { return kModelTrace; }

#if VM_TRACE
  bool open_trace(const std::string& path, std::uint64_t cycle) override {
    waves_ = std::make_unique<WaveFile>();  // one that was used takes no earlier time
    model_.trace(waves_.get(), kAllLevels);
    waves_->open(path.c_str());
    if (!waves_->isOpen()) waves_.reset();
    cycle_ = cycle;
    return waves_ != nullptr;
  }
  void close_trace() override { waves_.reset(); }
#endif

 private:
  static constexpr std::uint64_t kPicoseconds = 1000;  // of a cycle in a wave file
  static constexpr int kAllLevels = 1 << 20;

  /// The signals, `offset` picoseconds into the cycle.
  void dump([[maybe_unused]] std::uint64_t offset) {
#if VM_TRACE
    if (waves_ == nullptr) return;
    model_.eval();
    waves_->dump(cycle_ * kPicoseconds + offset);
#endif
  }

  template <class Port>
  static void set(Port& port, std::uint32_t value) {
    port = static_cast<Port>(value);
  }

  // Ports are little-endian integers of up to 64 bits or arrays of 32-bit words.
  template <class Port>
  static void write(Port& port, const std::uint32_t* words, std::size_t count) {
    std::memcpy(static_cast<void*>(&port), words,
                std::min(sizeof(Port), count * sizeof(std::uint32_t)));
  }

  void read_outputs() {
    const std::size_t cols = outputs_.psum.size();
    std::memcpy(outputs_.psum.data(), &model_.psum_o, cols * sizeof(std::int32_t));
    std::memcpy(outputs_.overflow.data(), &model_.overflow_o, cols * sizeof(std::uint32_t));
    unsigned char bytes[sizeof model_.valid_o];
    std::memcpy(bytes, &model_.valid_o, sizeof bytes);
    for (std::size_t j = 0; j < cols; ++j) {
      outputs_.valid[j] = static_cast<std::uint8_t>((bytes[j / 8] >> (j % 8)) & 1);
    }
  }

  ArrayShape shape_;
  OwnContext context_;
#if VM_TRACE
  std::unique_ptr<WaveFile> waves_;
#endif
  Model model_{&context_};
  EdgeOutputs outputs_;
  std::uint64_t cycle_ = 0;
};

}  // namespace bitpulse::rtl
