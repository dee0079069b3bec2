// SPDX-License-Identifier: Apache-2.0
#include "models/layer.h"

namespace bitpulse {
namespace {

// In the order of the variant.
constexpr const char* kNames[] = {"input", "conv2d",     "linear",   "gemm",     "batch_norm",
                                  "relu",  "leaky_relu", "max_pool", "avg_pool", "global_avg_pool",
                                  "add",   "concat",     "reorg",    "flatten",  "slice_pad"};
static_assert(sizeof(kNames) / sizeof(kNames[0]) == std::variant_size_v<Layer>);

}  // namespace

const char* kind_name(const Layer& layer) { return kNames[layer.index()]; }

}  // namespace bitpulse
