// SPDX-License-Identifier: Apache-2.0
#pragma once

// Accuracy of a deployed network over its test images; the integers come from the reference
// executor, in the machine's order of additions where there is a machine.

#include <optional>

#include "quant/evaluate.h"
#include "sim/cli/deploy.h"
#include "sim/cli/progress.h"
#include "sim/machine.h"

namespace bitpulse {

/// The layers' orders of additions when the machine runs `batch` images at a time; all 32 bits,
/// wrap, without a machine.
std::vector<LayerAccumulation> accumulation_on(const std::optional<Machine>& machine,
                                               const IntegerNetwork& network, std::int64_t batch);

/// images, twin_images  the first so many, of these the first so many through the twin; -1: all
Accuracy measure_accuracy(const Workload& workload, const Deployment& deployment,
                          const std::vector<LayerAccumulation>& accumulation, std::int64_t images,
                          std::int64_t twin_images, int threads, Progress& progress);

/// What the images are: "cifar10 test.bin".
std::string dataset_name(const DataSpec& data);

}  // namespace bitpulse
