// SPDX-License-Identifier: Apache-2.0
#include "quant/train/fake_quant.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/variable.h>

#include <cmath>
#include <limits>

#include "quant/methods/lsq.h"
#include "quant/train/fused_quant.h"
#include "quant/train/network.h"
#include "testbench/models/errors.h"
#include "testbench/quant/train/torch_catch.h"

namespace bitpulse {

namespace {

const at::Device kCpu(at::kCPU);
constexpr CodeRange kSigned2{-2, 1}, kSigned3{-4, 3}, kUnsigned4{0, 15}, kUnsigned8{0, 255};

at::Tensor floats(const std::vector<float>& values) {
  return to_tensor(values, {static_cast<std::int64_t>(values.size())}, kCpu);
}

at::Tensor leaf(const at::Tensor& value) { return value.clone().requires_grad_(true); }

double apart(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

/// Output and gradients, by value and by step, of a loss whose gradient is `above`.
struct Slopes {
  at::Tensor out, v, step;
};
using Operation = std::function<at::Tensor(const at::Tensor& v, const at::Tensor& step)>;
Slopes slopes(const Operation& operation, const at::Tensor& v, const at::Tensor& step,
              const at::Tensor& above) {
  const at::Tensor value = leaf(v), steps = leaf(step);
  const at::Tensor out = operation(value, steps);
  (out * above).sum().backward();
  return {out.detach(), value.grad(), steps.grad()};
}

void check_equal(const Slopes& a, const Slopes& b) {
  CHECK(apart(a.out, b.out) <= 1e-6);
  CHECK(apart(a.v, b.v) <= 1e-6);
  CHECK(apart(a.step, b.step) <= 1e-6 * (1 + b.step.abs().max().item<double>()));
}

/// LSQ written with torch's own operators and derivatives; not defined at the ends of the range,
/// where torch's clamp passes a gradient.
at::Tensor by_autograd(const at::Tensor& v, const at::Tensor& step, const FakeQuant& how) {
  const at::Tensor scaled = step * how.gradient_scale;
  at::Tensor s = scaled + (step - scaled).detach();
  if (step.numel() > 1) s = s.reshape({-1, 1, 1, 1});
  const at::Tensor u = at::clamp(v / s, how.range.min, how.range.max);
  return (u + (at::round(u) - u).detach()) * s;
}

QuantizationSpec spec_of(const std::string& method) {
  QuantizationSpec spec;
  spec.method = method;
  return spec;
}

std::unique_ptr<FakeQuantizer> of_weights(const QuantizationSpec& spec, std::uint8_t bits,
                                          std::size_t channels, bool is_convolution = true) {
  return make_weight_quantizer(spec, std::vector<std::uint8_t>(channels, bits), is_convolution,
                               "layer", kCpu);
}

/// The gradient that reaches the steps when the loss's is 1 everywhere.
at::Tensor step_gradient(FakeQuantizer& quantizer, const at::Tensor& value) {
  quantizer.forward(value, true).sum().backward();
  return quantizer.step().grad();
}

}  // namespace

TEST_CASE("fused kernels equal composed tensor operations", "[train][quantizers]") {
  at::manual_seed(1);
  const bool per_channel = GENERATE(false, true);
  const CodeRange range = GENERATE(kSigned2, kSigned3, kUnsigned4, kUnsigned8);
  const Rounding rounding = GENERATE(Rounding::kHalfUp, Rounding::kHalfEven, Rounding::kHalfAway);
  CAPTURE(per_channel, range.max, static_cast<int>(rounding));
  // 70,000 elements a slice: more than a thread's chunk. Steps of 0.25 and values of eighths: ties.
  at::Tensor v = at::randn({3, 7, 100, 100});
  v.slice(3, 0, 50).mul_(8).round_().div_(8);
  const at::Tensor step = per_channel ? floats({0.25f, 0.5f, 0.125f}) : floats({0.25f});
  const at::Tensor above = at::randn_like(v) * 1e-2;
  FakeQuant fused{range, rounding, 1e-2};
  FakeQuant composed = fused;
  composed.composed = true;

  const auto lsq = [](const FakeQuant& how) {
    return [how](const at::Tensor& a, const at::Tensor& s) { return lsq_fake_quantize(a, s, how); };
  };
  check_equal(slopes(lsq(fused), v, step, above), slopes(lsq(composed), v, step, above));

  const at::Tensor moves = per_channel ? floats({1, -1, 0}) : floats({1});
  for (const bool is_weight : {false, true}) {
    const auto llsq = [&](const FakeQuant& how) {
      return [&moves, is_weight, how](const at::Tensor& a, const at::Tensor& s) {
        return llsq_fake_quantize(a, s, moves, is_weight, how);
      };
    };
    check_equal(slopes(llsq(fused), v, step, above), slopes(llsq(composed), v, step, above));
  }
  for (const bool absolute : {false, true})
    CHECK(at::equal(llsq_moves(v, step, fused, 2, absolute),
                    llsq_moves(v, step, composed, 2, absolute)));
}

TEST_CASE("negative values of unsigned data are zeros to LLSQ's decision, fused and composed",
          "[train][quantizers]") {
  // Nothing but zeros keeps its scale; so does what is exact up to the last code, whatever is below
  // 0; far from it the positive values decide.
  at::Tensor v = at::empty({4, 1000});
  v[0].uniform_(-2000, -1000);
  v[1] = at::where(at::rand({1000}).gt(0.5), at::tensor(-1e4f), at::tensor(3.75f));
  v[2] = at::where(at::rand({1000}).gt(0.5), at::tensor(-1e4f), at::tensor(40.0f));
  v[3] = at::where(at::rand({1000}).gt(0.5), at::tensor(-1e4f), at::tensor(0.01f));
  const at::Tensor step = floats({0.25f, 0.25f, 0.25f, 0.25f});
  FakeQuant how{kUnsigned4, Rounding::kHalfUp, 1};
  for (const bool composed : {false, true})
    for (const bool absolute : {false, true}) {
      how.composed = composed;
      CAPTURE(composed, absolute);
      CHECK(at::equal(llsq_moves(v, step, how, 2, absolute), floats({0, 0, 1, -1})));
    }
}

TEST_CASE("LSQ's gradients are torch's own of clip, round and straight-through",
          "[train][quantizers]") {
  at::manual_seed(2);
  const bool per_channel = GENERATE(false, true);
  const CodeRange range = GENERATE(kSigned2, kSigned3, kUnsigned4);
  CAPTURE(per_channel, range.max);
  const at::Tensor v = at::randn({4, 3, 5, 5});
  const at::Tensor step = per_channel ? floats({0.31f, 0.2f, 0.7f, 0.11f}) : floats({0.31f});
  const at::Tensor above = at::randn_like(v);
  const FakeQuant how{range, Rounding::kHalfEven, 0.05};
  const Slopes found =
      slopes([&](const at::Tensor& a, const at::Tensor& s) { return lsq_fake_quantize(a, s, how); },
             v, step, above);
  const Slopes expected =
      slopes([&](const at::Tensor& a, const at::Tensor& s) { return by_autograd(a, s, how); }, v,
             step, above);
  CHECK(apart(found.out, expected.out) <= 1e-6);
  CHECK(apart(found.v, expected.v) <= 1e-6);
  CHECK(apart(found.step, expected.step) <= 1e-5);
}

TEST_CASE("results do not depend on the number of threads, bit for bit", "[train][quantizers]") {
  at::manual_seed(3);
  const at::Tensor v = at::randn({1, 3, 400, 400}), above = at::randn_like(v);
  const FakeQuant how{kSigned3, Rounding::kHalfUp, 1e-2};
  const auto run = [&](int threads) {
    at::set_num_threads(threads);
    const Slopes result = slopes(
        [&](const at::Tensor& a, const at::Tensor& s) { return lsq_fake_quantize(a, s, how); }, v,
        floats({0.3f}), above);
    at::set_num_threads(1);
    return result;
  };
  const Slopes one = run(1), three = run(3);
  CHECK(at::equal(one.out, three.out));
  CHECK(at::equal(one.v, three.v));
  CHECK(at::equal(one.step, three.step));
}

TEST_CASE("the gradient scale leaves the forward value alone, bit for bit", "[train][quantizers]") {
  at::manual_seed(4);
  const at::Tensor v = at::randn({1000});
  FakeQuant how{kSigned3, Rounding::kHalfEven, 1};
  const at::Tensor plain = lsq_fake_quantize(v, floats({0.3f}), how);
  how.gradient_scale = 1e-3;
  CHECK(at::equal(lsq_fake_quantize(v, floats({0.3f}), how), plain));
}

TEST_CASE("g counts the weights that share a step, or the features of one image or of all",
          "[train][quantizers]") {
  // All values lie above the range, so every element adds Q_P: the sum is N_all * Q_P.
  const auto gradient = [](const QuantizationSpec& spec, bool is_weight) {
    const at::Tensor value = at::full({4, 3, 2, 2}, 10.0f);
    const auto quantizer = is_weight ? of_weights(spec, 3, 4)
                                     : make_activation_quantizer(spec, {3, false}, 3 * 2 * 2, kCpu);
    quantizer->forward(value, false);
    const at::NoGradGuard no_gradients;
    quantizer->step().fill_(0.1f);
    at::AutoGradMode gradients(true);
    return step_gradient(*quantizer, value);
  };
  QuantizationSpec spec = spec_of("lsq");
  CHECK(gradient(spec, true).item<double>() == Approx(48 * 3 / std::sqrt(48.0 * 3)));
  CHECK(gradient(spec, false).item<double>() == Approx(48 * 7 / std::sqrt(12.0 * 7)));
  spec.lsq.batch_features = true;
  CHECK(gradient(spec, false).item<double>() == Approx(48 * 7 / std::sqrt(48.0 * 7)));
  spec.lsq.per_channel = true;
  CHECK(gradient(spec, true)[2].item<double>() == Approx(12 * 3 / std::sqrt(12.0 * 3)));
  spec.lsq.gradient_factor = 10;
  CHECK(gradient(spec, true)[2].item<double>() == Approx(10 * 12 * 3 / std::sqrt(12.0 * 3)));
  spec.lsq.gradient_scale = false;
  CHECK(gradient(spec, true)[2].item<double>() == Approx(10 * 12 * 3));
}

TEST_CASE("first steps follow the first value, channel by channel, and loaded ones stay",
          "[train][quantizers]") {
  at::manual_seed(5);
  const at::Tensor w = at::randn({2, 3, 3, 3}) * floats({1, 0.1f}).reshape({2, 1, 1, 1});
  QuantizationSpec spec = spec_of("lsq");
  spec.lsq.per_channel = true;
  const auto quantizer = of_weights(spec, 4, 2);
  CHECK(quantizer->step().sum().item<double>() == 0);
  quantizer->forward(w, false);
  for (int c = 0; c < 2; ++c)
    CHECK(quantizer->step()[c].item<double>() ==
          Approx(lsq_first_step(w[c].data_ptr<float>(), 27, {-8, 7})).epsilon(1e-6));
  const at::Tensor before = quantizer->step().clone();
  quantizer->forward(w * 5, true);
  CHECK(at::equal(quantizer->step(), before));

  const auto loaded = of_weights(spec, 4, 2);
  {
    const at::NoGradGuard no_gradients;
    loaded->step().copy_(floats({0.5f, 0.25f}));
  }
  loaded->forward(w, false);
  CHECK(at::equal(loaded->step().detach(), floats({0.5f, 0.25f})));
}

TEST_CASE("a step that descent makes negative is lifted to its floor, and counted",
          "[train][quantizers]") {
  for (const char* method : {"lsq", "llsq"}) {
    CAPTURE(method);
    QuantizationSpec spec = spec_of(method);
    spec.lsq.per_channel = true;
    const auto quantizer = of_weights(spec, 4, 3);
    quantizer->forward(at::randn({3, 8, 1, 1}), false);
    quantizer->after_step();
    CHECK(quantizer->floor_hits() == 0);
    {
      const at::NoGradGuard no_gradients;
      quantizer->step().copy_(floats({0.5f, -3.0f, 0.0f}));
    }
    quantizer->after_step();
    CHECK(quantizer->floor_hits() == 2);
    CHECK(quantizer->step().gt(0).all().item<bool>());
    CHECK(quantizer->step()[0].item<float>() == 0.5f);
    CHECK(at::isfinite(quantizer->forward(at::randn({3, 8, 1, 1}), true)).all().item<bool>());
  }
}

TEST_CASE("LLSQ's scale learns from the local error alone, never from the loss",
          "[train][quantizers]") {
  at::manual_seed(6);
  const at::Tensor w = at::randn({3, 64, 3, 3});
  const auto quantizer = of_weights(spec_of("llsq"), 4, 3);
  quantizer->forward(w, false);
  {
    const at::NoGradGuard no_gradients;  // far too small, within the band (0.25, 0.51), too large
    quantizer->step().copy_(floats({0.05f, 0.4f, 0.9f}));
  }
  for (const float above : {1e4f, -1e4f}) {
    quantizer->step().mutable_grad() = at::Tensor();
    (quantizer->forward(w, true).sum() * above).backward();
    const at::Tensor gradient = quantizer->step().grad();
    CHECK(gradient[0].item<float>() == -(0.05f * 0.05f));
    CHECK(gradient[1].item<float>() == 0);
    CHECK(gradient[2].item<float>() == 0.9f * 0.9f);
  }
}

TEST_CASE("LLSQ's scale goes no further in one step than to a scale it was compared with",
          "[train][quantizers]") {
  at::manual_seed(8);
  QuantizationSpec spec = spec_of("llsq");
  spec.llsq.ratio = GENERATE(2.0, 1.5);
  const auto quantizer = of_weights(spec, 4, 3);
  const at::Tensor w = at::randn({3, 64, 3, 3});
  quantizer->forward(w, true);
  const at::Tensor before = quantizer->step().detach().clone();
  {
    const at::NoGradGuard no_gradients;  // as a large rate would leave them
    quantizer->step().copy_(before * floats({-7, 1.25f, 100}));
  }
  quantizer->after_step();
  const at::Tensor moved = quantizer->step().detach() / before;
  CHECK(moved[0].item<double>() == Approx(1 / spec.llsq.ratio));
  CHECK(moved[1].item<double>() == Approx(1.25));
  CHECK(moved[2].item<double>() == Approx(spec.llsq.ratio));
  CHECK(quantizer->floor_hits() == 1);
}

TEST_CASE("LLSQ passes every weight's gradient, and activations' strictly inside",
          "[train][quantizers]") {
  const QuantizationSpec spec = spec_of("llsq");
  const at::Tensor w = leaf(floats({-9, -8, 0, 7, 9}).reshape({1, 5}));
  const auto weights = of_weights(spec, 4, 1, false);
  const auto activations = make_activation_quantizer(spec, {4, false}, 5, kCpu);
  for (FakeQuantizer* quantizer : {weights.get(), activations.get()}) {
    quantizer->forward(w.detach(), false);
    const at::NoGradGuard no_gradients;
    quantizer->step().fill_(1);
  }
  weights->forward(w, true).sum().backward();
  CHECK(at::equal(w.grad(), at::ones({1, 5})));
  const at::Tensor x = leaf(floats({-1, 0, 0.1f, 14.9f, 15, 16}).reshape({1, 6}));
  activations->forward(x, true).sum().backward();
  CHECK(at::equal(x.grad(), floats({0, 0, 1, 1, 0, 0}).reshape({1, 6})));
}

TEST_CASE("the moving average moves LLSQ's scale in training only", "[train][quantizers]") {
  at::manual_seed(7);
  QuantizationSpec spec = spec_of("llsq");
  spec.llsq.update = LlsqUpdate::kEma;
  const at::Tensor w = at::randn({1, 1000, 1, 1});
  const auto quantizer = of_weights(spec, 4, 1);
  quantizer->forward(w, false);
  {
    const at::NoGradGuard no_gradients;
    quantizer->step().fill_(0.05f);
  }
  CHECK_FALSE(quantizer->step().requires_grad());
  quantizer->forward(w, false);
  CHECK(quantizer->step().item<float>() == 0.05f);
  quantizer->forward(w, true);
  CHECK(quantizer->step().item<double>() == Approx(0.05 * (0.99 + 0.01 * 2)));
}

TEST_CASE("power-of-two activation scales are set once", "[train][quantizers]") {
  QuantizationSpec spec = spec_of("llsq");
  spec.llsq.power_of_two = true;
  const auto quantizer = make_activation_quantizer(spec, {4, false}, 4, kCpu);
  const at::Tensor x = floats({0, 1, 2, 3}).reshape({1, 4});
  quantizer->forward(x, true);
  CHECK(quantizer->step().item<float>() == 0.25f);  // 2^ceil(log2(3 / 16))
  CHECK_FALSE(quantizer->step().requires_grad());
  quantizer->forward(x * 100, true);
  CHECK(quantizer->step().item<float>() == 0.25f);
}

TEST_CASE("channels of zeros keep a step and harm nothing, and learn when they come alive",
          "[train][quantizers]") {
  for (const char* method : {"lsq", "llsq"}) {
    CAPTURE(method);
    QuantizationSpec spec = spec_of(method);
    spec.lsq.per_channel = true;
    const auto quantizer = of_weights(spec, 4, 2);
    at::Tensor w = at::zeros({2, 50, 3, 3});
    w[0].normal_();
    const at::Tensor out = quantizer->forward(w, true);
    CHECK(at::isfinite(out).all().item<bool>());
    CHECK(out[1].abs().max().item<float>() == 0);
    const float first = quantizer->step()[1].item<float>();
    CHECK(first > 0);
    out.sum().backward();
    CHECK(quantizer->step().grad()[1].item<float>() == 0);
    // Small values under a step far too large are all code 0 at every candidate: not dead.
    if (std::string(method) == "lsq") continue;
    w[1].normal_().mul_(1e-3);
    quantizer->step().mutable_grad() = at::Tensor();
    quantizer->forward(w, true).sum().backward();
    CHECK(quantizer->step().grad()[1].item<float>() == first * first);
  }
}

TEST_CASE("values that are no numbers move no scale", "[train][quantizers]") {
  const auto quantizer = of_weights(spec_of("llsq"), 4, 1);
  quantizer->forward(at::randn({1, 10, 1, 1}), false);
  at::Tensor w = at::randn({1, 10, 1, 1});
  w[0][3] = std::numeric_limits<float>::quiet_NaN();
  quantizer->forward(w, true).sum().backward();
  CHECK(quantizer->step().grad().item<float>() == 0);
}

TEST_CASE("widths that cannot be learned are refused by layer", "[train][quantizers][bad]") {
  CHECK_REFUSED(of_weights(spec_of("lsq"), 1, 2), ErrorKind::kInvalidInput, "layer", "1-bit",
                "2..8");
  CHECK_REFUSED(make_weight_quantizer(spec_of("lsq"), {4, 2}, true, "layer", kCpu),
                ErrorKind::kInvalidInput, "layer", "several widths");
}

}  // namespace bitpulse
