// SPDX-License-Identifier: Apache-2.0
#include "sim/systemc/lockstep.h"

#include <algorithm>

#include "models/error.h"

namespace bitpulse {
namespace {

std::int64_t lane(std::uint64_t word, int bits, bool is_signed, int index) {
  const std::uint64_t mask = (std::uint64_t{1} << bits) - 1;
  const auto code = static_cast<std::int64_t>((word >> (index * bits)) & mask);
  const std::int64_t sign = std::int64_t{1} << (bits - 1);
  return is_signed ? (code ^ sign) - sign : code;
}

/// The exact product of a PE: the sum over its lanes.
std::int64_t product(std::uint64_t left, std::uint64_t top, const WordFormat& f) {
  std::int64_t sum = 0;
  for (int l = 0; l < f.lanes; ++l) {
    sum += lane(left, f.left_bits, f.left_signed, l) * lane(top, f.top_bits, f.top_signed, l);
  }
  return sum;
}

}  // namespace

LockstepArray::LockstepArray(const ArraySpec& spec)
    : spec_(spec), pes_(std::size_t{spec.rows} * spec.cols), bottom_(spec.cols) {}

std::int64_t LockstepArray::fit(std::int64_t exact, std::uint32_t& overflows) {
  const std::int64_t limit = std::int64_t{1} << (spec_.acc_bits - 1);
  if (exact >= -limit && exact < limit) return exact;
  ++overflows_;
  ++overflows;
  if (spec_.overflow == Overflow::kSaturate) return exact < 0 ? -limit : limit - 1;
  const auto low = static_cast<std::int64_t>(static_cast<std::uint64_t>(exact) &
                                             static_cast<std::uint64_t>(2 * limit - 1));
  return (low ^ limit) - limit;
}

void LockstepArray::step_stationary(Pe& pe, const Pe* above, const LeftPort& left,
                                    std::uint64_t top) {
  if (left.first) pe.weight = pe.second_weight;
  if (left.second) pe.second_weight = above ? above->second_weight : top;
  if (left.valid) {
    const std::int64_t p = product(left.word, pe.weight, left.format);
    pe.sum_overflows = above ? above->sum_overflows : 0;
    pe.sum = fit((above ? above->sum : 0) + p, pe.sum_overflows);
  }
  pe.sum_valid = left.valid;
}

void LockstepArray::step_output(Pe& pe, const Pe* above, const LeftPort& left, std::uint64_t top) {
  if (left.capture) {
    pe.drain = pe.sum;
    pe.drain_overflows = pe.sum_overflows;
    pe.drain_valid = true;
  } else if (!left.second) {
    pe.drain = above ? above->drain : 0;
    pe.drain_overflows = above ? above->drain_overflows : 0;
    pe.drain_valid = above != nullptr && above->drain_valid;
  }
  if (left.valid) {
    const std::int64_t p = product(left.word, top, left.format);
    if (left.first) pe.sum_overflows = 0;
    const std::int64_t term =
        left.format.shift > 0 ? fit(p * (std::int64_t{1} << left.format.shift), pe.sum_overflows)
                              : p;
    pe.sum = fit((left.first ? 0 : pe.sum) + term, pe.sum_overflows);
  }
  pe.top = top;
}

void LockstepArray::step(const std::vector<LeftPort>& left, const std::vector<std::uint64_t>& top) {
  // From the far corner, so that every PE reads its neighbours' old registers.
  const std::size_t rows = spec_.rows, cols = spec_.cols;
  const bool os = spec_.dataflow == Dataflow::kOs;
  for (std::size_t i = rows; i-- > 0;) {
    for (std::size_t j = cols; j-- > 0;) {
      Pe& pe = pes_[i * cols + j];
      const Pe* above = i > 0 ? &pes_[(i - 1) * cols + j] : nullptr;
      const LeftPort& in = j > 0 ? pes_[i * cols + j - 1].left : left[i];
      if (os) {
        step_output(pe, above, in, above ? above->top : top[j]);
      } else {
        step_stationary(pe, above, in, top[j]);
      }
      pe.left = in;
    }
  }
  for (std::size_t j = 0; j < cols; ++j) {
    const Pe& pe = pes_[(rows - 1) * cols + j];
    bottom_[j] =
        os ? BottomPort{static_cast<std::int32_t>(pe.drain), pe.drain_overflows, pe.drain_valid}
           : BottomPort{static_cast<std::int32_t>(pe.sum), pe.sum_overflows, pe.sum_valid};
  }
}

EdgeDriver::EdgeDriver(const ArraySpec& spec, const std::vector<LockstepFold>& folds)
    : spec_(spec), folds_(folds), left_taken_(spec.rows, -1), top_taken_(spec.cols, -1) {}

void EdgeDriver::take(std::vector<std::int64_t>& port, std::size_t index, std::int64_t cycle) {
  if (port[index] == cycle) {
    throw Error(ErrorKind::kInternal, "lockstep: two folds need port " + std::to_string(index) +
                                          " in cycle " + std::to_string(cycle));
  }
  port[index] = cycle;
}

void EdgeDriver::drive(std::int64_t cycle, std::vector<LeftPort>& left,
                       std::vector<std::uint64_t>& top) {
  left.assign(spec_.rows, LeftPort{});
  top.assign(spec_.cols, 0);
  while (oldest_ < folds_.size() && folds_[oldest_].time.finish <= cycle) ++oldest_;
  for (std::size_t n = oldest_; n < folds_.size() && folds_[n].time.start <= cycle; ++n) {
    if (spec_.dataflow == Dataflow::kOs) {
      drive_output(folds_[n], cycle, left, top);
    } else {
      drive_stationary(folds_[n], cycle, left, top);
    }
  }
}

void EdgeDriver::drive_stationary(const LockstepFold& f, std::int64_t cycle,
                                  std::vector<LeftPort>& left, std::vector<std::uint64_t>& top) {
  const std::int64_t rows = f.fold.rows, cols = f.fold.cols;
  // The bottom used row's weight enters first.
  for (std::int64_t j = 0; j < spec_.cols; ++j) {
    const std::int64_t k = cycle - f.time.start - j;
    if (k < 0 || k >= rows) continue;
    take(top_taken_, static_cast<std::size_t>(j), cycle);
    if (j < cols) {
      top[static_cast<std::size_t>(j)] = f.top[static_cast<std::size_t>((rows - 1 - k) * cols + j)];
    }
  }
  // Row i starts to shift i cycles after row 0 and all rows stop together.
  for (std::int64_t i = 0; i < rows; ++i) {
    const std::int64_t k = cycle - f.time.start;
    if (k >= i && k < rows) left[static_cast<std::size_t>(i)].second = true;
  }
  for (std::int64_t i = 0; i < spec_.rows; ++i) {
    const std::int64_t t = cycle - f.time.stream_start - i;
    if (t < 0 || t >= f.fold.stream) continue;
    take(left_taken_, static_cast<std::size_t>(i), cycle);
    LeftPort& port = left[static_cast<std::size_t>(i)];
    port.valid = true;
    port.first = t == 0;
    port.format = f.formats[f.formats.size() == 1 ? 0 : static_cast<std::size_t>(t)];
    if (i < rows) port.word = f.left[static_cast<std::size_t>(t * rows + i)];
  }
}

void EdgeDriver::drive_output(const LockstepFold& f, std::int64_t cycle,
                              std::vector<LeftPort>& left, std::vector<std::uint64_t>& top) {
  const std::int64_t rows = f.fold.rows, cols = f.fold.cols;
  for (std::int64_t j = 0; j < cols; ++j) {
    const std::int64_t t = cycle - f.time.stream_start - j;
    if (t < 0 || t >= f.fold.stream) continue;
    take(top_taken_, static_cast<std::size_t>(j), cycle);
    top[static_cast<std::size_t>(j)] = f.top[static_cast<std::size_t>(t * cols + j)];
  }
  for (std::int64_t i = 0; i < rows; ++i) {
    LeftPort& port = left[static_cast<std::size_t>(i)];
    const std::int64_t t = cycle - f.time.stream_start - i;
    if (t >= 0 && t < f.fold.stream) {
      take(left_taken_, static_cast<std::size_t>(i), cycle);
      port.valid = true;
      port.first = t == 0;
      port.format = f.formats[f.formats.size() == 1 ? 0 : static_cast<std::size_t>(t)];
      port.word = f.left[static_cast<std::size_t>(t * rows + i)];
    }
    // Capture the cycle after the last product, then hold until row r-1 has captured too.
    if (t == f.fold.stream) port.capture = true;
    if (t > f.fold.stream && t + i < f.fold.stream + rows) port.second = true;
  }
}

LockstepResult run_lockstep(const ArraySpec& spec, const std::vector<LockstepFold>& folds) {
  const bool os = spec.dataflow == Dataflow::kOs;
  LockstepResult result;
  result.folds.resize(folds.size());
  std::int64_t end = 0;
  for (std::size_t n = 0; n < folds.size(); ++n) {
    const Fold& fold = folds[n].fold;
    result.folds[n].sums.resize(static_cast<std::size_t>(os ? fold.rows : fold.stream) * fold.cols);
    end = std::max(end, folds[n].time.finish);
  }

  LockstepArray array(spec);
  EdgeDriver driver(spec, folds);
  std::vector<LeftPort> left;
  std::vector<std::uint64_t> top;
  struct Place {
    std::size_t fold = 0;
    std::int64_t count = 0;
  };
  std::vector<Place> places(spec.cols);  // outputs leave each column in the order of the folds
  for (std::int64_t cycle = 0; cycle < end; ++cycle) {
    driver.drive(cycle, left, top);
    array.step(left, top);
    for (std::size_t j = 0; j < spec.cols; ++j) {
      Place& place = places[j];
      if (!array.bottom()[j].valid || place.fold == folds.size()) continue;
      const Fold& fold = folds[place.fold].fold;
      const std::int64_t count = os ? fold.rows : fold.stream;
      if (j < fold.cols) {
        const std::int64_t line = os ? count - 1 - place.count : place.count;
        LockstepOutput& out = result.folds[place.fold];
        out.sums[static_cast<std::size_t>(line) * fold.cols + j] = array.bottom()[j].sum;
        out.finish = cycle + 1;
      }
      if (++place.count == count) place = {place.fold + 1, 0};
    }
  }
  result.overflows = array.overflows();
  return result;
}

}  // namespace bitpulse
