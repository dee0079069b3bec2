// SPDX-License-Identifier: Apache-2.0
#include "quant/train/fake_quant.h"

#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>

#include "models/error.h"

namespace bitpulse {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Below, a step is set back to this: it has lost its sign or its meaning.
constexpr double kStepFloor = 1e-7;

/// LSQ, equations 1 to 3 and 5: clip then round; the step's gradient has three branches.
struct LsqFunction : torch::autograd::Function<LsqFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& value,
                            const at::Tensor& step, double min, double max, double scale) {
    context->save_for_backward({value, step});
    context->saved_data["min"] = min;
    context->saved_data["max"] = max;
    context->saved_data["scale"] = scale;
    return (value / step).clamp(min, max).round() * step;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &value = saved[0], &step = saved[1], &gradient = gradients[0];
    const double min = context->saved_data["min"].toDouble();
    const double max = context->saved_data["max"].toDouble();
    const double scale = context->saved_data["scale"].toDouble();
    const at::Tensor u = value / step;
    const at::Tensor inside = u.gt(min).logical_and(u.lt(max));
    // At and beyond an end, clamp(u) is the end itself, which is the branch's value.
    const at::Tensor clipped = u.clamp(min, max);
    const at::Tensor slope = at::where(inside, clipped.round() - u, clipped);
    at::Tensor step_gradient = gradient * slope * scale;
    step_gradient = step.numel() == 1 ? step_gradient.sum().reshape(step.sizes())
                                      : step_gradient.flatten(1).sum(1).reshape(step.sizes());
    return {gradient * inside, step_gradient, {}, {}, {}};
  }
};

class LsqQuantizer : public FakeQuantizer {
 public:
  LsqQuantizer(const LsqSpec& spec, CodeRange range, std::int64_t steps, std::int64_t features,
               const at::Device& device)
      : spec_(spec), range_(range), features_(features) {
    step_ = at::zeros({steps}, at::TensorOptions(at::kFloat).device(device));
    step_.set_requires_grad(true);
  }

  at::Tensor step() const override { return step_; }

  at::Tensor forward(const at::Tensor& value, bool) override {
    if (!is_set_) set_steps(value.detach());
    std::vector<std::int64_t> dims(static_cast<std::size_t>(value.dim()), 1);
    if (step_.numel() > 1) dims[0] = step_.numel();
    return LsqFunction::apply(value, step_.reshape(dims), static_cast<double>(range_.min),
                              static_cast<double>(range_.max), gradient_scale(value));
  }

  void after_step() override {
    const at::NoGradGuard no_gradients;
    step_.clamp_min_(kStepFloor);
  }

 private:
  double gradient_scale(const at::Tensor& value) const {
    if (!spec_.gradient_scale) return spec_.gradient_factor;
    const bool is_weight = features_ == 0;
    const std::int64_t n =
        is_weight || spec_.batch_features ? value.numel() / step_.numel() : features_;
    return spec_.gradient_factor /
           std::sqrt(static_cast<double>(n) * static_cast<double>(range_.max));
  }

  void set_steps(const at::Tensor& value) {
    is_set_ = true;
    const at::NoGradGuard no_gradients;
    if (step_.gt(0).all().item<bool>()) return;  // loaded
    const at::Tensor rows = value.reshape({step_.numel(), -1});
    const at::Tensor first = rows.abs().mean(1) * (2 / std::sqrt(static_cast<double>(range_.max)));
    step_.copy_(first.clamp_min(kStepFloor));
  }

  const LsqSpec spec_;
  const CodeRange range_;
  const std::int64_t features_;  // 0: weights
  at::Tensor step_;
  bool is_set_ = false;
};

[[noreturn]] void refuse(const std::string& name, const std::string& why) {
  throw Error(ErrorKind::kInvalidInput, "training of '" + name + "': " + why);
}

}  // namespace

std::unique_ptr<FakeQuantizer> make_weight_quantizer(const QuantizationSpec& spec,
                                                     const std::vector<std::uint8_t>& bits,
                                                     const std::string& name,
                                                     const at::Device& device) {
  if (spec.method != "lsq") refuse(name, "found method " + spec.method + ", expected lsq");
  if (std::any_of(bits.begin(), bits.end(), [&](std::uint8_t b) { return b != bits[0]; }))
    refuse(name, "found weights of several widths, expected one that is learned for all");
  if (bits[0] < 2) refuse(name, "found 1-bit weights, expected 2 bits or more");
  const auto steps = spec.lsq.per_channel ? static_cast<std::int64_t>(bits.size()) : 1;
  return std::make_unique<LsqQuantizer>(spec.lsq, Precision{bits[0], true}.range(), steps, 0,
                                        device);
}

std::unique_ptr<FakeQuantizer> make_activation_quantizer(const QuantizationSpec& spec,
                                                         Precision precision, std::int64_t features,
                                                         const std::string& name,
                                                         const at::Device& device) {
  if (spec.method != "lsq") refuse(name, "found method " + spec.method + ", expected lsq");
  return std::make_unique<LsqQuantizer>(spec.lsq, precision.range(), 1, features, device);
}

}  // namespace bitpulse
