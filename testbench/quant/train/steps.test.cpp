// SPDX-License-Identifier: Apache-2.0
// The parts of a training step: rates, batches, loss, descent.

#include <algorithm>
#include <cmath>
#include <set>

#include "models/random.h"
#include "quant/train/batches.h"
#include "quant/train/loss.h"
#include "quant/train/schedule.h"
#include "quant/train/sgd.h"
#include "testbench/quant/train/torch_catch.h"

namespace bitpulse {

namespace {

/// Images whose pixel (y, x) of image i is 100 i + 10 y + x, all below 256.
ImageSet numbered_images(std::int64_t count) {
  ImageSet images;
  images.shape = {1, 4, 4};
  images.count = count;
  for (std::int64_t i = 0; i < count; ++i) {
    images.labels.push_back(static_cast<std::int32_t>(i));
    for (int y = 0; y < 4; ++y)
      for (int x = 0; x < 4; ++x)
        images.pixels.push_back(static_cast<std::uint8_t>(1 + 16 * i + 4 * y + x));
  }
  return images;
}

DataSpec bytes_as_they_are() {
  DataSpec data;
  data.scale = 1;
  data.mean = {0};
  data.std_dev = {1};
  return data;
}

}  // namespace

TEST_CASE("the cosine rate starts at lr after its warm-up and halves midway", "[train]") {
  TrainSpec spec;
  spec.lr = 0.4;
  spec.epochs = 10;
  spec.batch = 10;
  const Schedule schedule = schedule_of(spec, 105);
  CHECK(schedule.steps_per_epoch == 10);
  CHECK(schedule.steps == 100);
  CHECK(learning_rate(spec, schedule, 0) == Approx(0.4));
  CHECK(learning_rate(spec, schedule, 50) == Approx(0.2));
  CHECK(learning_rate(spec, schedule, 75) == Approx(0.2 * (1 - std::sqrt(0.5))));
  CHECK(learning_rate(spec, schedule, 99) < 0.001);
  spec.warmup_epochs = 2;
  spec.warmup_from = 0.4;
  CHECK(learning_rate(spec, schedule, 0) == Approx(0.4 * (0.4 + 0.6 / 21)));
  CHECK(learning_rate(spec, schedule, 19) < 0.4);
  CHECK(learning_rate(spec, schedule, 20) == Approx(0.4));
  CHECK(learning_rate(spec, schedule, 60) == Approx(0.2));
}

TEST_CASE("the step schedule multiplies the rate at whole periods", "[train]") {
  TrainSpec spec;
  spec.lr = 1;
  spec.batch = 10;
  spec.schedule = LearningRateSchedule::kStep;
  spec.step_epochs = 2;
  const Schedule schedule = schedule_of(spec, 100);
  CHECK(learning_rate(spec, schedule, 19) == 1);
  CHECK(learning_rate(spec, schedule, 20) == Approx(0.1));
  CHECK(learning_rate(spec, schedule, 40) == Approx(0.01));
}

TEST_CASE("steps count instead of epochs, and folding begins so many epochs before the end",
          "[train]") {
  TrainSpec spec;
  spec.steps = 70;
  spec.batch = 10;
  spec.fold_epochs = 2;
  const Schedule schedule = schedule_of(spec, 100);
  CHECK(schedule.steps == 70);
  CHECK(schedule.fold_step == 50);
}

TEST_CASE("every epoch shows every image once, in another order", "[train]") {
  const ImageSet images = numbered_images(12);
  TrainSpec spec;
  spec.batch = 4;
  TrainingBatches batches(images, bytes_as_they_are(), spec, 7);
  std::vector<std::vector<std::int64_t>> orders;
  for (std::int64_t epoch = 0; epoch < 3; ++epoch) {
    std::vector<std::int64_t> order;
    for (std::int64_t i = 0; i < 3; ++i) {
      const LabelledBatch batch = batches.at(3 * epoch + i);
      order.insert(order.end(), batch.labels.begin(), batch.labels.end());
    }
    CHECK(std::set<std::int64_t>(order.begin(), order.end()).size() == 12);
    orders.push_back(order);
  }
  CHECK(orders[0] != orders[1]);
  CHECK(orders[1] != orders[2]);
  CHECK(batches.at(0).labels ==
        std::vector<std::int64_t>(orders[0].begin(), orders[0].begin() + 4));
}

TEST_CASE("an augmented image is a shift of the padded one, flipped or not", "[train]") {
  const ImageSet images = numbered_images(8);
  TrainSpec spec;
  spec.batch = 8;
  spec.crop_pad = 1;
  spec.flip = true;
  TrainingBatches batches(images, bytes_as_they_are(), spec, 1);
  std::set<std::vector<int>> seen;
  for (std::int64_t step = 0; step < 40; ++step) {
    const LabelledBatch batch = batches.at(step);
    for (std::size_t i = 0; i < 8; ++i) {
      const auto image = static_cast<int>(batch.labels[i]);
      int matches = 0;
      for (int flip = 0; flip < 2; ++flip)
        for (int dy = -1; dy <= 1; ++dy)
          for (int dx = -1; dx <= 1; ++dx) {
            bool same = true;
            for (int y = 0; y < 4; ++y)
              for (int x = 0; x < 4; ++x) {
                const int fy = y + dy, fx = (flip ? 3 - x : x) + dx;
                const bool inside = fy >= 0 && fy < 4 && fx >= 0 && fx < 4;
                const int wanted = inside ? 1 + 16 * image + 4 * fy + fx : 0;
                const auto at = static_cast<std::size_t>(16 * static_cast<int>(i) + 4 * y + x);
                same = same && batch.values[at] == static_cast<float>(wanted);
              }
            if (!same) continue;
            ++matches;
            seen.insert({flip, dy, dx});
          }
      CHECK(matches == 1);
    }
  }
  CHECK(seen.size() == 18);
}

TEST_CASE("normals have mean 0 and deviation 1", "[train]") {
  RandomStream random{4, 2};
  double sum = 0, squares = 0;
  constexpr int kDraws = 100'000;
  for (int i = 0; i < kDraws; ++i) {
    const double value = random.normal();
    sum += value;
    squares += value * value;
  }
  CHECK(std::abs(sum / kDraws) < 0.02);
  CHECK(squares / kDraws == Approx(1).epsilon(0.02));
}

TEST_CASE("descent is momentum times the last change plus gradient and decay", "[train]") {
  at::Tensor decays = at::full({2}, 1.0), steady = at::full({1}, 1.0), unused = at::full({1}, 3.0);
  for (at::Tensor* t : {&decays, &steady, &unused}) t->set_requires_grad(true);
  Sgd sgd({{{{"w", decays}, {"u", unused}}, 0.1, 0.5}, {{{"s", steady}}, 0, 0.25, 3}});
  double w = 1, v = 0, s = 1, u = 0;
  for (const double rate : {0.1, 0.05, 0.2}) {
    sgd.zero_gradients();
    ((decays * decays).sum() + (3 * steady).sum()).backward();
    sgd.step(rate);
    v = 0.5 * v + 2 * w + 0.1 * w;
    w -= rate * v;
    u = 0.25 * u + 3;
    s -= 3 * rate * u;
    CHECK(decays[1].item<double>() == Approx(w));
    CHECK(steady[0].item<double>() == Approx(s));
  }
  CHECK(unused.item<double>() == 3);
}

TEST_CASE("the loss is cross entropy, and distillation pulls towards the teacher", "[train]") {
  const at::Tensor labels = at::tensor({2, 0}, at::kLong);
  at::Tensor logits = at::tensor({1.0f, 2.0f, 0.5f, -1.0f, 0.3f, 0.2f}).reshape({2, 3});
  const at::Tensor teacher = at::tensor({0.0f, 1.0f, 3.0f, 2.0f, 0.0f, 0.0f}).reshape({2, 3});
  const auto log_softmax = [](const at::Tensor& t, int image, int label, double temperature) {
    double sum = 0;
    for (int c = 0; c < 3; ++c) sum += std::exp(t[image][c].item<double>() / temperature);
    return t[image][label].item<double>() / temperature - std::log(sum);
  };
  const double entropy = -(log_softmax(logits, 0, 2, 1) + log_softmax(logits, 1, 0, 1)) / 2;
  CHECK(training_loss(logits, labels, {}, 0, 4).item<double>() == Approx(entropy));
  double divergence = 0;
  for (int i = 0; i < 2; ++i)
    for (int c = 0; c < 3; ++c) {
      const double p = log_softmax(teacher, i, c, 2), q = log_softmax(logits, i, c, 2);
      divergence += std::exp(p) * (p - q) / 2;
    }
  CHECK(training_loss(logits, labels, teacher, 0.25, 2).item<double>() ==
        Approx(0.75 * entropy + 0.25 * 4 * divergence));
  CHECK(std::abs(training_loss(teacher, labels, teacher, 1, 2).item<double>()) < 1e-6);
}

}  // namespace bitpulse
