// SPDX-License-Identifier: Apache-2.0
#pragma once

// A float32 convolution by oneDNN (direct, no Winograd). Images are computed in chunks of fixed
// size, each on one thread, so that sums are formed in the same order at any thread count.

#include <cstdint>
#include <memory>

#include "models/layer.h"
#include "models/tensor.h"

namespace bitpulse {

class Convolution {
 public:
  /// weights  OIHW, I per group
  /// bias     one per output channel, or null; both must outlive this object
  Convolution(const Shape& in, const Shape& out, const Window& window, std::int64_t groups,
              const float* weights, const float* bias);
  ~Convolution();
  Convolution(Convolution&&) noexcept;
  Convolution& operator=(Convolution&&) noexcept;

  /// NCHW in and out.
  void run(const float* in, float* out, std::int64_t images, int threads);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bitpulse
