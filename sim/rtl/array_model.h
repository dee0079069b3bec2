// SPDX-License-Identifier: Apache-2.0
#pragma once

// A Verilated array behind one interface, whatever its size and PE: the port contract of
// rtl/README.md, one clock cycle at a time.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sim/machine.h"
#include "sim/rtl/ports.h"

namespace bitpulse::rtl {

/// What an array was built for.
struct ArrayShape {
  PeKind pe = PeKind::kInt8;
  bool output_stationary = false;  // else weight-stationary (ws, and is with exchanged operands)
  int rows = 1;
  int cols = 1;
  bool structural = false;  // one module per PE instead of the rolled form

  /// Bits of one operand word of a PE.
  int operand_width() const {
    switch (pe) {
      case PeKind::kInt8:
        return 8;
      case PeKind::kInt4:
        return 4;
      case PeKind::kInt2:
        return 2;
      case PeKind::kFused:
        return 32;
    }
    return 0;
  }
  /// 32-bit words that hold the operand words of all rows (columns), the first in the lowest bits.
  std::size_t act_words() const { return words(rows); }
  std::size_t weight_words() const { return words(cols); }

  friend bool operator==(const ArrayShape& a, const ArrayShape& b) {
    return a.pe == b.pe && a.output_stationary == b.output_stationary && a.rows == b.rows &&
           a.cols == b.cols && a.structural == b.structural;
  }

 private:
  std::size_t words(int lanes) const {
    return (static_cast<std::size_t>(lanes) * static_cast<std::size_t>(operand_width()) + 31) / 32;
  }
};

/// What enters the array in a cycle. Pointers are to act_words() and weight_words() words.
struct EdgeInputs {
  std::uint32_t act_ctrl = 0;     // ActCtrl::pack
  std::uint32_t weight_ctrl = 0;  // WeightCtrl::pack
  const std::uint32_t* act = nullptr;
  const std::uint32_t* weight = nullptr;
};

/// What stands at the bottom of the array after a step; `cols` entries each.
struct EdgeOutputs {
  std::vector<std::uint8_t> valid;
  std::vector<std::int32_t> psum;
  std::vector<std::uint32_t> overflow;  // overflows met while forming psum
};

/// The kind of waves that a model can write; Verilator settles it when it makes the model.
enum class Trace : std::uint8_t { kNone, kVcd, kFst };

class ArrayModel {
 public:
  virtual ~ArrayModel() = default;
  virtual const ArrayShape& shape() const = 0;
  /// Constant while sums are in flight.
  virtual void set_format(AccFormat format) = 0;
  virtual void reset() = 0;
  /// One rising edge with these inputs.
  virtual void step(const EdgeInputs& inputs) = 0;
  /// The outputs after the last step.
  virtual const EdgeOutputs& outputs() const = 0;

  virtual Trace trace() const { return Trace::kNone; }
  /// Writes all signals of the steps from here on to a file, one cycle per nanosecond, the next
  /// step being that of `cycle`: its inputs change with the falling edge at `cycle` ns, and what
  /// they cause from the rising edge half a nanosecond later on. Closes a file that is open.
  ///
  /// returns  false: a model without trace, or the file cannot be written
  virtual bool open_trace([[maybe_unused]] const std::string& path,
                          [[maybe_unused]] std::uint64_t cycle) {
    return false;
  }
  virtual void close_trace() {}
};

/// The name of the model of a shape, for example "ws_int8_3x7".
std::string array_model_name(const ArrayShape& shape);

/// The arrays of this program, and one of them.
///
/// errors  Error(kInvalidInput): it has none of this shape
std::vector<ArrayShape> built_in_arrays();
std::unique_ptr<ArrayModel> make_array_model(const ArrayShape& shape);

/// Where an engine gets its array from.
using ArrayMaker = std::function<std::unique_ptr<ArrayModel>(const ArrayShape&)>;

}  // namespace bitpulse::rtl
