// SPDX-License-Identifier: Apache-2.0
#include "quant/train/fake_quant.h"

#include <algorithm>
#include <string>
#include <utility>

#include "models/error.h"
#include "quant/methods/lsq.h"
#include "quant/train/fused_quant.h"
#include "quant/train/hawq_quant.h"

namespace bitpulse {

namespace {

/// Below, a step is set back to this: it has lost its sign or its meaning.
constexpr float kFloor = 1e-8f;
constexpr float kStepOfZeros = 1.0f;

/// What both methods share: steps that begin with the first value and stay positive.
class SteppedQuantizer : public FakeQuantizer {
 public:
  SteppedQuantizer(FakeQuant how, std::int64_t steps, const at::Device& device)
      : how_(how), step_(at::zeros({steps}, at::TensorOptions(at::kFloat).device(device))) {}

  at::Tensor step() const override { return step_; }

  at::Tensor forward(const at::Tensor& value, bool training) override {
    if (!begun_) begin(value.detach());
    return quantize(value, training);
  }

  void after_step() override {
    const at::NoGradGuard no_gradients;
    const at::Tensor low = step_.lt(kFloor);
    if (!low.any().item<bool>()) return;
    floor_hits_ += low.sum().item<std::int64_t>();
    step_.clamp_min_(kFloor);
  }

  std::int64_t floor_hits() const override { return floor_hits_; }

 protected:
  virtual at::Tensor quantize(const at::Tensor& value, bool training) = 0;
  /// The first step of a slice of the value.
  virtual double first_step(const float* values, std::size_t count) const = 0;

  FakeQuant how_;
  at::Tensor step_;

 private:
  void begin(const at::Tensor& value) {
    begun_ = true;
    const at::NoGradGuard no_gradients;
    if (step_.gt(0).all().item<bool>()) return;  // loaded
    const at::Tensor host = value.to(at::kCPU).contiguous();
    const auto size = static_cast<std::size_t>(host.numel() / step_.numel());
    at::Tensor first = at::empty({step_.numel()}, at::kFloat);
    for (std::int64_t i = 0; i < first.numel(); ++i) {
      const float* slice = host.data_ptr<float>() + static_cast<std::size_t>(i) * size;
      const auto step = static_cast<float>(first_step(slice, size));
      first.data_ptr<float>()[i] = step > 0 ? std::max(step, kFloor) : kStepOfZeros;
    }
    step_.copy_(first);
  }

  bool begun_ = false;
  std::int64_t floor_hits_ = 0;
};

class LsqQuantizer : public SteppedQuantizer {
 public:
  /// features  of one image; 0: weights
  LsqQuantizer(const LsqSpec& spec, FakeQuant how, std::int64_t steps, std::int64_t features,
               const at::Device& device)
      : SteppedQuantizer(how, steps, device), spec_(spec), features_(features) {
    step_.set_requires_grad(true);
  }

 private:
  at::Tensor quantize(const at::Tensor& value, bool) override {
    how_.gradient_scale = spec_.gradient_factor;
    if (spec_.gradient_scale) {
      const bool counts_all = features_ == 0 || spec_.batch_features;
      const std::int64_t elements = counts_all ? value.numel() / step_.numel() : features_;
      how_.gradient_scale *= lsq_gradient_scale(elements, how_.range);
    }
    return lsq_fake_quantize(value, step_, how_);
  }

  double first_step(const float* values, std::size_t count) const override {
    return spec_.init == StepInit::kMse ? least_error_step(values, count, how_.range)
                                        : lsq_first_step(values, count, how_.range);
  }

  const LsqSpec spec_;
  const std::int64_t features_;
};

class LlsqQuantizer : public SteppedQuantizer {
 public:
  struct Role {
    bool is_weight = false;
    Precision precision;
    double decay = 0;  // of the moving average
  };

  LlsqQuantizer(const LlsqSpec& spec, FakeQuant how, std::int64_t steps, const Role& role,
                const at::Device& device)
      : SteppedQuantizer(how, steps, device), spec_(spec), role_(role) {
    step_.set_requires_grad(learns() && spec_.update == LlsqUpdate::kSimulatedGradient);
  }

  /// A scale goes no further at a time than to the neighbour it was compared with: beyond, nothing
  /// is known of the error, and a scale near 0 moves by too little ever to come back.
  void after_step() override {
    SteppedQuantizer::after_step();
    if (!compared_.defined()) return;
    const at::NoGradGuard no_gradients;
    step_.copy_(at::max(at::min(step_, compared_ * spec_.ratio), compared_ / spec_.ratio));
  }

 private:
  /// Power-of-two scales stay as they begin.
  bool learns() const { return role_.is_weight || !spec_.power_of_two; }

  at::Tensor quantize(const at::Tensor& value, bool training) override {
    at::Tensor moves = at::zeros_like(step_);
    if (training && learns()) {
      moves = llsq_moves(value, step_, how_, spec_.ratio, spec_.absolute_error);
      compared_ = step_.detach().clone();
      if (spec_.update == LlsqUpdate::kEma) average(moves);
    }
    return llsq_fake_quantize(value, step_, moves, role_.is_weight, how_);
  }

  void average(const at::Tensor& moves) {
    const at::NoGradGuard no_gradients;
    const at::Tensor neighbour = step_ * at::pow(spec_.ratio, moves);
    step_.copy_(step_ * role_.decay + neighbour * (1 - role_.decay));
  }

  double first_step(const float* values, std::size_t count) const override {
    if (role_.is_weight)
      return llsq_first_weight_scale(values, count, how_.range, step_.numel() > 1);
    return spec_.power_of_two ? llsq_power_of_two_scale(values, count, role_.precision)
                              : llsq_first_activation_scale(values, count, role_.precision);
  }

  const LlsqSpec spec_;
  const Role role_;
  at::Tensor compared_;  // the scale of the last comparison
};

[[noreturn]] void refuse(const std::string& name, const std::string& why) {
  throw Error(ErrorKind::kInvalidInput, "training of '" + name + "': " + why);
}

}  // namespace

std::unique_ptr<FakeQuantizer> make_weight_quantizer(const QuantizationSpec& spec,
                                                     const std::vector<std::uint8_t>& bits,
                                                     bool is_convolution, const std::string& name,
                                                     const at::Device& device) {
  if (std::any_of(bits.begin(), bits.end(), [&](std::uint8_t b) { return b != bits[0]; }))
    refuse(name, "found weights of several widths, expected one that is learned for all");
  if (bits[0] < 2 || bits[0] > 8)
    refuse(name, "found " + std::to_string(bits[0]) + "-bit weights, expected 2..8 bits");
  const Precision precision{bits[0], true};
  FakeQuant how;
  how.range = precision.range();
  if (spec.narrow_range) how.range.min = -how.range.max;
  const auto channels = static_cast<std::int64_t>(bits.size());
  if (spec.method == "hawq") return make_hawq_weights(how, channels, device);
  if (spec.method == "lsq")
    return std::make_unique<LsqQuantizer>(spec.lsq, how, spec.lsq.per_channel ? channels : 1, 0,
                                          device);
  const bool per_channel = spec.llsq.per_channel && is_convolution;
  const double decay = is_convolution ? kLlsqConvDecay : kLlsqLinearDecay;
  return std::make_unique<LlsqQuantizer>(spec.llsq, how, per_channel ? channels : 1,
                                         LlsqQuantizer::Role{true, precision, decay}, device);
}

std::unique_ptr<FakeQuantizer> make_activation_quantizer(const QuantizationSpec& spec,
                                                         Precision precision, std::int64_t features,
                                                         const at::Device& device) {
  FakeQuant how;
  how.range = precision.range();
  how.rounding = spec.rounding;
  if (spec.method == "hawq") return make_hawq_activations(spec, how, precision, device);
  if (spec.method == "lsq")
    return std::make_unique<LsqQuantizer>(spec.lsq, how, 1, features, device);
  return std::make_unique<LlsqQuantizer>(
      spec.llsq, how, 1, LlsqQuantizer::Role{false, precision, kLlsqActivationDecay}, device);
}

}  // namespace bitpulse
