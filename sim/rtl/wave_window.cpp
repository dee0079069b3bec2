// SPDX-License-Identifier: Apache-2.0
#include "sim/rtl/wave_window.h"

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <utility>

#include "models/error.h"
#include "models/text.h"
#include "sim/rtl/lockstep_model.h"
#include "sim/rtl/rtl_engine.h"

namespace bitpulse::rtl {
namespace {

/// Ends the run behind the window.
class WindowWritten : public std::exception {};

class WindowedArray final : public ArrayModel {
 public:
  WindowedArray(std::unique_ptr<ArrayModel> array, const WaveWindow& window, bool& differed)
      : array_(std::move(array)),
        reference_(array_->shape()),
        window_(window),
        differed_(differed),
        first_(window.edge - std::min(window.edge, kWindow)),
        end_(window.edge + kWindow) {}
  /// A run that ends inside the window leaves the array idle for the rest of it.
  ~WindowedArray() override {
    const std::vector<std::uint32_t> acts(shape().act_words()), weights(shape().weight_words());
    const EdgeInputs idle{0, 0, acts.data(), weights.data()};
    for (; steps_ < end_ && steps_ > first_; ++steps_) array_->step(idle);
    array_->close_trace();
  }

  const ArrayShape& shape() const override { return array_->shape(); }
  void set_format(AccFormat format) override {
    array_->set_format(format);
    reference_.set_format(format);
  }
  void reset() override {
    array_->reset();
    reference_.reset();
    steps_ = 0;
  }
  void step(const EdgeInputs& inputs) override {
    if (steps_ == end_) throw WindowWritten();
    // The file's time is the program's at the edge: its cycle ends the one of the edge's inputs.
    if (steps_ == first_ &&
        !array_->open_trace(window_.path, window_.cycle - (window_.edge - first_))) {
      throw Error(ErrorKind::kIo, printable(window_.path, 400) + ": cannot write waves");
    }
    array_->step(inputs);
    reference_.step(inputs);
    if (++steps_ == window_.edge) differed_ = differs();
  }
  const EdgeOutputs& outputs() const override { return reference_.outputs(); }

 private:
  bool differs() const {
    const EdgeOutputs &found = array_->outputs(), &expected = reference_.outputs();
    if (found.valid != expected.valid) return true;
    for (std::size_t j = 0; j < found.valid.size(); ++j) {
      if (found.valid[j] != 0 &&
          (found.psum[j] != expected.psum[j] || found.overflow[j] != expected.overflow[j])) {
        return true;
      }
    }
    return false;
  }

  std::unique_ptr<ArrayModel> array_;
  LockstepModel reference_;
  WaveWindow window_;
  bool& differed_;
  std::uint64_t first_, end_, steps_ = 0;
};

/// Bits [high .. low] of a port of `width` bits, under a name of their own: GTKWave counts bits
/// from the left.
std::string slice(const std::string& name, const std::string& port, int width, int high, int low) {
  const std::string signal =
      "TOP." + port + (width == 1 ? "" : "[" + std::to_string(width - 1) + ":0]");
  if (width == high - low + 1) return signal + "\n";
  std::string text = "#{" + name + "[" + std::to_string(high - low) + ":0]}";
  for (int bit = high; bit >= low; --bit) {
    text += " (" + std::to_string(width - 1 - bit) + ")" + signal;
  }
  return text + "\n";
}

/// A group that can be opened and closed.
void group(std::ostream& out, const std::string& name, const std::string& members) {
  out << "@800200\n-" << name << "\n@22\n" << members << "@1000200\n-" << name << "\n";
}

}  // namespace

bool write_window(const WaveWindow& window, const Program& program, const Operands& operands,
                  const ArrayMaker& make) {
  bool differed = false;
  const ArrayMaker windowed = [&](const ArrayShape& shape) {
    return std::make_unique<WindowedArray>(make(shape), window, differed);
  };
  RtlEngine engine(windowed);
  try {
    engine.run(program, operands);
  } catch (const WindowWritten&) {  // the rest of the run is of no interest
  }
  return differed;
}

std::string gtkwave_save_file(const WaveWindow& window, const ArrayShape& shape) {
  const int width = shape.operand_width(), rows = shape.rows, cols = shape.cols;
  const std::uint64_t edge = (window.cycle - 1) * 1000 + 500;  // in ps
  std::ostringstream out;
  out << "[dumpfile] \"" << std::filesystem::absolute(window.path).string() << "\"\n"
      << "[timestart] " << edge - std::min<std::uint64_t>(edge, 10'000) << "\n*-12.0 " << edge
      << " -1 -1\n";
  group(out, "control",
        "TOP.clk_i\nTOP.rst_ni\n" + slice("", "acc_format_i", 7, 6, 0) +
            slice("", "act_ctrl_i", 10, 9, 0) + slice("", "weight_ctrl_i", 14, 13, 0));
  for (int i = 0; i < rows; ++i) {
    const std::string name = std::to_string(i);
    group(out, "row " + name,
          slice("act_" + name, "act_i", rows * width, (i + 1) * width - 1, i * width));
  }
  for (int j = 0; j < cols; ++j) {
    const std::string name = std::to_string(j);
    group(out, "column " + name,
          slice("weight_" + name, "weight_i", cols * width, (j + 1) * width - 1, j * width) +
              slice("valid_" + name, "valid_o", cols, j, j) +
              slice("psum_" + name, "psum_o", cols * 32, j * 32 + 31, j * 32) +
              slice("overflow_" + name, "overflow_o", cols * 32, j * 32 + 31, j * 32));
  }
  return out.str();
}

}  // namespace bitpulse::rtl
