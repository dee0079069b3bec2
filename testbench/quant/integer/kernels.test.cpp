// SPDX-License-Identifier: Apache-2.0
#include "quant/integer/kernels.h"

#include <algorithm>
#include <random>

#include "models/error.h"
#include "testbench/catch.h"
#include "testbench/quant/integer/ordered_model.h"

namespace bitpulse {
namespace {

using Generator = std::mt19937_64;

std::int64_t pick(Generator& random, std::int64_t min, std::int64_t max) {
  return std::uniform_int_distribution<std::int64_t>(min, max)(random);
}

/// A code of `precision`; every third at an end of the range.
int pick_code(Generator& random, Precision precision) {
  const CodeRange range = precision.range();
  switch (pick(random, 0, 5)) {
    case 0:
      return static_cast<int>(range.min);
    case 1:
      return static_cast<int>(range.max);
    default:
      break;
  }
  const int code = static_cast<int>(pick(random, range.min, range.max));
  return precision.bits == 1 && precision.is_signed && code == 0 ? 1 : code;
}

/// Random operands of one GEMM: x[m][K] (depthwise: [m][position][n]), w[n][K].
struct Operands {
  GemmSpec spec;
  std::int64_t m, n, k;
  std::vector<int> x, w;

  std::vector<int> row(std::int64_t i, std::int64_t j) const {
    std::vector<int> codes;
    for (std::int64_t e = 0; e < k; ++e)
      codes.push_back(
          x[static_cast<std::size_t>(spec.depthwise ? (i * k + e) * n + j : i * k + e)]);
    return codes;
  }
  std::vector<int> column(std::int64_t j) const {
    return {w.begin() + j * k, w.begin() + (j + 1) * k};
  }
};

Operands random_operands(Generator& random, const GemmSpec& spec, std::int64_t m, std::int64_t n) {
  Operands o{spec, m, n, spec.positions * spec.cin, {}, {}};
  o.x.resize(static_cast<std::size_t>(m * o.k * (spec.depthwise ? n : 1)));
  o.w.resize(static_cast<std::size_t>(n * o.k));
  for (int& x : o.x) x = pick_code(random, spec.act);
  const Precision weight{static_cast<std::uint8_t>(spec.weight_bits), true};
  for (int& w : o.w) w = pick_code(random, weight);
  return o;
}

/// Sums of the whole GEMM, given to the kernels in tiles of K' that end at `cuts`.
SumTile run_kernels(const Operands& o, const std::vector<std::int64_t>& cuts, Isa isa) {
  SumTile sums;
  sums.reset(o.m, o.n);
  std::int64_t begin = 0;
  for (std::int64_t end : cuts) {
    const std::int64_t first = o.spec.first_code(begin), last = o.spec.first_code(end);
    std::vector<std::int16_t> codes;
    for (std::int64_t j = 0; j < o.n; ++j) {
      for (std::int64_t e = first; e < last; ++e)
        codes.push_back(static_cast<std::int16_t>(o.w[static_cast<std::size_t>(j * o.k + e)]));
    }
    const WeightTile weights(o.spec, begin, end, o.n, codes.data(), isa);
    const std::int64_t stride = weights.row_elements() + 3;
    std::vector<std::uint8_t> bytes;
    std::vector<std::int16_t> words;
    const auto size = static_cast<std::size_t>(o.m * stride + kRowSlack);
    weights.form() == RowForm::kBytes ? bytes.assign(size, 77) : words.assign(size, 77);
    for (std::int64_t i = 0; i < o.m; ++i) {
      for (std::int64_t e = 0; e < weights.row_elements(); ++e) {
        const std::int64_t per_code = o.spec.depthwise ? o.n : 1;
        const int code = o.x[static_cast<std::size_t>((i * o.k + first) * per_code + e)];
        const auto at = static_cast<std::size_t>(i * stride + e);
        if (weights.form() == RowForm::kBytes)
          bytes[at] = static_cast<std::uint8_t>(code + weights.bias());
        else
          words[at] = static_cast<std::int16_t>(code + weights.bias());
      }
    }
    const void* data = bytes.empty() ? static_cast<const void*>(words.data()) : bytes.data();
    sums.accumulate(weights, {data, stride, o.m});
    begin = end;
  }
  return sums;
}

void compare(const Operands& o, const std::vector<std::int64_t>& cuts) {
  std::vector<std::int32_t> values;
  std::uint64_t intermediate = 0, final_sum = 0;
  OrderedModel model(o.spec.order, o.spec.positions, o.spec.cin);
  const std::int64_t half = std::int64_t{1} << (o.spec.order.acc_bits - 1);
  for (std::int64_t i = 0; i < o.m; ++i) {
    for (std::int64_t j = 0; j < o.n; ++j) {
      const ModelSum sum = model.sum(o.row(i, j), o.column(j));
      values.push_back(static_cast<std::int32_t>(sum.value));
      intermediate += sum.intermediate;
      final_sum += sum.exact < -half || sum.exact >= half ? 1 : 0;
    }
  }
  for (Isa isa : supported_isas()) {
    CAPTURE(static_cast<int>(isa));
    const SumTile sums = run_kernels(o, cuts, isa);
    std::vector<std::int32_t> found;
    for (std::int64_t i = 0; i < o.m; ++i)
      found.insert(found.end(), sums.row(i), sums.row(i) + o.n);
    REQUIRE(found == values);
    REQUIRE(sums.intermediate_overflows() == intermediate);
    REQUIRE(sums.final_overflows() == final_sum);
  }
}

/// A random order that some machine could have, for K' elements of `spec`.
AccumulationOrder random_order(Generator& random, const GemmSpec& spec) {
  AccumulationOrder order;
  order.dataflow = static_cast<Dataflow>(pick(random, 0, 2));
  order.overflow = pick(random, 0, 1) == 0 ? Overflow::kWrap : Overflow::kSaturate;
  order.acc_bits = static_cast<int>(pick(random, 8, 32));
  if (pick(random, 0, 1) == 0) {
    order.digit_bits = 1 << pick(random, 1, 3);
    const auto digits = [&](int bits) { return (bits + order.digit_bits - 1) / order.digit_bits; };
    order.act_digits = digits(spec.act.bits);
    order.weight_digits = digits(spec.weight_bits);
  }
  if (pick(random, 0, 2) == 0 && spec.act.bits <= 8 && spec.weight_bits <= 8)
    order.lanes = std::int64_t{1} << pick(random, 1, 4);
  return order;
}

std::vector<std::int64_t> random_cuts(Generator& random, std::int64_t end) {
  std::vector<std::int64_t> cuts;
  for (std::int64_t at = pick(random, 1, end); at < end; at += pick(random, 1, end))
    cuts.push_back(at);
  cuts.push_back(end);
  return cuts;
}

TEST_CASE("sums equal plain nested loops for every width and signedness", "[quant][kernels]") {
  Generator random(1);
  for (int act_bits = 1; act_bits <= 16; ++act_bits) {
    for (int weight_bits = 1; weight_bits <= 16; ++weight_bits) {
      GemmSpec spec;
      spec.act = {static_cast<std::uint8_t>(act_bits), pick(random, 0, 1) == 1};
      spec.weight_bits = weight_bits;
      spec.positions = pick(random, 1, 9);
      spec.cin = pick(random, 1, 9);
      CAPTURE(act_bits, spec.act.is_signed, weight_bits, spec.positions, spec.cin);
      const Operands o = random_operands(random, spec, pick(random, 1, 15), pick(random, 1, 70));
      compare(o, {spec.packed_k()});
    }
  }
}

TEST_CASE("every register tile gives the sums of plain loops", "[quant][kernels]") {
  Generator random(2);
  for (std::int64_t n : {1, 16, 17, 32, 33, 48, 64, 65, 80, 112}) {
    for (std::int64_t m = 1; m <= 26; ++m) {
      GemmSpec spec;
      spec.act = {8, m % 2 == 0};
      spec.weight_bits = m % 3 == 0 ? 9 : 8;
      spec.cin = 1 + (m * n) % 7;
      CAPTURE(m, n, spec.cin);
      compare(random_operands(random, spec, m, n), {spec.packed_k()});
    }
  }
}

TEST_CASE("the ordered path equals a scalar model in values and counts", "[quant][kernels]") {
  Generator random(3);
  for (int round = 0; round < 6000; ++round) {
    GemmSpec spec;
    spec.act = {static_cast<std::uint8_t>(pick(random, 1, 16)), pick(random, 0, 1) == 1};
    spec.weight_bits = static_cast<int>(pick(random, 1, 16));
    spec.depthwise = pick(random, 0, 4) == 0;
    spec.positions = pick(random, 1, 6);
    spec.cin = spec.depthwise ? 1 : pick(random, 1, 12);
    spec.order = random_order(random, spec);
    if (pick(random, 0, 1) == 1) spec.order.segments = random_cuts(random, spec.packed_k());
    std::vector<std::int64_t> cuts;  // tiles of K end at ends of segments
    for (std::int64_t end : spec.order.segments)
      if (pick(random, 0, 1) == 0) cuts.push_back(end);
    if (cuts.empty() || cuts.back() != spec.packed_k()) cuts.push_back(spec.packed_k());
    CAPTURE(round, static_cast<int>(spec.order.dataflow), static_cast<int>(spec.order.overflow),
            spec.order.acc_bits, spec.order.lanes, spec.order.digit_bits, spec.act.bits,
            spec.act.is_signed, spec.weight_bits, spec.depthwise, spec.positions, spec.cin);
    compare(random_operands(random, spec, pick(random, 1, 9), pick(random, 1, 20)), cuts);
  }
}

TEST_CASE("a channel whose bound just fits is summed without checks and one beyond is counted",
          "[quant][kernels]") {
  GemmSpec spec;
  spec.act = {8, false};
  spec.order.acc_bits = 16;
  spec.cin = 2;
  // 255 * (127 + 1) = 32640 fits, 255 * (127 + 2) = 32895 does not.
  Operands o{spec, 1, 2, 2, {255, 255}, {127, 1, 127, 2}};
  const SumTile sums = run_kernels(o, {2}, best_isa());
  CHECK(sums.row(0)[0] == 32640);
  CHECK(sums.row(0)[1] == 32895 - 65536);
  CHECK(sums.intermediate_overflows() == 1);
  CHECK(sums.final_overflows() == 1);
}

TEST_CASE("a product that leaves the accumulator on its own is an overflow", "[quant][kernels]") {
  const auto dataflow = GENERATE(Dataflow::kOs, Dataflow::kWs, Dataflow::kIs);
  const auto isa = GENERATE(from_range(supported_isas()));
  CAPTURE(static_cast<int>(dataflow), static_cast<int>(isa));
  GemmSpec spec;
  spec.act = {8, false};
  spec.order.dataflow = dataflow;
  spec.order.acc_bits = 8;
  spec.cin = 2;
  Operands o{spec, 1, 1, 2, {15, 3}, {10, -1}};
  const SumTile wrapped = run_kernels(o, {2}, isa);
  CHECK(wrapped.row(0)[0] == 150 - 256 - 3);
  CHECK(wrapped.intermediate_overflows() == 1);
  o.spec.order.overflow = Overflow::kSaturate;
  const SumTile saturated = run_kernels(o, {2}, isa);
  CHECK(saturated.row(0)[0] == 127 - 3);
  CHECK(saturated.intermediate_overflows() == 1);
  // Both at once as lanes: 150 - 3 enters as one product.
  o.spec.order.lanes = 2;
  const SumTile fused = run_kernels(o, {1}, isa);
  CHECK(fused.row(0)[0] == 127);
  CHECK(fused.intermediate_overflows() == 1);
}

TEST_CASE("an intermediate overflow that wraps back is no final one", "[quant][kernels]") {
  GemmSpec spec;
  spec.act = {8, false};
  spec.order.acc_bits = 16;
  spec.cin = 3;
  Operands o{spec, 1, 1, 3, {255, 255, 255}, {127, 127, -127}};
  const SumTile wrapped = run_kernels(o, {3}, best_isa());
  CHECK(wrapped.row(0)[0] == 32385);
  CHECK(wrapped.intermediate_overflows() == 2);
  CHECK(wrapped.final_overflows() == 0);
  o.spec.order.overflow = Overflow::kSaturate;
  const SumTile saturated = run_kernels(o, {3}, best_isa());
  CHECK(saturated.row(0)[0] == 32767 - 32385);
  CHECK(saturated.intermediate_overflows() == 1);
  CHECK(saturated.final_overflows() == 0);
}

TEST_CASE("specs that no machine has are refused before anything is packed", "[quant][kernels]") {
  const auto refused = [](auto change) {
    GemmSpec spec;
    spec.cin = 8;
    change(spec);
    try {
      check(spec);
    } catch (const Error&) {
      return true;
    }
    return false;
  };
  CHECK_FALSE(refused([](GemmSpec&) {}));
  CHECK(refused([](GemmSpec& s) { s.act.bits = 17; }));
  CHECK(refused([](GemmSpec& s) { s.weight_bits = 0; }));
  CHECK(refused([](GemmSpec& s) { s.cin = 0; }));
  CHECK(refused([](GemmSpec& s) { s.cin = std::int64_t{1} << 40; }));
  CHECK(refused([](GemmSpec& s) { s.order.acc_bits = 33; }));
  CHECK(refused([](GemmSpec& s) { s.order.lanes = 0; }));
  CHECK(refused([](GemmSpec& s) { s.order.act_digits = 2; }));
  CHECK(refused([](GemmSpec& s) { s.order.act_digits = 3, s.order.digit_bits = 4; }));
  CHECK(refused([](GemmSpec& s) { s.order.segments = {4, 4, 8}; }));
  CHECK(refused([](GemmSpec& s) { s.order.segments = {4}; }));
  CHECK(refused([](GemmSpec& s) {
    s.act.bits = 16;
    s.weight_bits = 16;
    s.order.lanes = 4;
  }));
}

}  // namespace
}  // namespace bitpulse
