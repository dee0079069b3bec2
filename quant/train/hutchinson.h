// SPDX-License-Identifier: Apache-2.0
#pragma once

// Traces of the diagonal blocks of a Hessian by Hutchinson's estimator, as HAWQ-V2 takes them (Dong
// et al., NeurIPS 2020): E[z^T H z] over vectors z of +1 and -1. One z spans all blocks; products
// of different blocks have mean 0.

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>
#include <vector>

namespace bitpulse {

/// How H z is computed: by differentiating the gradient, or as the central difference of gradients
/// at w + e z and w - e z. A difference costs about half, but where a ReLU changes sides between
/// the two it sees a curvature that the derivative does not, so it serves as a check.
enum class HessianProduct : std::uint8_t { kDoubleBackward, kFiniteDifference };

struct HutchinsonOptions {
  std::int64_t draws = 50;  // at most
  /// Ends when a draw moves no block's mean by more than this share of its magnitude; 0: never.
  double tolerance = 1e-3;
  std::uint64_t seed = 1;
  HessianProduct product = HessianProduct::kDoubleBackward;
  double step = 1e-5;                                // of a difference: |e z| as a share of |w|
  std::function<void(std::int64_t draws)> progress;  // called after every draw; may be empty
};

struct TraceEstimate {
  double trace = 0;           // may be negative: a Hessian need not be definite
  double standard_error = 0;  // of the mean of the draws
  std::int64_t draws = 0;
};

/// A differentiable function of the blocks: the sum of its parts, each computed when it is needed.
struct SummedLoss {
  std::int64_t parts = 1;
  std::function<at::Tensor(std::int64_t part)> part;
};

/// One estimate per block.
///
/// blocks  leaves with gradients; what a difference moves is put back bit for bit
/// errors  kCheckFailed: a product is not finite
std::vector<TraceEstimate> hutchinson_traces(const std::vector<at::Tensor>& blocks,
                                             const SummedLoss& loss,
                                             const HutchinsonOptions& options);

}  // namespace bitpulse
