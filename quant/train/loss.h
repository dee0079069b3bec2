// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a classifier minimizes: cross entropy, and with a teacher the distance between softened
// outputs (Hinton et al., "Distilling the Knowledge in a Neural Network", 2015).

#include <ATen/ATen.h>

namespace bitpulse {

/// (1 - share) cross_entropy(logits, labels)
///   + share T^2 mean over images of KL(softmax(teacher / T) || softmax(logits / T)).
///
/// teacher  logits without gradients; undefined where share is 0
at::Tensor training_loss(const at::Tensor& logits, const at::Tensor& labels,
                         const at::Tensor& teacher, double share, double temperature);

}  // namespace bitpulse
