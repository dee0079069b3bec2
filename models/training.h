// SPDX-License-Identifier: Apache-2.0
#pragma once

// How a network is trained: the recipe of "train" in a workload, and what the quantizers of LSQ
// (Esser et al., ICLR 2020), LLSQ (Zhao et al., ICLR 2020) and HAWQ-V3 (Yao et al., ICML 2021)
// leave open.

#include <cstdint>
#include <optional>
#include <string>

namespace bitpulse {

enum class LearningRateSchedule : std::uint8_t { kCosine, kStep, kConstant };

/// Stochastic gradient descent with momentum. Lengths in epochs may be fractions.
struct TrainSpec {
  double epochs = 1;
  std::int64_t steps = 0;  // of the optimizer; 0: as many as `epochs` take
  std::int64_t batch = 128;
  double lr = 0.01;
  double momentum = 0.9;
  double weight_decay = 1e-4;  // of weights and biases; steps and batch norms have their own rules
  LearningRateSchedule schedule = LearningRateSchedule::kCosine;
  double step_epochs = 20;   // kStep: every so many epochs ...
  double step_factor = 0.1;  // ... the rate is multiplied by this
  double warmup_epochs = 0;  // the rate grows from warmup_from * lr to lr
  double warmup_from = 0;
  std::int64_t crop_pad = 0;          // random crop out of an image padded by so many pixels
  bool flip = false;                  // left and right, every other time
  double distill = 0;                 // share of the teacher (the float network) in the loss
  double temperature = 4;             // of the teacher's and the student's softmax
  double fold_epochs = 0;             // of all epochs, so many at the end with batch norms folded
  std::int64_t images = -1;           // the first so many training images; -1: all
  std::optional<std::uint64_t> seed;  // of order, augmentation, initial weights; none: workload's
  std::string init;    // model.safetensors of another training to start from; "" : `weights`
  bool resume = true;  // go on from the checkpoint in the output folder, if there is one
};

/// Rule of the first step (scale) of a tensor.
enum class StepInit : std::uint8_t { kPaper, kMse };

/// Default: as published.
struct LsqSpec {
  bool per_channel = false;          // weights: one step per output channel
  StepInit init = StepInit::kPaper;  // 2 mean|v| / sqrt(Q_P), or the least square error
  bool gradient_scale = true;        // g = 1 / sqrt(N Q_P); false: g = 1
  double gradient_factor = 1;        // g is multiplied by this
  bool batch_features = false;       // N of activations counts the batch, too
};

enum class LlsqUpdate : std::uint8_t { kSimulatedGradient, kEma };
/// kDeploy: first and last layers at `first_last` bits. The authors': q leaves them float (trains
/// and evaluates only); qfn has an 8-bit signed input and b-bit weights and activations
/// everywhere; qfi as qfn with an 8-bit input of the last layer.
enum class LlsqRecipe : std::uint8_t { kDeploy, kQ, kQfn, kQfi };

/// Default: the authors' code.
struct LlsqSpec {
  LlsqRecipe recipe = LlsqRecipe::kDeploy;
  LlsqUpdate update = LlsqUpdate::kSimulatedGradient;
  bool per_channel = true;         // convolution weights; fully connected layers have one scale
  bool absolute_error = false;     // mean |error| decides, not the mean square
  double ratio = 2;                // the scales compared are a / ratio, a and a * ratio
  bool power_of_two = false;       // activation scales
  std::optional<double> momentum;  // of scales; none: TrainSpec's
};

/// How the range of an activation follows the ranges of the batches.
enum class HawqRange : std::uint8_t { kAverage, kExtremes };

/// Default: the published recipes.
struct HawqSpec {
  HawqRange range = HawqRange::kAverage;  // moving average, or all that was ever seen
  double momentum = 0.99;                 // of the average: the share that stays
  std::int64_t batch = 128;               // images of a range, in calibration
};

}  // namespace bitpulse
