// SPDX-License-Identifier: Apache-2.0
#include "quant/train/schedule.h"

#include <algorithm>
#include <cmath>

namespace bitpulse {

Schedule schedule_of(const TrainSpec& spec, std::int64_t images) {
  Schedule schedule;
  schedule.steps_per_epoch = std::max<std::int64_t>(images / spec.batch, 1);
  const auto steps_in = [&](double epochs) {
    return std::llround(epochs * static_cast<double>(schedule.steps_per_epoch));
  };
  schedule.steps = spec.steps > 0 ? spec.steps : steps_in(spec.epochs);
  schedule.fold_step = std::max<std::int64_t>(schedule.steps - steps_in(spec.fold_epochs), 0);
  return schedule;
}

double learning_rate(const TrainSpec& spec, const Schedule& schedule, std::int64_t step) {
  const auto per_epoch = static_cast<double>(schedule.steps_per_epoch);
  const auto at = static_cast<double>(step);
  const double warmup = std::floor(spec.warmup_epochs * per_epoch);
  if (at < warmup)
    return spec.lr * (spec.warmup_from + (1 - spec.warmup_from) * (at + 1) / (warmup + 1));
  switch (spec.schedule) {
    case LearningRateSchedule::kConstant:
      break;
    case LearningRateSchedule::kStep:
      return spec.lr * std::pow(spec.step_factor, std::floor(at / per_epoch / spec.step_epochs));
    case LearningRateSchedule::kCosine: {
      const double length = std::max(static_cast<double>(schedule.steps) - warmup, 1.0);
      return spec.lr * (1 + std::cos(std::acos(-1.0) * (at - warmup) / length)) / 2;
    }
  }
  return spec.lr;
}

}  // namespace bitpulse
