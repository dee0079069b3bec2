// SPDX-License-Identifier: Apache-2.0
#pragma once

// From a workload to integers: weights from their file or a seed, calibration images, the
// quantization method of that name.

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

/// Files a deployment reads, for the hashes of a report: weights and image sets of that split.
std::vector<std::string> weight_files(const Workload& workload);
std::vector<std::string> image_files(const DataSpec& data, Split split);

/// The workload's weights: read from its file, or seeded.
Weights load_weights(const Workload& workload, int threads);

/// Images of the workload's data, or seeded ones. errors kInvalidInput where the network has no
/// single image input
ImageSet load_images(const Workload& workload, Split split, std::int64_t first, std::int64_t count);

/// The deployed network with parameters. errors kInvalidInput: unknown method, and the method's own
IntegerNetwork deploy(const Workload& workload, const Weights& weights, int threads,
                      Progress& progress);

}  // namespace bitpulse
