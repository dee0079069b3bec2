// SPDX-License-Identifier: Apache-2.0
#pragma once

// Trains a workload's network and leaves in a folder:
//   model.safetensors       weights under their own names, learned steps beside them
//   metrics.csv             one row per epoch
//   checkpoint.safetensors  all that resuming takes, bit for bit at the same number of threads
// Order, augmentation and initial weights are functions of the seed and the step, so a checkpoint
// holds no random state.

#include <cstdint>
#include <functional>
#include <string>

#include "models/workload.h"

namespace bitpulse {

struct TrainOptions {
  std::string out;     // an existing folder
  std::string recipe;  // text that a checkpoint must share to be resumed
  std::string device = "cpu";
  int threads = 1;
  double max_seconds = 0;              // of this run; 0: no end
  double checkpoint_seconds = 60;      // between checkpoints; each epoch's end makes one, too
  std::int64_t stop_step = -1;         // ends as if told to after so many steps; -1: never
  std::function<bool()> told_to_stop;  // asked after every step; may be empty
};

struct TrainResult {
  bool finished = false;  // false: stopped early; run again to go on
  std::int64_t step = 0, steps = 0;
  std::int64_t floor_hits = 0;                   // steps lifted to their floor in this run
  std::int64_t test_images = 0, test_right = 0;  // of the finished model; 0 without a test set
};

/// errors  kInvalidInput: no training images, an image without a label, weights that do not fit, a
///         checkpoint of another recipe, a device that is not there; kCheckFailed: the loss is not
///         finite, naming the layer (the last checkpoint stays); readers' and writers' errors
TrainResult train(const Workload& workload, const TrainOptions& options);

}  // namespace bitpulse
