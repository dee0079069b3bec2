// SPDX-License-Identifier: Apache-2.0
#pragma once

// The reference executor: the truth about values. Multi-threaded, vectorized where a bound proves
// that no addition can leave acc_bits, in the machine's order of additions otherwise.

#include <cstdint>
#include <vector>

#include "models/io/images.h"
#include "quant/integer/accumulation.h"
#include "quant/integer/integer_network.h"
#include "quant/integer/isa.h"

namespace bitpulse {

/// Codes of stored tensors, NHWC with batch outermost; one vector per StoredTensor.
using TensorCodes = std::vector<std::vector<std::int32_t>>;

/// Codes of the network's input tensors from image bytes through the input tables.
///
/// errors  kInvalidInput: images of another shape, or not as many
TensorCodes encode_inputs(const IntegerNetwork& network, const ImageSet& images, std::int64_t first,
                          std::int64_t count);

struct ExecuteOptions {
  int threads = 1;
  bool keep_all_tensors = false;                  // else only inputs not yet dead and outputs
  std::vector<LayerAccumulation> accumulation;    // by layer; empty: 32 bits, wrap
  std::int64_t first_layer = 0, last_layer = -1;  // inclusive; -1: to the end
  Isa isa = best_isa();
};
struct ExecuteResult {
  TensorCodes tensors;                   // empty vectors where not kept
  std::vector<OverflowCounts> overflow;  // by layer
};

/// Runs `batch` images from their input codes. The result is the same at any number of threads.
///
/// errors  kInvalidInput: what validate() refuses, tensors that are missing, of another size or
/// with
///         codes beyond their precision
ExecuteResult execute(const IntegerNetwork& network, TensorCodes tensors, std::int64_t batch,
                      const ExecuteOptions& options);

}  // namespace bitpulse
