// SPDX-License-Identifier: Apache-2.0
#include "quant/train/hawq_quant.h"

#include <tuple>

#include "quant/methods/hawq.h"

namespace bitpulse {

namespace {

at::Tensor zeros(std::int64_t count, const at::Device& device) {
  return at::zeros({count}, at::TensorOptions(at::kFloat).device(device));
}

/// What both have: steps that no optimizer moves.
class HawqQuantizer : public FakeQuantizer {
 public:
  HawqQuantizer(const FakeQuant& how, std::int64_t steps, const at::Device& device)
      : how_(how), step_(zeros(steps, device)) {}

  at::Tensor step() const override { return step_; }
  void after_step() override {}
  std::int64_t floor_hits() const override { return 0; }

 protected:
  const FakeQuant how_;
  at::Tensor step_;
};

class HawqWeights : public HawqQuantizer {
 public:
  using HawqQuantizer::HawqQuantizer;

  bool keeps_steps() const override { return false; }

  at::Tensor forward(const at::Tensor& value, bool) override {
    constexpr double kLeast = 1e-8;
    {
      const at::NoGradGuard no_gradients;
      const at::Tensor largest = value.flatten(1).abs().amax(1);
      step_.copy_(largest.clamp_min(kLeast) / static_cast<double>(how_.range.max));
    }
    return straight_through_quantize(value, step_, how_);
  }
};

class HawqActivations : public HawqQuantizer {
 public:
  HawqActivations(const QuantizationSpec& spec, const FakeQuant& how, Precision precision,
                  const at::Device& device)
      : HawqQuantizer(how, 1, device),
        spec_(spec.hawq),
        percentile_(spec.calibration == CalibrationRule::kPercentile ? spec.percentile : 100),
        precision_(precision),
        range_(zeros(2, device)) {}

  at::Tensor range() const override { return range_; }
  void freeze() override { frozen_ = true; }

  at::Tensor forward(const at::Tensor& value, bool training) override {
    const bool begins = !begun_ && !step_.gt(0).item<bool>();
    begun_ = true;
    if (begins || (training && !frozen_)) observe(value.detach());
    return straight_through_quantize(value, step_, how_);
  }

 private:
  ValueRange batch_range(const at::Tensor& value) const {
    if (percentile_ < 100) {
      const at::Tensor host = value.to(at::kCPU).contiguous();
      return hawq_batch_range(host.data_ptr<float>(), static_cast<std::size_t>(host.numel()),
                              percentile_);
    }
    const auto [low, high] = at::aminmax(value);
    return {low.item<float>(), high.item<float>()};
  }

  void observe(const at::Tensor& value) {
    const at::NoGradGuard no_gradients;
    const ValueRange before{range_[0].item<float>(), range_[1].item<float>()};
    const ValueRange now = hawq_next_range(before, batch_range(value), spec_);
    range_[0] = now.min;
    range_[1] = now.max;
    step_.fill_(hawq_activation_scale(now, precision_));
  }

  const HawqSpec spec_;
  const double percentile_;
  const Precision precision_;
  at::Tensor range_;  // {min, max}
  bool begun_ = false, frozen_ = false;
};

}  // namespace

std::unique_ptr<FakeQuantizer> make_hawq_weights(const FakeQuant& how, std::int64_t channels,
                                                 const at::Device& device) {
  return std::make_unique<HawqWeights>(how, channels, device);
}

std::unique_ptr<FakeQuantizer> make_hawq_activations(const QuantizationSpec& spec,
                                                     const FakeQuant& how, Precision precision,
                                                     const at::Device& device) {
  return std::make_unique<HawqActivations>(spec, how, precision, device);
}

}  // namespace bitpulse
