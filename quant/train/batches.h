// SPDX-License-Identifier: Apache-2.0
#pragma once

// Batches of training images, shuffled and augmented: each a function of seed and step alone.

#include <cstdint>
#include <vector>

#include "models/io/images.h"
#include "models/workload.h"
#include "quant/train/schedule.h"

namespace bitpulse {

/// Real inputs, NCHW, with their labels.
struct LabelledBatch {
  std::int64_t count = 0;
  std::vector<float> values;
  std::vector<std::int64_t> labels;
};

/// The first `count` images of a split (count < 0: all).
///
/// errors  kInvalidInput: none, or one without a label; the readers' own
ImageSet labelled_images(const Workload& workload, Split split, std::int64_t count);

/// Images first .. first+count-1 as they are.
LabelledBatch plain_batch(const ImageSet& images, const DataSpec& data, std::int64_t first,
                          std::int64_t count);

class TrainingBatches {
 public:
  /// images  all labelled; must outlive this object
  TrainingBatches(const ImageSet& images, const DataSpec& data, const TrainSpec& spec,
                  std::uint64_t seed);

  /// Of step 0, 1, ...: each epoch is a new order of all images.
  LabelledBatch at(std::int64_t step);

 private:
  void shuffle(std::int64_t epoch);

  const ImageSet& images_;
  const DataSpec data_;
  const TrainSpec spec_;
  const std::uint64_t seed_;
  const std::int64_t steps_per_epoch_;
  std::int64_t epoch_ = -1;  // whose order is in order_
  std::vector<std::int64_t> order_;
};

}  // namespace bitpulse
