// SPDX-License-Identifier: Apache-2.0
#pragma once

// The fake quantizers of the methods that learn, by method, role and precision.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "models/workload.h"
#include "quant/train/fake_quantizer.h"

namespace bitpulse {

/// Of the weights of one layer, [outputs, ...].
///
/// bits    by output channel
/// name    of the layer, for messages
/// errors  kInvalidInput: bits that the method cannot learn
std::unique_ptr<FakeQuantizer> make_weight_quantizer(const QuantizationSpec& spec,
                                                     const std::vector<std::uint8_t>& bits,
                                                     bool is_convolution, const std::string& name,
                                                     const at::Device& device);

/// Of a feature map, [images, c, h, w].
///
/// features  elements of one image
std::unique_ptr<FakeQuantizer> make_activation_quantizer(const QuantizationSpec& spec,
                                                         Precision precision, std::int64_t features,
                                                         const at::Device& device);

}  // namespace bitpulse
