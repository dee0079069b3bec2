// SPDX-License-Identifier: Apache-2.0
// Arrays against plain sums and closed forms: values, overflow counts and the cycle of every output
// of random fold lists, back to back and apart, cut off by resets. In every cycle the edge is that
// of the register-level model, too.

#include <utility>

#include "sim/rtl/array_driver.h"
#include "sim/rtl/lockstep_model.h"
#include "testbench/catch.h"
#include "testbench/rtl/fold_lists.h"

namespace bitpulse::rtl {
namespace {

constexpr std::uint32_t kSeed = 20260101;

struct Tally {
  std::uint64_t folds = 0, outputs = 0, overflows = 0;
  std::uint64_t wrong_sums = 0, wrong_overflows = 0, wrong_cycles = 0, wrong_times = 0;
  bool clean() const { return wrong_sums + wrong_overflows + wrong_cycles + wrong_times == 0; }
  // How much there was of what is hard: count_hard, cut_list.
  std::uint64_t unlike_neighbours = 0, mode_switches = 0, cut_streams = 0;
};

/// The formats of stream element `t`; widths alone tell the modes of fused PEs.
std::pair<Format, Format> mode_at(const ArrayShape& shape, const Fold& fold, std::size_t t) {
  std::pair<Format, Format> mode{fold.act_format, fold.weight_format};
  if (!fold.elements.empty()) mode = {fold.elements[t].act, fold.elements[t].weight};
  if (shape.pe == PeKind::kFused) mode.first.is_signed = mode.second.is_signed = false;
  return mode;
}

/// Counts folds whose first element follows the last one of another fold in the next cycle, all
/// extents differing that can, and elements that change the mode of the cycle before.
void count_hard(const ArrayShape& shape, const std::vector<Fold>& folds,
                const std::vector<std::int64_t>& starts, Tally& tally) {
  for (std::size_t f = 0; f < folds.size(); ++f) {
    const Fold& fold = folds[f];
    const auto stream = static_cast<std::size_t>(fold.stream);
    for (std::size_t t = 1; t < stream; ++t) {
      tally.mode_switches += mode_at(shape, fold, t) != mode_at(shape, fold, t - 1);
    }
    if (f + 1 == folds.size() || starts[f + 1] != starts[f] + fold.stream) continue;
    const Fold& next = folds[f + 1];
    tally.mode_switches += mode_at(shape, next, 0) != mode_at(shape, fold, stream - 1);
    tally.unlike_neighbours += (shape.rows == 1 || next.rows != fold.rows) &&
                               (shape.cols == 1 || next.cols != fold.cols) &&
                               next.stream != fold.stream;
  }
}

/// Runs one list up to somewhere in one of its folds' streams and resets the array.
void cut_list(ArrayDriver& driver, const ArrayShape& shape, const std::vector<Fold>& folds,
              bool overlap, std::mt19937& random, Tally& tally) {
  const auto starts = reference::expected_starts(shape, folds, overlap, driver.now());
  const auto last = static_cast<int>(folds.size()) - 1;
  const auto f = static_cast<std::size_t>(reference::pick(random, 0, last));
  const int elements = reference::pick(random, 0, folds[f].stream);
  driver.run_for(folds, overlap, static_cast<std::uint64_t>(starts[f] + elements) - driver.now());
  driver.reset();
  tally.cut_streams += elements > 0 && elements < folds[f].stream;
}

/// Runs one list and compares everything that comes out.
void check_list(ArrayDriver& driver, const ArrayShape& shape, const std::vector<Fold>& folds,
                bool overlap, AccFormat format, Tally& tally) {
  driver.set_format(format);
  const auto starts = reference::expected_starts(shape, folds, overlap, driver.now());
  count_hard(shape, folds, starts, tally);
  const std::vector<FoldOutput> outputs = driver.run(folds, overlap);
  for (int j = 0; j < shape.cols; ++j) driver.step();  // until unused columns are done, too
  for (std::size_t f = 0; f < folds.size(); ++f) {
    const Fold& fold = folds[f];
    const int lines = shape.output_stationary ? fold.rows : fold.stream;
    std::int64_t finish = 0;
    for (int line = 0; line < lines; ++line) {
      for (int j = 0; j < fold.cols; ++j) {
        const auto n = static_cast<std::size_t>(line * fold.cols + j);
        const auto sum = reference::expected_sum(shape, fold, line, j, format);
        const auto cycle = reference::expected_cycle(shape, fold, starts[f], line, j);
        tally.wrong_sums += outputs[f].sums[n] != sum.value;
        tally.wrong_overflows += outputs[f].overflows[n] != sum.overflows;
        tally.wrong_cycles += static_cast<std::int64_t>(outputs[f].cycles[n]) != cycle;
        tally.overflows += sum.overflows;
        ++tally.outputs;
        finish = std::max(finish, cycle);
      }
    }
    tally.wrong_times += static_cast<std::int64_t>(outputs[f].start) != starts[f];
    tally.wrong_times += static_cast<std::int64_t>(outputs[f].finish) != finish;
    ++tally.folds;
  }
}

AccFormat pick_acc_format(std::mt19937& random) {
  const int kind = reference::pick(random, 0, 3);
  const int bits = kind == 0 ? 8 : kind == 1 ? reference::pick(random, 8, 32) : 32;
  return {reference::pick(random, 0, 1) != 0, bits};
}

// Two lists in five begin anew and are cut off by a reset before the next one comes.
void check_random_lists(const ArrayShape& shape, int lists) {
  CAPTURE(array_model_name(shape));
  const auto model = make_array_model(shape);
  LockstepModel lockstep(shape);
  ArrayDriver driver(*model);
  driver.set_reference(&lockstep);
  std::mt19937 random(kSeed);
  Tally tally;
  for (int n = 0; n < lists; ++n) {
    reference::FoldLimits limits;
    limits.max_stream = n % 2 == 0 ? 3 : shape.rows + shape.cols + 8;
    limits.late = n % 4 == 3;
    std::vector<Fold> folds;
    for (int f = reference::pick(random, 1, 10); f > 0; --f) {
      folds.push_back(reference::random_fold(random, shape, limits, driver.now()));
    }
    const bool overlap = n % 3 != 0;
    check_list(driver, shape, folds, overlap, pick_acc_format(random), tally);
    if (n % 5 > 2) cut_list(driver, shape, folds, overlap, random, tally);
  }
  INFO("seed " << kSeed << ": sums " << tally.wrong_sums << ", overflows " << tally.wrong_overflows
               << ", cycles " << tally.wrong_cycles << ", starts and finishes "
               << tally.wrong_times);
  CHECK(tally.clean());
  const bool can_overflow = shape.output_stationary || shape.pe != PeKind::kInt2;
  CHECK((tally.overflows > 0) == can_overflow);
  const auto least = static_cast<std::uint64_t>(lists / 20);
  CHECK(tally.unlike_neighbours >= least);
  CHECK(tally.mode_switches >= least);
  CHECK(tally.cut_streams >= least);
  std::cout << array_model_name(shape) << ": " << tally.folds << " folds, " << tally.outputs
            << " outputs, " << tally.overflows << " overflows, " << tally.unlike_neighbours
            << " unlike folds back to back, " << tally.mode_switches << " mode switches, "
            << tally.cut_streams << " streams cut\n";
}

// All inputs at random in every cycle; a reset now and then.
void check_same_edges(const ArrayShape& rolled_shape, int cycles) {
  ArrayShape structural_shape = rolled_shape;
  structural_shape.structural = true;
  CAPTURE(array_model_name(rolled_shape));
  const auto rolled = make_array_model(rolled_shape),
             structural = make_array_model(structural_shape);
  std::mt19937 random(kSeed);
  std::vector<std::uint32_t> acts(rolled_shape.act_words()), weights(rolled_shape.weight_words());
  int differing = 0, valid = 0;
  for (int n = 0; n < cycles; ++n) {
    if (n % 500 == 0) {
      const AccFormat format = pick_acc_format(random);
      for (ArrayModel* model : {rolled.get(), structural.get()}) {
        model->reset();
        model->set_format(format);
      }
    }
    for (std::uint32_t& word : acts) word = static_cast<std::uint32_t>(random());
    for (std::uint32_t& word : weights) word = static_cast<std::uint32_t>(random());
    const auto chance = [&](int of) { return reference::pick(random, 0, of - 1) == 0; };
    const int shift =
        rolled_shape.output_stationary && chance(4) ? reference::pick(random, 0, 31) : 0;
    const ActCtrl act{!chance(4), chance(4), shift, reference::pick_format(random, rolled_shape)};
    const WeightCtrl weight{chance(3), reference::pick(random, 0, rolled_shape.rows - 1),
                            reference::pick_format(random, rolled_shape)};
    const EdgeInputs inputs{act.pack(), weight.pack(), acts.data(), weights.data()};
    rolled->step(inputs);
    structural->step(inputs);
    const EdgeOutputs &a = rolled->outputs(), &b = structural->outputs();
    differing += a.valid != b.valid || a.psum != b.psum || a.overflow != b.overflow;
    valid += a.valid[0];
  }
  CHECK(differing == 0);
  CHECK(valid > cycles / 4);
}

}  // namespace

TEST_CASE("weight-stationary arrays give every sum in its cycle", "[rtl][array]") {
  for (const auto& [pe, rows, cols] :
       {std::tuple{PeKind::kInt8, 1, 1}, std::tuple{PeKind::kInt4, 1, 5},
        std::tuple{PeKind::kInt2, 5, 1}, std::tuple{PeKind::kInt8, 3, 7},
        std::tuple{PeKind::kFused, 3, 7}, std::tuple{PeKind::kFused, 16, 16}}) {
    check_random_lists({pe, false, rows, cols}, rows < 16 ? 200 : 60);
  }
}

TEST_CASE("output-stationary arrays give every sum in its cycle", "[rtl][array]") {
  for (const auto& [pe, rows, cols] :
       {std::tuple{PeKind::kInt8, 1, 1}, std::tuple{PeKind::kInt4, 1, 5},
        std::tuple{PeKind::kInt2, 5, 1}, std::tuple{PeKind::kInt8, 3, 7},
        std::tuple{PeKind::kFused, 3, 7}, std::tuple{PeKind::kFused, 16, 16}}) {
    check_random_lists({pe, true, rows, cols}, rows < 16 ? 200 : 60);
  }
}

TEST_CASE("weight-stationary arrays of separate PEs give every sum in its cycle", "[rtl][array]") {
  check_random_lists({PeKind::kInt8, false, 3, 7, true}, 200);
  check_random_lists({PeKind::kFused, false, 4, 4, true}, 200);
}

TEST_CASE("output-stationary arrays of separate PEs give every sum in its cycle", "[rtl][array]") {
  check_random_lists({PeKind::kInt8, true, 3, 7, true}, 200);
  check_random_lists({PeKind::kFused, true, 4, 4, true}, 200);
}

TEST_CASE("a product that leaves the accumulator on its own is counted by its array",
          "[rtl][array]") {
  // 15 * 10 + 3 * -1 at 8 bits.
  const auto check = [](const ArrayShape& shape, AccFormat format, std::int32_t sum) {
    CAPTURE(array_model_name(shape), format.saturate);
    const auto model = make_array_model(shape);
    ArrayDriver driver(*model);
    driver.set_format(format);
    Fold fold;
    fold.act_format = {false, 8};
    fold.weight_format = {true, 8};
    (shape.output_stationary ? fold.stream : fold.rows) = 2;
    fold.acts = {15 | 3 << 8};
    if (shape.output_stationary) fold.acts = {15, 3};
    fold.weights = {10, 0, 0xff, 0};
    const FoldOutput output = driver.run({fold}, true).front();
    CHECK(output.sums == std::vector<std::int32_t>{sum});
    CHECK(output.overflows == std::vector<std::uint32_t>{1});
  };
  for (const bool structural : {false, true}) {
    for (const bool os : {false, true}) {
      const ArrayShape shape{PeKind::kInt8, os, 3, 7, structural};
      check(shape, {false, 8}, 150 - 256 - 3);
      check(shape, {true, 8}, 127 - 3);
    }
  }
}

TEST_CASE("rolled and separate PEs show the same edges under any input", "[rtl][array]") {
  check_same_edges({PeKind::kInt8, false, 3, 7}, 20000);
  check_same_edges({PeKind::kInt8, true, 3, 7}, 20000);
  check_same_edges({PeKind::kFused, false, 4, 4}, 20000);
  check_same_edges({PeKind::kFused, true, 4, 4}, 20000);
}

}  // namespace bitpulse::rtl
