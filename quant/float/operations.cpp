// SPDX-License-Identifier: Apache-2.0
#include "quant/float/operations.h"

#include <algorithm>
#include <limits>

#include "quant/integer/parallel.h"

namespace bitpulse {

namespace {

FloatBatch like(const FloatBatch& in, const Shape& shape) {
  return {in.batch, shape,
          std::vector<float>(static_cast<std::size_t>(in.batch * shape.elements()))};
}

/// Calls plane(in, out, channel) for every channel of every image.
template <class Plane>
FloatBatch by_plane(const FloatBatch& in, const Shape& shape, int threads, const Plane& plane) {
  FloatBatch out = like(in, shape);
  parallel_for(threads, in.batch, [&](std::int64_t b, int) {
    for (std::int64_t c = 0; c < shape.c; ++c)
      plane(in.data.data() + (b * in.shape.c + c) * in.shape.pixels(),
            out.data.data() + (b * shape.c + c) * shape.pixels(), c);
  });
  return out;
}

/// Folds `combine` over the window of each output pixel; taps outside the input are left out.
template <class Combine, class Finish>
FloatBatch pool(const FloatBatch& in, const Window& w, const Shape& shape, int threads,
                float initial, const Combine& combine, const Finish& finish) {
  const std::int64_t height = in.shape.h, width = in.shape.w;
  return by_plane(in, shape, threads, [&](const float* src, float* dst, std::int64_t) {
    for (std::int64_t y = 0; y < shape.h; ++y) {
      for (std::int64_t x = 0; x < shape.w; ++x) {
        float value = initial;
        for (std::int64_t ky = 0; ky < w.kernel_h; ++ky) {
          const std::int64_t row = y * w.stride_h - w.pad_top + ky * w.dilation_h;
          if (row < 0 || row >= height) continue;
          for (std::int64_t kx = 0; kx < w.kernel_w; ++kx) {
            const std::int64_t col = x * w.stride_w - w.pad_left + kx * w.dilation_w;
            if (col >= 0 && col < width) value = combine(value, src[row * width + col]);
          }
        }
        *dst++ = finish(value);
      }
    }
  });
}

}  // namespace

FloatBatch scale_channels(const FloatBatch& in, const std::vector<float>& scale,
                          const std::vector<float>& shift, int threads) {
  return by_plane(in, in.shape, threads, [&](const float* src, float* dst, std::int64_t c) {
    const float a = scale[static_cast<std::size_t>(c)], b = shift[static_cast<std::size_t>(c)];
    for (std::int64_t i = 0; i < in.shape.pixels(); ++i) dst[i] = src[i] * a + b;
  });
}

FloatBatch activate(const FloatBatch& in, const Activation& activation, int threads) {
  const auto slope = static_cast<float>(activation.negative_slope);
  const auto max = static_cast<float>(activation.max);
  return by_plane(in, in.shape, threads, [&](const float* src, float* dst, std::int64_t) {
    for (std::int64_t i = 0; i < in.shape.pixels(); ++i) {
      const float below = src[i] * slope;  // both sides computed: selects vectorize
      dst[i] = std::min(src[i] < 0 ? below : src[i], max);
    }
  });
}

FloatBatch max_pool(const FloatBatch& in, const Window& window, const Shape& out, int threads) {
  return pool(
      in, window, out, threads, -std::numeric_limits<float>::infinity(),
      [](float a, float b) { return std::max(a, b); }, [](float v) { return v; });
}

FloatBatch average_pool(const FloatBatch& in, const Window& window, const Shape& out, int threads) {
  const auto area = static_cast<float>(window.kernel_h * window.kernel_w);
  return pool(
      in, window, out, threads, 0, [](float a, float b) { return a + b; },
      [area](float v) { return v / area; });
}

FloatBatch add(const FloatBatch& a, const FloatBatch& b) {
  FloatBatch out = a;
  for (std::size_t i = 0; i < out.data.size(); ++i) out.data[i] += b.data[i];
  return out;
}

FloatBatch concatenate(const std::vector<const FloatBatch*>& inputs, const Shape& shape) {
  FloatBatch out = like(*inputs[0], shape);
  float* dst = out.data.data();
  for (std::int64_t b = 0; b < out.batch; ++b)
    for (const FloatBatch* in : inputs) {
      const std::int64_t size = in->shape.elements();
      dst = std::copy_n(in->data.data() + b * size, size, dst);
    }
  return out;
}

FloatBatch reorg(const FloatBatch& in, std::int64_t stride, const Shape& shape) {
  FloatBatch out = like(in, shape);
  float* dst = out.data.data();
  for (std::int64_t b = 0; b < in.batch; ++b)
    for (std::int64_t block = 0; block < stride * stride; ++block)
      for (std::int64_t c = 0; c < in.shape.c; ++c) {
        const float* src = in.data.data() + (b * in.shape.c + c) * in.shape.pixels() +
                           block / stride * in.shape.w + block % stride;
        for (std::int64_t y = 0; y < shape.h; ++y)
          for (std::int64_t x = 0; x < shape.w; ++x)
            *dst++ = src[y * stride * in.shape.w + x * stride];
      }
  return out;
}

FloatBatch slice_pad(const FloatBatch& in, const SlicePad& slice, const Shape& shape) {
  FloatBatch out = like(in, shape);
  for (std::int64_t b = 0; b < in.batch; ++b)
    for (std::int64_t c = 0; c < in.shape.c; ++c) {
      const float* src = in.data.data() + (b * in.shape.c + c) * in.shape.pixels();
      float* dst = out.data.data() + (b * shape.c + c + slice.channels_before) * shape.pixels();
      for (std::int64_t y = 0; y < shape.h; ++y)
        for (std::int64_t x = 0; x < shape.w; ++x)
          *dst++ = src[y * slice.stride * in.shape.w + x * slice.stride];
    }
  return out;
}

ChannelStatistics channel_statistics(const FloatBatch& in, int threads) {
  const auto channels = static_cast<std::size_t>(in.shape.c);
  ChannelStatistics result{std::vector<double>(channels), std::vector<double>(channels)};
  const std::int64_t pixels = in.shape.pixels();
  const auto count = static_cast<double>(in.batch * pixels);
  parallel_for(threads, in.shape.c, [&](std::int64_t c, int) {
    const auto sum = [&](const auto& term) {
      double total = 0;
      for (std::int64_t b = 0; b < in.batch; ++b) {
        const float* src = in.data.data() + (b * in.shape.c + c) * pixels;
        for (std::int64_t i = 0; i < pixels; ++i) total += term(static_cast<double>(src[i]));
      }
      return total;
    };
    const double mean = sum([](double v) { return v; }) / count;
    result.mean[static_cast<std::size_t>(c)] = mean;
    result.variance[static_cast<std::size_t>(c)] =
        sum([mean](double v) { return (v - mean) * (v - mean); }) / count;
  });
  return result;
}

}  // namespace bitpulse
