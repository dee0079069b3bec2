// SPDX-License-Identifier: Apache-2.0
#include "quant/train/hutchinson.h"

#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "models/error.h"
#include "models/random.h"

namespace bitpulse {

namespace {

constexpr std::uint64_t kProbeStream = 3;  // beside those of batches.cpp
constexpr double kRest = 1e-6;             // keeps a mean of 0 from being divided by

using Tensors = std::vector<at::Tensor>;

at::Tensor signs(const at::Tensor& like, RandomStream random) {
  at::Tensor drawn = at::empty({like.numel()}, at::kFloat);
  auto* data = drawn.data_ptr<float>();
  std::uint64_t bits = 0;
  for (std::int64_t i = 0; i < drawn.numel(); ++i, bits >>= 1) {
    if (i % 64 == 0) bits = random.bits();
    data[i] = (bits & 1) != 0 ? 1.0f : -1.0f;
  }
  return drawn.reshape(like.sizes()).to(like.options().requires_grad(false));
}

double inner_product(const at::Tensor& a, const at::Tensor& b) {
  return a.mul(b).sum(at::kDouble).item<double>();
}

class Products {
 public:
  Products(const Tensors& blocks, const SummedLoss& loss, double step)
      : blocks_(blocks), loss_(loss), step_(step) {}

  /// z^T (H z) of every block.
  std::vector<double> by_double_backward(const Tensors& z) const {
    std::vector<double> sums(blocks_.size(), 0);
    for (std::int64_t part = 0; part < loss_.parts; ++part) {
      const Tensors gradient = gradient_of(part, true);
      at::Tensor along;
      for (std::size_t i = 0; i < z.size(); ++i) {
        if (!gradient[i].defined()) continue;
        const at::Tensor term = gradient[i].mul(z[i]).sum();
        along = along.defined() ? along + term : term;
      }
      if (!along.defined() || !along.requires_grad()) continue;  // a linear loss
      const Tensors product =
          torch::autograd::grad({along}, blocks_, {}, c10::nullopt, false, true);
      for (std::size_t i = 0; i < z.size(); ++i)
        if (product[i].defined()) sums[i] += inner_product(z[i], product[i]);
    }
    return sums;
  }

  std::vector<double> by_difference(const Tensors& z) const {
    double weights = 0, probes = 0;
    Tensors saved;
    for (const at::Tensor& block : blocks_) {
      saved.push_back(block.detach().clone());
      weights += inner_product(saved.back(), saved.back());
      probes += static_cast<double>(block.numel());
    }
    const double e = weights > 0 ? step_ * std::sqrt(weights / probes) : step_;
    std::vector<double> sums(blocks_.size(), 0);
    for (const double side : {1.0, -1.0}) {
      move(saved, z, side * e);
      for (std::int64_t part = 0; part < loss_.parts; ++part) {
        const Tensors gradient = gradient_of(part, false);
        for (std::size_t i = 0; i < z.size(); ++i)
          if (gradient[i].defined()) sums[i] += side * inner_product(z[i], gradient[i]) / (2 * e);
      }
    }
    move(saved, z, 0);
    return sums;
  }

 private:
  Tensors gradient_of(std::int64_t part, bool differentiable) const {
    return torch::autograd::grad({loss_.part(part)}, blocks_, {}, differentiable, differentiable,
                                 true);
  }

  void move(const Tensors& from, const Tensors& z, double by) const {
    const at::NoGradGuard no_gradients;
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
      at::Tensor block = blocks_[i];
      block.copy_(from[i]);
      if (by != 0) block.add_(z[i], by);
    }
  }

  const Tensors& blocks_;
  const SummedLoss& loss_;
  const double step_;
};

/// Mean and spread of the draws so far (Welford).
class Running {
 public:
  /// Returns by how much of its magnitude the mean moved. The magnitude in the denominator is
  /// essential: a negative mean would otherwise end the draws at once.
  double add(double value) {
    const double before = mean_, away = value - before;
    mean_ += away / static_cast<double>(++count_);
    squares_ += away * (value - mean_);
    return std::abs(mean_ - before) / (std::abs(before) + kRest);
  }
  TraceEstimate estimate() const {
    const auto n = static_cast<double>(count_);
    return {mean_, count_ < 2 ? 0 : std::sqrt(squares_ / (n * (n - 1))), count_};
  }

 private:
  double mean_ = 0, squares_ = 0;
  std::int64_t count_ = 0;
};

}  // namespace

std::vector<TraceEstimate> hutchinson_traces(const Tensors& blocks, const SummedLoss& loss,
                                             const HutchinsonOptions& options) {
  const Products products(blocks, loss, options.step);
  std::vector<Running> running(blocks.size());
  bool settled = false;
  for (std::int64_t draw = 0; draw < options.draws && !settled; ++draw) {
    Tensors z;
    for (std::size_t i = 0; i < blocks.size(); ++i)
      z.push_back(signs(blocks[i], {options.seed, kProbeStream, static_cast<std::uint64_t>(draw),
                                    static_cast<std::uint64_t>(i)}));
    const std::vector<double> values = options.product == HessianProduct::kDoubleBackward
                                           ? products.by_double_backward(z)
                                           : products.by_difference(z);
    double moved = 0;
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      if (!std::isfinite(values[i]))
        throw Error(ErrorKind::kCheckFailed, "Hessian: the product of block " + std::to_string(i) +
                                                 " in draw " + std::to_string(draw) +
                                                 " is not finite");
      moved = std::max(moved, running[i].add(values[i]));
    }
    settled = draw > 0 && moved < options.tolerance;
    if (options.progress) options.progress(draw + 1);
  }
  std::vector<TraceEstimate> estimates;
  for (const Running& each : running) estimates.push_back(each.estimate());
  return estimates;
}

}  // namespace bitpulse
