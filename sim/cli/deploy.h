// SPDX-License-Identifier: Apache-2.0
#pragma once

// From a workload to integers: weights from their file or a seed, calibration images, the
// quantization method of that name.

#include <optional>
#include <string>
#include <vector>

#include "models/io/images.h"
#include "models/workload.h"
#include "quant/integer/integer_network.h"
#include "sim/cli/progress.h"

namespace bitpulse {

struct Method {
  const char* name;
  const char* summary;
  IntegerNetwork (*quantize)(const Workload&, const Weights&, const ImageSet& calibration,
                             int threads);
};
const std::vector<Method>& methods();

/// errors  kInvalidInput: no method of that name makes integers
const Method& method_of(const Workload& workload);

/// The first `count` images of a split of the workload's data, or seeded ones where it has none.
ImageSet load_images(const Workload& workload, Split split, std::int64_t count);

struct Deployment {
  Weights weights;
  IntegerNetwork network;  // with parameters
};

/// Takes the integers the workload names, or quantizes.
///
/// errors  kInvalidInput: unknown method, a method that learns without integers, integers of
///         another network, and the readers' and the method's own
Deployment deploy(const Workload& workload, int threads, Progress& progress);

/// The trained model beside the workload's integers, model.safetensors; nothing without one.
std::optional<Weights> trained_model(const Workload& workload);

/// The integers of `weights`, measured on the workload's calibration images.
IntegerNetwork quantize(const Workload& workload, const Weights& weights, int threads);

}  // namespace bitpulse
