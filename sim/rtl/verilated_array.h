// SPDX-License-Identifier: Apache-2.0
#pragma once

// Any Verilated class with the ports of rtl/README.md as an ArrayModel.

#include <algorithm>
#include <cstring>

#include "sim/rtl/array_model.h"
#include "verilated.h"

namespace bitpulse::rtl {

template <class Model>
class VerilatedArray final : public ArrayModel {
 public:
  explicit VerilatedArray(const ArrayShape& shape) : shape_(shape) {
    const auto cols = static_cast<std::size_t>(shape.cols);
    outputs_.valid.resize(cols);
    outputs_.psum.resize(cols);
    outputs_.overflow.resize(cols);
    reset();
  }
  ~VerilatedArray() override { model_.final(); }

  const ArrayShape& shape() const override { return shape_; }

  void set_format(AccFormat format) override { set(model_.acc_format_i, format.pack()); }

  void reset() override {
    model_.clk_i = 0;
    model_.rst_ni = 1;
    model_.eval();
    model_.rst_ni = 0;
    model_.eval();
    model_.rst_ni = 1;
    model_.eval();
    read_outputs();
  }

  void step(const EdgeInputs& inputs) override {
    set(model_.act_ctrl_i, inputs.act_ctrl);
    set(model_.weight_ctrl_i, inputs.weight_ctrl);
    write(model_.act_i, inputs.act, shape_.act_words());
    write(model_.weight_i, inputs.weight, shape_.weight_words());
    model_.clk_i = 1;
    model_.eval();
    model_.clk_i = 0;
    model_.eval();
    read_outputs();
  }

  const EdgeOutputs& outputs() const override { return outputs_; }

 private:
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
  VerilatedContext context_;
  Model model_{&context_};
  EdgeOutputs outputs_;
};

}  // namespace bitpulse::rtl
