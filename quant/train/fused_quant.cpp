// SPDX-License-Identifier: Apache-2.0
#include "quant/train/fused_quant.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cstddef>
#include <vector>

#include "quant/methods/lsq.h"

namespace bitpulse {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

/// Elements a thread takes at a time: a multiple of kLsqBlock.
constexpr std::int64_t kChunk = 16 * static_cast<std::int64_t>(kLsqBlock);

/// A tensor as slices of one step each, cut in chunks.
struct Chunks {
  std::int64_t slices, slice_size, per_slice;

  Chunks(const at::Tensor& v, const at::Tensor& step)
      : slices(step.numel()),
        slice_size(v.numel() / step.numel()),
        per_slice((slice_size + kChunk - 1) / kChunk) {}
  std::int64_t count() const { return slices * per_slice; }
  std::int64_t slice(std::int64_t chunk) const { return chunk / per_slice; }
  std::int64_t first(std::int64_t chunk) const {
    return slice(chunk) * slice_size + chunk % per_slice * kChunk;
  }
  std::size_t size(std::int64_t chunk) const {
    return static_cast<std::size_t>(std::min(kChunk, slice_size - chunk % per_slice * kChunk));
  }

  template <class Work>
  void each(const Work& work) const {
    at::parallel_for(0, count(), 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t chunk = begin; chunk < end; ++chunk) work(chunk);
    });
  }
};

bool is_fused(const at::Tensor& v, const FakeQuant& how) { return v.is_cpu() && !how.composed; }

/// `step` in a shape that meets v's first dimension.
at::Tensor spread(const at::Tensor& step, const at::Tensor& v) {
  if (step.numel() == 1) return step.reshape({});
  std::vector<std::int64_t> dims(static_cast<std::size_t>(v.dim()), 1);
  dims[0] = step.numel();
  return step.reshape(dims);
}

/// The sum over what shares a step.
at::Tensor gathered(const at::Tensor& values, const at::Tensor& step) {
  return values.reshape({step.numel(), -1}).sum(1);
}

at::Tensor composed_codes(const at::Tensor& u, const FakeQuant& how) {
  const at::Tensor clipped = at::clamp(u, how.range.min, how.range.max);
  const at::Tensor even = at::round(clipped);
  if (how.rounding == Rounding::kHalfEven) return even;
  const at::Tensor rest = clipped - even;  // ties that went the other way: +-0.5
  const at::Tensor up = even + rest.eq(0.5);
  if (how.rounding == Rounding::kHalfUp) return up;
  return at::where(clipped.gt(0), up, even - rest.eq(-0.5).to(at::kFloat));
}

at::Tensor quantized(const at::Tensor& v, const at::Tensor& step, const FakeQuant& how) {
  if (!is_fused(v, how)) {
    const at::Tensor s = spread(step, v);
    return composed_codes(v / s, how) * s;
  }
  at::Tensor out = at::empty_like(v);
  const Chunks chunks(v, step);
  const float* from = v.data_ptr<float>();
  const float* steps = step.data_ptr<float>();
  float* to = out.data_ptr<float>();
  chunks.each([&](std::int64_t i) {
    const std::int64_t first = chunks.first(i);
    lsq_forward(from + first, chunks.size(i), steps[chunks.slice(i)], how.range, how.rounding,
                to + first);
  });
  return out;
}

struct Gradients {
  at::Tensor v, step;
};

Gradients lsq_gradients(const at::Tensor& v, const at::Tensor& step, const at::Tensor& gradient,
                        const FakeQuant& how) {
  if (!is_fused(v, how)) {
    const at::Tensor u = v / spread(step, v);
    const at::Tensor inside = u.gt(how.range.min).logical_and(u.lt(how.range.max));
    const at::Tensor codes = composed_codes(u, how);
    const at::Tensor slope = at::where(inside, codes - u, codes);
    return {gradient * inside, gathered(gradient * slope, step) * how.gradient_scale};
  }
  const Chunks chunks(v, step);
  Gradients result{at::empty_like(v), at::empty_like(step)};
  std::vector<double> sums(static_cast<std::size_t>(chunks.count()));
  const float* from = v.data_ptr<float>();
  const float* steps = step.data_ptr<float>();
  const float* above = gradient.data_ptr<float>();
  float* to = result.v.data_ptr<float>();
  chunks.each([&](std::int64_t i) {
    const std::int64_t first = chunks.first(i);
    sums[static_cast<std::size_t>(i)] =
        lsq_backward(from + first, above + first, chunks.size(i), steps[chunks.slice(i)], how.range,
                     how.rounding, to + first);
  });
  float* by_step = result.step.data_ptr<float>();
  for (std::int64_t slice = 0; slice < chunks.slices; ++slice) {
    double sum = 0;
    for (std::int64_t i = 0; i < chunks.per_slice; ++i) {
      sum += sums[static_cast<std::size_t>(slice * chunks.per_slice + i)];
    }
    by_step[slice] = static_cast<float>(sum * how.gradient_scale);
  }
  return result;
}

at::Tensor strictly_inside(const at::Tensor& v, const at::Tensor& scale, const at::Tensor& gradient,
                           const FakeQuant& how) {
  if (!is_fused(v, how)) {
    const at::Tensor s = spread(scale, v);
    return gradient * v.gt(s * how.range.min).logical_and(v.lt(s * how.range.max));
  }
  at::Tensor result = at::empty_like(v);
  const Chunks chunks(v, scale);
  const float* from = v.data_ptr<float>();
  const float* scales = scale.data_ptr<float>();
  const float* above = gradient.data_ptr<float>();
  float* to = result.data_ptr<float>();
  chunks.each([&](std::int64_t i) {
    const std::int64_t first = chunks.first(i);
    llsq_activation_gradient(from + first, above + first, chunks.size(i), scales[chunks.slice(i)],
                             how.range, to + first);
  });
  return result;
}

void save(AutogradContext* context, const FakeQuant& how) {
  context->saved_data["min"] = how.range.min;
  context->saved_data["max"] = how.range.max;
  context->saved_data["rounding"] = static_cast<std::int64_t>(how.rounding);
  context->saved_data["gradient_scale"] = how.gradient_scale;
  context->saved_data["composed"] = how.composed;
}

FakeQuant saved(AutogradContext* context) {
  FakeQuant how;
  how.range = {context->saved_data["min"].toInt(), context->saved_data["max"].toInt()};
  how.rounding = static_cast<Rounding>(context->saved_data["rounding"].toInt());
  how.gradient_scale = context->saved_data["gradient_scale"].toDouble();
  how.composed = context->saved_data["composed"].toBool();
  return how;
}

struct LsqFunction : torch::autograd::Function<LsqFunction> {
  static Variable forward(AutogradContext* context, const Variable& v, const Variable& step,
                          const FakeQuant& how) {
    context->save_for_backward({v, step});
    save(context, how);
    return quantized(v, step, how);
  }
  static variable_list backward(AutogradContext* context, variable_list above) {
    const variable_list inputs = context->get_saved_variables();
    const Gradients gradients =
        lsq_gradients(inputs[0], inputs[1], above[0].contiguous(), saved(context));
    return {gradients.v, gradients.step, Variable()};
  }
};

struct LlsqFunction : torch::autograd::Function<LlsqFunction> {
  static Variable forward(AutogradContext* context, const Variable& v, const Variable& scale,
                          const Variable& moves, bool is_weight, const FakeQuant& how) {
    context->save_for_backward({v, scale, moves});
    context->saved_data["is_weight"] = is_weight;
    save(context, how);
    return quantized(v, scale, how);
  }
  static variable_list backward(AutogradContext* context, variable_list above) {
    const variable_list inputs = context->get_saved_variables();
    const at::Tensor gradient = above[0].contiguous();
    const at::Tensor by_scale = -inputs[2] * inputs[1] * inputs[1];
    const bool is_weight = context->saved_data["is_weight"].toBool();
    return {is_weight ? gradient : strictly_inside(inputs[0], inputs[1], gradient, saved(context)),
            by_scale, Variable(), Variable(), Variable()};
  }
};

struct StraightThroughFunction : torch::autograd::Function<StraightThroughFunction> {
  static Variable forward(AutogradContext*, const Variable& v, const Variable& step,
                          const FakeQuant& how) {
    return quantized(v, step, how);
  }
  static variable_list backward(AutogradContext*, variable_list above) {
    return {above[0], Variable(), Variable()};
  }
};

}  // namespace

at::Tensor lsq_fake_quantize(const at::Tensor& v, const at::Tensor& step, const FakeQuant& how) {
  return LsqFunction::apply(v.contiguous(), step, how);
}

at::Tensor llsq_fake_quantize(const at::Tensor& v, const at::Tensor& scale, const at::Tensor& moves,
                              bool is_weight, const FakeQuant& how) {
  return LlsqFunction::apply(v.contiguous(), scale, moves, is_weight, how);
}

at::Tensor straight_through_quantize(const at::Tensor& v, const at::Tensor& step,
                                     const FakeQuant& how) {
  return StraightThroughFunction::apply(v.contiguous(), step, how);
}

at::Tensor llsq_moves(const at::Tensor& v, const at::Tensor& scale, const FakeQuant& how,
                      double ratio, bool absolute) {
  const at::NoGradGuard no_gradients;
  const at::Tensor values = v.detach().contiguous();
  const std::int64_t slices = scale.numel(), size = values.numel() / slices;
  const at::Tensor scales = scale.detach().to(at::kCPU);
  at::Tensor moves = at::empty_like(scales);
  // Equal errors are a tensor of zeros (keep) or a scale under which all is code 0 (shrink).
  const auto decide = [&](std::int64_t i, const LlsqErrors& errors) {
    moves.data_ptr<float>()[i] = static_cast<float>(llsq_decide(errors, errors.same == 0));
  };
  if (is_fused(values, how)) {
    // Slices are many and small (channels of weights) or one and large: then its parts are summed.
    const Chunks chunks(values, scale);
    std::vector<LlsqErrors> parts(static_cast<std::size_t>(chunks.count()));
    chunks.each([&](std::int64_t i) {
      parts[static_cast<std::size_t>(i)] =
          llsq_errors(values.data_ptr<float>() + chunks.first(i), chunks.size(i),
                      scales.data_ptr<float>()[chunks.slice(i)], how.range, ratio, absolute);
    });
    for (std::int64_t slice = 0; slice < slices; ++slice) {
      LlsqErrors sum;
      for (std::int64_t i = slice * chunks.per_slice; i < (slice + 1) * chunks.per_slice; ++i) {
        const LlsqErrors& part = parts[static_cast<std::size_t>(i)];
        const auto weight = static_cast<double>(chunks.size(i));
        sum.same += part.same * weight;
        sum.smaller += part.smaller * weight;
        sum.bigger += part.bigger * weight;
      }
      decide(slice, sum);
    }
    return moves;
  }
  // As in llsq_errors: negative values of unsigned data stand for zeros.
  const at::Tensor seen = how.range.min == 0 ? values.clamp_min(0) : values;
  const at::Tensor rows = seen.reshape({slices, size});
  const auto error = [&](double factor) {
    const at::Tensor s = (scale.detach() * factor).unsqueeze(1);
    const at::Tensor d = rows - at::clamp(at::round(rows / s), how.range.min, how.range.max) * s;
    return (absolute ? d.abs() : d.square()).to(at::kDouble).mean(1).to(at::kCPU);
  };
  const at::Tensor same = error(1), smaller = error(1 / ratio), bigger = error(ratio);
  for (std::int64_t i = 0; i < slices; ++i) {
    decide(i, {same[i].item<double>(), smaller[i].item<double>(), bigger[i].item<double>()});
  }
  return moves.to(scale.device());
}

}  // namespace bitpulse
