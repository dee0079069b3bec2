// SPDX-License-Identifier: Apache-2.0
#include "sim/systemc/lockstep.h"

#include <random>

#include "models/error.h"
#include "testbench/catch.h"

namespace bitpulse {
namespace {

using Random = std::mt19937_64;

std::int64_t draw(Random& random, std::int64_t low, std::int64_t high) {
  return std::uniform_int_distribution<std::int64_t>(low, high)(random);
}

ArraySpec random_array(Random& random, Dataflow dataflow) {
  ArraySpec spec;
  spec.rows = static_cast<std::uint32_t>(draw(random, 1, 7));
  spec.cols = static_cast<std::uint32_t>(draw(random, 1, 7));
  spec.dataflow = dataflow;
  spec.acc_bits = draw(random, 0, 3) == 0 ? 16 : 32;
  spec.overflow = draw(random, 0, 1) == 0 ? Overflow::kWrap : Overflow::kSaturate;
  spec.overlap = draw(random, 0, 3) != 0;
  return spec;
}

WordFormat random_format(Random& random, bool shifts) {
  static constexpr std::uint8_t kWidths[] = {2, 4, 8};
  WordFormat f;
  f.left_bits = kWidths[draw(random, 0, 2)];
  f.top_bits = kWidths[draw(random, 0, 2)];
  f.left_signed = draw(random, 0, 1) == 1;
  f.top_signed = draw(random, 0, 1) == 1;
  f.lanes = static_cast<std::uint8_t>((8 / f.left_bits) * (8 / f.top_bits));
  if (shifts && draw(random, 0, 2) == 0) f.shift = static_cast<std::uint8_t>(draw(random, 1, 8));
  return f;
}

/// A list of folds whose commands become ready at random times, placed by the wavefront model.
std::vector<LockstepFold> random_folds(Random& random, const ArraySpec& spec) {
  const bool os = spec.dataflow == Dataflow::kOs;
  Wavefront wavefront(spec);
  std::vector<LockstepFold> folds(static_cast<std::size_t>(draw(random, 1, 8)));
  std::int64_t ready = 0;
  for (LockstepFold& f : folds) {
    f.fold.rows = static_cast<std::uint32_t>(draw(random, 1, spec.rows));
    f.fold.cols = static_cast<std::uint32_t>(draw(random, 1, spec.cols));
    f.fold.stream = draw(random, 1, draw(random, 0, 1) == 0 ? 3 : 12);
    if (draw(random, 0, 3) == 0) ready += draw(random, 1, 30);
    f.time = wavefront.place(f.fold, ready);
    const auto stream = static_cast<std::size_t>(f.fold.stream);
    f.formats.resize(os ? stream : 1);
    for (WordFormat& format : f.formats) format = random_format(random, os);
    f.left.resize(stream * f.fold.rows);
    f.top.resize((os ? stream : f.fold.rows) * f.fold.cols);
    for (std::uint64_t& word : f.left) word = random();
    for (std::uint64_t& word : f.top) word = random();
  }
  return folds;
}

std::int64_t operand(std::uint64_t word, int bits, bool is_signed, int lane) {
  std::int64_t code = static_cast<std::int64_t>((word >> (lane * bits)) & ((1U << bits) - 1));
  if (is_signed && code >= (1 << (bits - 1))) code -= 1 << bits;
  return code;
}

/// The sum as section 6 forms it: starts at 0, one word after the other, at acc_bits.
class Sum {
 public:
  Sum(const ArraySpec& spec, std::uint64_t& overflows) : spec_(spec), overflows_(overflows) {}
  void add(std::uint64_t left, std::uint64_t top, const WordFormat& f) {
    std::int64_t product = 0;
    for (int l = 0; l < f.lanes; ++l) {
      product +=
          operand(left, f.left_bits, f.left_signed, l) * operand(top, f.top_bits, f.top_signed, l);
    }
    const std::int64_t term = f.shift > 0 ? fit(product * (std::int64_t{1} << f.shift)) : product;
    value = fit(value + term);
  }
  std::int64_t value = 0;

 private:
  std::int64_t fit(std::int64_t x) {
    const std::int64_t min = -(std::int64_t{1} << (spec_.acc_bits - 1)), max = -min - 1;
    if (x >= min && x <= max) return x;
    ++overflows_;
    if (spec_.overflow == Overflow::kSaturate) return x < 0 ? min : max;
    return spec_.acc_bits == 16 ? std::int64_t{static_cast<std::int16_t>(x)}
                                : std::int64_t{static_cast<std::int32_t>(x)};
  }
  const ArraySpec& spec_;
  std::uint64_t& overflows_;
};

std::vector<std::int32_t> expected_sums(const ArraySpec& spec, const LockstepFold& f,
                                        std::uint64_t& overflows) {
  const bool os = spec.dataflow == Dataflow::kOs;
  const auto rows = f.fold.rows, cols = f.fold.cols;
  const auto stream = static_cast<std::size_t>(f.fold.stream);
  std::vector<std::int32_t> sums;
  for (std::size_t line = 0; line < (os ? rows : stream); ++line) {
    for (std::size_t j = 0; j < cols; ++j) {
      Sum sum(spec, overflows);
      for (std::size_t k = 0; k < (os ? stream : rows); ++k) {
        sum.add(f.left[os ? k * rows + line : line * rows + k], f.top[k * cols + j],
                f.formats[os ? k : 0]);
      }
      sums.push_back(static_cast<std::int32_t>(sum.value));
    }
  }
  return sums;
}

/// Times, sums and overflows of the register-level array are those of the model.
bool agrees(const ArraySpec& spec, const std::vector<LockstepFold>& folds) {
  LockstepResult got;
  try {
    got = run_lockstep(spec, folds);
  } catch (const Error&) {
    return false;  // two folds on one port
  }
  std::uint64_t overflows = 0;
  for (std::size_t n = 0; n < folds.size(); ++n) {
    if (got.folds[n].finish != folds[n].time.finish) return false;
    if (got.folds[n].sums != expected_sums(spec, folds[n], overflows)) return false;
  }
  return got.overflows == overflows;
}

void check_random_fold_lists(Dataflow dataflow) {
  Random random(20 + static_cast<unsigned>(dataflow));
  int advanced = 0;
  for (int run = 0; run < 1500; ++run) {
    const ArraySpec spec = random_array(random, dataflow);
    std::vector<LockstepFold> folds = random_folds(random, spec);
    CAPTURE(run, spec.rows, spec.cols, spec.overlap, folds.size());
    REQUIRE(agrees(spec, folds));

    // One cycle earlier than a fold that follows another without a pause, and it fails.
    const auto n = static_cast<std::size_t>(draw(random, 1, 8));
    if (!spec.overlap || n >= folds.size()) continue;
    Wavefront unbounded(spec);
    FoldTime tight;
    const std::int64_t shift = folds[0].time.stream_start;
    for (std::size_t i = 0; i <= n; ++i) tight = unbounded.place(folds[i].fold, 0);
    const FoldTime first = Wavefront(spec).place(folds[0].fold, 0);
    if (folds[n].time.stream_start - shift != tight.stream_start - first.stream_start) continue;
    folds.resize(n + 1);
    --folds[n].time.start;
    --folds[n].time.stream_start;
    --folds[n].time.finish;
    CHECK_FALSE(agrees(spec, folds));
    ++advanced;
  }
  CHECK(advanced > 200);
}

TEST_CASE("the register-level array confirms times and sums of random folds, output stationary",
          "[systemc][lockstep]") {
  check_random_fold_lists(Dataflow::kOs);
}
TEST_CASE("the register-level array confirms times and sums of random folds, weight stationary",
          "[systemc][lockstep]") {
  check_random_fold_lists(Dataflow::kWs);
}
TEST_CASE("the register-level array confirms times and sums of random folds, input stationary",
          "[systemc][lockstep]") {
  check_random_fold_lists(Dataflow::kIs);
}

TEST_CASE("a product that leaves the accumulator on its own is an overflow",
          "[systemc][lockstep]") {
  const auto dataflow = GENERATE(Dataflow::kOs, Dataflow::kWs, Dataflow::kIs);
  const auto overflow = GENERATE(Overflow::kWrap, Overflow::kSaturate);
  CAPTURE(static_cast<int>(dataflow), static_cast<int>(overflow));
  ArraySpec spec;
  spec.rows = spec.cols = 2;
  spec.dataflow = dataflow;
  spec.acc_bits = 8;
  spec.overflow = overflow;
  LockstepFold f;  // 15 * 10 + 3 * -1
  if (dataflow == Dataflow::kOs)
    f.fold.stream = 2;
  else
    f.fold.rows = 2;
  f.time = Wavefront(spec).place(f.fold, 0);
  f.formats.resize(1);
  f.left = {15, 3};
  f.top = {10, 0xff};
  const LockstepResult result = run_lockstep(spec, {f});
  const std::int32_t expected = overflow == Overflow::kWrap ? 150 - 256 - 3 : 127 - 3;
  CHECK(result.folds[0].sums == std::vector<std::int32_t>{expected});
  CHECK(result.overflows == 1);
}

TEST_CASE("one full fold takes 2R + C + T - 2 cycles in every dataflow", "[systemc][closed-form]") {
  const auto dataflow = GENERATE(Dataflow::kOs, Dataflow::kWs, Dataflow::kIs);
  ArraySpec spec;
  spec.dataflow = dataflow;
  for (std::uint32_t rows : {1U, 3U, 16U, 1024U}) {
    for (std::uint32_t cols : {1U, 4U, 17U, 1024U}) {
      for (std::int64_t stream : {1, 2, 300}) {
        spec.rows = rows;
        spec.cols = cols;
        Fold fold;
        fold.rows = rows;
        fold.cols = cols;
        fold.stream = stream;
        CHECK(Wavefront(spec).place(fold, 0).finish == 2 * rows + cols + stream - 2);
        CHECK(Wavefront(spec).place(fold, 7).start == 7);
      }
    }
  }
}

TEST_CASE("a short second fold may finish before a wide first one", "[systemc][closed-form]") {
  ArraySpec spec;
  spec.rows = 2;
  spec.cols = 30;
  Fold wide, narrow;
  wide.rows = narrow.rows = 2;
  wide.cols = 30;
  narrow.cols = 1;
  wide.stream = narrow.stream = 3;
  Wavefront wavefront(spec);
  const FoldTime first = wavefront.place(wide, 0);
  const FoldTime second = wavefront.place(narrow, 0);
  CHECK(second.stream_start == first.stream_start + 3);
  CHECK(second.start == second.stream_start - 2);
  CHECK(first.finish == first.stream_start + 3 + 2 + 30 - 2);
  CHECK(second.finish == second.stream_start + 3 + 2 + 1 - 2);
  CHECK(second.finish < first.finish);
}

}  // namespace
}  // namespace bitpulse
