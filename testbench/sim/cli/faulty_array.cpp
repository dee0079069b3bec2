// SPDX-License-Identifier: Apache-2.0

// Takes the place of the build's table of Verilated arrays: one array, of which every hundredth
// step shows a wrong sum.

#include <utility>

#include "sim/rtl/array_model.h"

namespace bitpulse::rtl {

std::unique_ptr<ArrayModel> make_array_ws_int8_3x7(const ArrayShape& shape);  // of the build

namespace {

class FaultyArray : public ArrayModel {
 public:
  explicit FaultyArray(std::unique_ptr<ArrayModel> array) : array_(std::move(array)) {}
  const ArrayShape& shape() const override { return array_->shape(); }
  void set_format(AccFormat format) override { array_->set_format(format); }
  void reset() override { array_->reset(); }
  void step(const EdgeInputs& inputs) override {
    array_->step(inputs);
    outputs_ = array_->outputs();
    if (++steps_ % 100 == 0) outputs_.psum.front() ^= 1;
  }
  const EdgeOutputs& outputs() const override { return outputs_; }

 private:
  std::unique_ptr<ArrayModel> array_;
  EdgeOutputs outputs_;
  std::uint64_t steps_ = 0;
};

}  // namespace

std::vector<ArrayShape> built_in_arrays() { return {{PeKind::kInt8, false, 3, 7}}; }

std::unique_ptr<ArrayModel> make_array_model(const ArrayShape& shape) {
  return std::make_unique<FaultyArray>(make_array_ws_int8_3x7(shape));
}

}  // namespace bitpulse::rtl
