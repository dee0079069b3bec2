// SPDX-License-Identifier: Apache-2.0
#pragma once

// The register-level model of sim/systemc/lockstep.h behind the ports of the Verilated arrays, to
// be clocked beside one with the same inputs. It takes what the port contract of rtl/README.md
// allows, no more.

#include <vector>

#include "sim/rtl/array_model.h"
#include "sim/systemc/lockstep.h"

namespace bitpulse::rtl {

class LockstepModel final : public ArrayModel {
 public:
  explicit LockstepModel(const ArrayShape& shape);

  const ArrayShape& shape() const override { return shape_; }
  void set_format(AccFormat format) override;
  void reset() override;
  void step(const EdgeInputs& inputs) override;
  const EdgeOutputs& outputs() const override { return outputs_; }

 private:
  /// A stream element on its way to the rows, row i's word i cycles late.
  struct Element {
    LeftPort control;
    std::vector<std::uint32_t> words;
  };
  /// Words for the columns, column j's j cycles late.
  using Weights = std::vector<std::uint32_t>;

  WordFormat word_format(std::uint32_t act, std::uint32_t weight) const;
  std::uint32_t word(const std::vector<std::uint32_t>& words, std::size_t lane) const;
  void note_weights(std::uint32_t control);

  ArrayShape shape_;
  ArraySpec spec_;
  LockstepArray array_;
  EdgeOutputs outputs_;
  std::size_t now_ = 0;
  std::vector<Element> elements_;  // rings: those of cycle t at t % size
  std::vector<Weights> weights_;
  std::vector<LeftPort> left_;
  std::vector<std::uint64_t> top_;
  // The preload (ws) or capture (os) in progress: its first cycle and used rows.
  std::size_t wave_start_ = 0, wave_rows_ = 0;
  std::uint32_t loaded_format_ = 0, weight_format_ = 0;  // ws: of the next weights, of those in use
};

}  // namespace bitpulse::rtl
