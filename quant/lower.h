// SPDX-License-Identifier: Apache-2.0
#pragma once

// Graph to integer network: which nodes fuse into one layer, which tensors are stored, at which
// widths. The structure needs no values, so timing does not wait for a calibration.

#include "models/workload.h"
#include "quant/integer/integer_network.h"

namespace bitpulse {

/// The structure of the deployed network (has_parameters = false).
///
/// errors  kInvalidInput naming the node: batch norm without a convolution before it, a pattern in
///         "layers" that matches nothing, weight runs that do not cover the channels, ...
IntegerNetwork lower(const Workload& workload);

}  // namespace bitpulse
