// SPDX-License-Identifier: Apache-2.0
#pragma once

// How much the loss feels the inputs of layers with weights (HAWQ-V2, Dong et al., NeurIPS 2020,
// "mixed precision activation"): the Hessian in the activations has a block per image, so its trace
// is estimated image by image and averaged.

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "models/graph.h"
#include "quant/train/hutchinson.h"
#include "quant/train/network.h"

namespace bitpulse {

/// Images [count, c, h, w] and their labels [count].
struct LabelledTensors {
  at::Tensor inputs, labels;
};

struct ActivationTrace {
  std::int64_t elements = 0;            // of the layer's input, per image
  TraceEstimate estimate;               // of the mean image's block, not per element
  std::map<int, double> squared_error;  // of the mean image, by width from 2 to 8
};

/// Called with the images done, 0 first, and their number.
using ActivationProgress = std::function<void(std::int64_t done, std::int64_t images)>;

/// One entry per node of `layers`, which have weights.
///
/// batches     of images; the loss is the mean over all of them
/// hutchinson  `draws` vectors for every image; never ends early
/// progress    may be empty
/// errors      kCheckFailed: a product is not finite
std::vector<ActivationTrace> activation_traces(TorchNetwork& network,
                                               const std::vector<NodeId>& layers,
                                               const std::vector<LabelledTensors>& batches,
                                               const HutchinsonOptions& hutchinson, int threads,
                                               const ActivationProgress& progress);

/// A width's loss in the choice of bits: average trace times squared error. An estimate below its
/// standard error is not told from it: 0 would make the fewest bits free.
double activation_loss(const ActivationTrace& activation, int bits);

}  // namespace bitpulse
