// SPDX-License-Identifier: Apache-2.0
#include "quant/train/trainer.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include "models/error.h"
#include "models/io/images.h"
#include "models/io/safetensors.h"
#include "quant/train/batches.h"
#include "quant/train/checkpoint.h"
#include "quant/train/device.h"
#include "quant/train/initial_weights.h"
#include "quant/train/loss.h"
#include "quant/train/metrics.h"
#include "quant/train/network.h"
#include "quant/train/progress.h"
#include "quant/train/quantizers.h"
#include "quant/train/schedule.h"
#include "quant/train/sgd.h"

namespace bitpulse {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t kTestBatch = 250;
constexpr std::int64_t kTests = 10;  // over a training, the last after its last step
constexpr double kHawqNormMomentum = 0.01;

Weights first_weights(const Workload& workload, std::uint64_t seed) {
  const std::string& init = workload.quantization.train.init;
  if (!init.empty()) return read_weights(init);
  if (!workload.weights_path.empty()) return read_weights(workload.weights_path);
  return initial_weights(workload.graph, seed);
}

std::int64_t count_right(const at::Tensor& logits, const at::Tensor& labels) {
  return logits.argmax(1).eq(labels).sum().item<std::int64_t>();
}

/// No decay, and what a momentum of its own keeps: how far a lasting gradient moves a step.
ParameterGroup group_of_steps(const QuantizationSpec& spec, const std::vector<NamedTensor>& steps) {
  const double usual = spec.train.momentum;
  const double own = spec.method == "llsq" ? spec.llsq.momentum.value_or(usual) : usual;
  return {steps, 0, own, (1 - own) / (1 - usual)};
}

/// Exact in text and back.
std::string text(double value) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%a", value);
  return buffer;
}

/// Sums since the epoch began.
struct Running {
  double loss = 0;
  std::int64_t steps = 0, right = 0, images = 0;
  double mean_loss() const { return steps == 0 ? 0 : loss / static_cast<double>(steps); }
  double top1() const {
    return images == 0 ? 0 : static_cast<double>(right) / static_cast<double>(images);
  }
};

class Trainer {
 public:
  Trainer(const Workload& workload, const TrainOptions& options)
      : workload_(workload),
        spec_(workload.quantization.train),
        options_(options),
        seed_(spec_.seed.value_or(workload.seed)),
        device_(find_device(options.device)),
        images_(labelled_images(workload, Split::kTrain, spec_.images)),
        schedule_(schedule_of(spec_, images_.count)),
        batches_(images_, workload.data, spec_, seed_),
        network_(workload.graph, first_weights(workload, seed_), device_),
        quantizers_(workload, device_),
        sgd_({{network_.parameters(), spec_.weight_decay, spec_.momentum},
              group_of_steps(workload.quantization, quantizers_.steps())}) {
    if (workload.quantization.method == "hawq") network_.norm_momentum = kHawqNormMomentum;
    if (workload.data.has_test()) test_ = labelled_images(workload, Split::kTest, -1);
    if (spec_.distill > 0) make_teacher();
    if (spec_.resume && std::filesystem::exists(checkpoint_path())) resume();
    if (step_ == 0 && !quantizers_.steps().empty()) set_steps();
  }

  TrainResult run() {
    Metrics metrics(options_.out + "/metrics.csv", step_);
    {
      TrainProgress progress("train", "step", step_, schedule_.steps);
      bool stop = false;
      while (step_ < schedule_.steps && !stop) {
        train_step();
        progress.update(step_, [this] { return state(); });
        const bool epoch_ends = step_ % schedule_.steps_per_epoch == 0 || step_ == schedule_.steps;
        if (epoch_ends) end_epoch(metrics);
        stop = must_stop();
        if (epoch_ends || stop || seconds_since(saved_) >= options_.checkpoint_seconds)
          save_checkpoint();
      }
    }
    return finish();
  }

 private:
  std::string checkpoint_path() const { return options_.out + "/checkpoint.safetensors"; }

  static double seconds_since(Clock::time_point then) {
    return std::chrono::duration<double>(Clock::now() - then).count();
  }
  double seconds() const { return earlier_seconds_ + seconds_since(start_); }

  /// For the progress line.
  std::string state() const {
    char line[64];
    std::snprintf(line, sizeof line, "epoch %.1f, loss %.4f, top-1 %.2f %%, ",
                  static_cast<double>(step_) / static_cast<double>(schedule_.steps_per_epoch),
                  running_.mean_loss(), 100 * running_.top1());
    return line;
  }

  bool must_stop() const {
    return (options_.told_to_stop && options_.told_to_stop()) || step_ == options_.stop_step ||
           (options_.max_seconds > 0 && seconds_since(start_) >= options_.max_seconds);
  }

  void make_teacher() {
    if (workload_.weights_path.empty())
      throw Error(ErrorKind::kInvalidInput,
                  "/quantization/train/distill: found no teacher, expected \"weights\"");
    teacher_.emplace(workload_.graph, read_weights(workload_.weights_path), device_);
  }

  /// The first batch sets the quantizers' steps.
  void set_steps() {
    const at::NoGradGuard no_gradients;
    network_.forward(on_device(batches_.at(0)), false, &quantizers_);
  }

  at::Tensor on_device(const LabelledBatch& batch) const {
    const Shape& shape = images_.shape;
    return to_tensor(batch.values, {batch.count, shape.c, shape.h, shape.w}, device_);
  }
  at::Tensor labels_on_device(const LabelledBatch& batch) const {
    return at::tensor(batch.labels, at::kLong).to(device_);
  }

  void train_step() {
    const LabelledBatch batch = batches_.at(step_);
    const at::Tensor inputs = on_device(batch), labels = labels_on_device(batch);
    at::Tensor wanted;
    if (teacher_) {
      const at::NoGradGuard no_gradients;
      wanted = teacher_->forward(inputs, false);
    }
    if (step_ >= schedule_.fold_step) quantizers_.fold(network_);
    sgd_.zero_gradients();
    const at::Tensor logits = network_.forward(inputs, true, &quantizers_);
    const at::Tensor loss = training_loss(logits, labels, wanted, spec_.distill, spec_.temperature);
    const double value = loss.item<double>();
    if (!std::isfinite(value)) fail_at_layer(inputs);
    loss.backward();
    sgd_.step(learning_rate(spec_, schedule_, step_));
    quantizers_.after_step();
    ++step_;
    running_.loss += value;
    ++running_.steps;
    running_.right += count_right(logits.detach(), labels);
    running_.images += batch.count;
  }

  /// Finds where the first value that is not finite stands, and ends the training there.
  [[noreturn]] void fail_at_layer(const at::Tensor& inputs) {
    const at::NoGradGuard no_gradients;
    std::string place;
    for (const NamedTensor& parameter : model_tensors())
      if (place.empty() && !is_finite(parameter.value)) place = "parameter " + parameter.name;
    network_.observer = [&](NodeId id, const at::Tensor& value) {
      if (!place.empty() || is_finite(value)) return;
      place = "the output of layer " + workload_.graph.nodes[static_cast<std::size_t>(id)].name;
    };
    network_.forward(inputs, true, &quantizers_);
    network_.observer = nullptr;
    fail(place.empty() ? "the loss" : place);
  }

  [[noreturn]] void fail(const std::string& place) const {
    const bool saved = std::filesystem::exists(checkpoint_path());
    throw Error(ErrorKind::kCheckFailed,
                "training stopped after step " + std::to_string(step_) + ": " + place +
                    " is not finite (a smaller learning rate may help); " +
                    (saved ? "the last checkpoint is kept: " + checkpoint_path()
                           : "there is no checkpoint yet"));
  }

  static bool is_finite(const at::Tensor& value) {
    return at::isfinite(value.detach()).all().item<bool>();
  }

  std::int64_t count_test_right() {
    const at::NoGradGuard no_gradients;
    std::int64_t right = 0;
    for (std::int64_t first = 0; first < test_->count; first += kTestBatch) {
      const LabelledBatch batch =
          plain_batch(*test_, workload_.data, first, std::min(kTestBatch, test_->count - first));
      right += count_right(network_.forward(on_device(batch), false, &quantizers_),
                           labels_on_device(batch));
    }
    return right;
  }

  void end_epoch(Metrics& metrics) {
    MetricsRow row;
    row.step = step_;
    row.epoch = static_cast<double>(step_) / static_cast<double>(schedule_.steps_per_epoch);
    row.lr = learning_rate(spec_, schedule_, step_ - 1);
    row.loss = running_.mean_loss();
    row.train_top1 = running_.top1();
    const std::int64_t before = std::max<std::int64_t>(step_ - schedule_.steps_per_epoch, 0);
    const bool test_due = step_ * kTests / schedule_.steps > before * kTests / schedule_.steps;
    if (test_ && test_due) {
      test_right_ = count_test_right();
      row.test_top1 = static_cast<double>(*test_right_) / static_cast<double>(test_->count);
    }
    row.seconds = seconds();
    metrics.add(row);
    running_ = {};
  }

  /// What the trained model is made of.
  std::vector<NamedTensor> model_tensors() const {
    std::vector<NamedTensor> model = network_.parameters();
    model.insert(model.end(), network_.buffers().begin(), network_.buffers().end());
    model.insert(model.end(), quantizers_.steps().begin(), quantizers_.steps().end());
    return model;
  }

  std::vector<NamedTensor> kept_tensors() const {
    std::vector<NamedTensor> kept = model_tensors();
    kept.insert(kept.end(), sgd_.state().begin(), sgd_.state().end());
    return kept;
  }

  void save_checkpoint() {
    for (const NamedTensor& tensor : kept_tensors())
      if (!is_finite(tensor.value)) fail(tensor.name);
    save_tensors(checkpoint_path(), kept_tensors(),
                 {{"recipe", options_.recipe},
                  {"step", std::to_string(step_)},
                  {"seconds", text(seconds())},
                  {"loss", text(running_.loss)},
                  {"loss_steps", std::to_string(running_.steps)},
                  {"right", std::to_string(running_.right)},
                  {"images", std::to_string(running_.images)}});
    saved_ = Clock::now();
  }

  void resume() {
    const Facts facts = load_tensors(checkpoint_path(), kept_tensors());
    if (facts.at("recipe") != options_.recipe)
      throw Error(ErrorKind::kInvalidInput,
                  checkpoint_path() +
                      ": found the checkpoint of another recipe, expected this "
                      "one's; choose another folder, remove it, or set "
                      "/quantization/train/resume to false");
    step_ = std::stoll(facts.at("step"));
    if (step_ > schedule_.fold_step) quantizers_.fold(network_);
    earlier_seconds_ = std::stod(facts.at("seconds"));
    running_.loss = std::stod(facts.at("loss"));
    running_.steps = std::stoll(facts.at("loss_steps"));
    running_.right = std::stoll(facts.at("right"));
    running_.images = std::stoll(facts.at("images"));
  }

  TrainResult finish() {
    TrainResult result{step_ == schedule_.steps, step_, schedule_.steps, quantizers_.floor_hits()};
    if (!result.finished) return result;
    if (test_) {
      result.test_images = test_->count;
      result.test_right = test_right_ ? *test_right_ : count_test_right();
    }
    save_tensors(options_.out + "/model.safetensors", model_tensors(),
                 {{"recipe", options_.recipe}, {"steps", std::to_string(step_)}});
    return result;
  }

  const Workload& workload_;
  const TrainSpec& spec_;
  const TrainOptions& options_;
  const std::uint64_t seed_;
  const Clock::time_point start_ = Clock::now();
  at::Device device_;
  ImageSet images_;
  std::optional<ImageSet> test_;
  Schedule schedule_;
  TrainingBatches batches_;
  TorchNetwork network_;
  std::optional<TorchNetwork> teacher_;
  Quantizers quantizers_;
  Sgd sgd_;
  std::int64_t step_ = 0;
  std::optional<std::int64_t> test_right_;  // when it was last counted in this run
  Running running_;
  double earlier_seconds_ = 0;
  Clock::time_point saved_ = Clock::now();
};

}  // namespace

TrainResult train(const Workload& workload, const TrainOptions& options) {
  at::set_num_threads(options.threads);
  if (workload.graph.inputs.size() != 1 || workload.graph.outputs.size() != 1)
    throw Error(ErrorKind::kInvalidInput,
                "training: found a network of several inputs or "
                "outputs, expected one of each");
  return Trainer(workload, options).run();
}

}  // namespace bitpulse
