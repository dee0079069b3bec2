// SPDX-License-Identifier: Apache-2.0
#pragma once

// The "quantization" of a workload: method, bits, and for methods that learn how they are trained.

#include "models/io/json.h"
#include "models/workload.h"

namespace bitpulse {

/// errors  see json.h; every unknown key, wrong type, value out of range, and keys of another
///         method
QuantizationSpec read_quantization(const JsonValue& json);

/// The recipe of the method's paper for its bits: LSQ 90 epochs at a rate of 0.01 (8 bits: one at
/// 0.001), weight decay 1e-4, 0.5e-4 at 3 and 0.25e-4 at 2 bits; LLSQ 100 epochs at 2e-4, decay
/// 1e-4; HAWQ-V3 90 epochs (8 bits: one) at 1e-4, a tenth of it after every 30, decay 1e-4; float
/// 90 epochs at 0.1.
TrainSpec published_training(const QuantizationSpec& spec);

/// "train": the recipe of a training; `published` where a key is absent.
TrainSpec read_train(const JsonValue& json, const TrainSpec& published);

/// "lsq", "llsq" and "hawq": what the methods leave open.
LsqSpec read_lsq(const JsonValue& json);
LlsqSpec read_llsq(const JsonValue& json);
HawqSpec read_hawq(const JsonValue& json);

}  // namespace bitpulse
