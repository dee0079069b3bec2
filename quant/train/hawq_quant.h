// SPDX-License-Identifier: Apache-2.0
#pragma once

// HAWQ-V3's fake quantizers (see quant/methods/hawq.h): nothing of them is learned. Scales of
// weights follow the weights of the moment, those of activations the ranges of the batches until
// they are frozen; gradients pass as if nothing were rounded or clipped.

#include <memory>

#include "models/workload.h"
#include "quant/train/fake_quantizer.h"
#include "quant/train/fused_quant.h"

namespace bitpulse {

/// how  its range ends at 2^(b-1) - 1
std::unique_ptr<FakeQuantizer> make_hawq_weights(const FakeQuant& how, std::int64_t channels,
                                                 const at::Device& device);

std::unique_ptr<FakeQuantizer> make_hawq_activations(const QuantizationSpec& spec,
                                                     const FakeQuant& how, Precision precision,
                                                     const at::Device& device);

}  // namespace bitpulse
