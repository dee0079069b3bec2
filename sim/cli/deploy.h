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

/// The files that deploying and feeding the workload reads: weights, images, labels, scales.
std::vector<std::string> data_files(const Workload& workload);

/// The first `count` images of a split of the workload's data, or seeded ones where it has none.
ImageSet load_images(const Workload& workload, Split split, std::int64_t count);

struct Deployment {
  Weights weights;
  IntegerNetwork network;  // with parameters
};

/// errors  kInvalidInput: unknown method, and the readers' and the method's own
Deployment deploy(const Workload& workload, int threads, Progress& progress);

}  // namespace bitpulse
