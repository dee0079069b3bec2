// SPDX-License-Identifier: Apache-2.0
#pragma once

// Lengths and learning rates of a training, as functions of its recipe.

#include <cstdint>

#include "models/training.h"

namespace bitpulse {

struct Schedule {
  std::int64_t steps_per_epoch =
      1;                       // whole batches; the rest of the images waits for another epoch
  std::int64_t steps = 0;      // of the optimizer, all together
  std::int64_t fold_step = 0;  // the first with batch norms folded; `steps` where there is none
};

/// images  in the training set, at least one
Schedule schedule_of(const TrainSpec& spec, std::int64_t images);

/// The rate of step 0 .. steps-1. Cosine: lr (1 + cos(pi t / T)) / 2 over the steps after the
/// warm-up, without restarts.
double learning_rate(const TrainSpec& spec, const Schedule& schedule, std::int64_t step);

}  // namespace bitpulse
