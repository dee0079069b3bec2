// SPDX-License-Identifier: Apache-2.0
#include "quant/integer/epilogue.h"

#include <algorithm>
#include <limits>
#include <random>

#include "testbench/catch.h"

namespace bitpulse {
namespace {

constexpr std::int64_t kInt32Min = std::numeric_limits<std::int32_t>::min();
constexpr std::int64_t kInt32Max = std::numeric_limits<std::int32_t>::max();

class RandomLayer {
 public:
  explicit RandomLayer(std::uint64_t seed) : random_(seed) {
    layer.out = {pick(1, 90), 1, 1};
    layer.in = layer.out;
    if (pick(0, 3) > 0) {
      GemmOp op;
      for (std::int64_t c = 0; c < layer.out.c; ++c) op.bias.push_back(value());
      layer.op = op;
    } else {
      layer.op = ElementwiseOp{};
    }
    const std::int64_t kind = pick(0, 2);
    if (kind > 0) {
      Residual r;
      r.kind = kind == 1 ? Residual::Kind::kStream16 : Residual::Kind::kLowBit;
      r.main = requantizer();
      r.main_clamp = {-pick(0, 128), pick(1, 127)};
      r.identity_requantizer = requantizer();
      layer.residual = r;
    }
    for (std::int64_t stores = pick(1, 3); stores > 0; --stores) {
      Store store;
      store.clamp = pick(0, 1) == 0 ? CodeRange{-pick(0, 200), pick(0, 200)}
                                    : CodeRange{pick(0, 1) == 0 ? -32768 : 0, 32767};
      if (kind == 2) {
        store.requantizer.positive = {multiplier()};
        store.identity_m = multiplier().m;
      } else if (pick(0, 2) > 0) {
        store.requantizer = requantizer();
      }
      layer.stores.push_back(store);
    }
  }

  std::int64_t pick(std::int64_t min, std::int64_t max) {
    return std::uniform_int_distribution<std::int64_t>(min, max)(random_);
  }
  std::int32_t value() {
    const std::int64_t near = std::int64_t{1} << pick(1, 31);
    switch (pick(0, 7)) {
      case 0:
        return static_cast<std::int32_t>(kInt32Min);
      case 1:
        return static_cast<std::int32_t>(kInt32Max);
      default:
        return static_cast<std::int32_t>(pick(-near, near - 1));
    }
  }
  Multiplier multiplier() {
    const std::int64_t near = (std::int64_t{1} << pick(1, 31)) - 1;
    return {static_cast<std::int32_t>(pick(-near, near)), static_cast<std::uint8_t>(pick(0, 62))};
  }
  Requantizer requantizer() {
    Requantizer r;
    if (pick(0, 4) == 0) return r;
    const std::int64_t count = pick(0, 1) == 0 ? 1 : layer.out.c;
    const bool leaky = pick(0, 1) == 0;
    for (std::int64_t c = 0; c < count; ++c) {
      r.positive.push_back(multiplier());
      if (leaky) r.negative.push_back(multiplier().m);
    }
    return r;
  }

  IntegerLayer layer;

 private:
  std::mt19937_64 random_;
};

/// Every formula of IntegerLayer, Residual and Store for one element, by the book.
std::vector<std::int64_t> plain(const IntegerLayer& layer, Rounding rounding, std::int64_t value,
                                std::int64_t code, std::int64_t c, std::uint64_t& saturations) {
  const auto clip = [&](std::int64_t v, CodeRange range) {
    saturations += v < range.min || v > range.max ? 1 : 0;
    return clamp(v, range);
  };
  if (const auto* gemm = std::get_if<GemmOp>(&layer.op))
    value = clip(value + gemm->bias[static_cast<std::size_t>(c)], {kInt32Min, kInt32Max});
  std::vector<std::int64_t> outputs;
  for (const Store& store : layer.stores) {
    std::int64_t y = 0;
    if (!layer.residual) {
      y = store.requantizer.apply(value, c, rounding);
    } else if (layer.residual->kind == Residual::Kind::kStream16) {
      const CodeRange range{-32768, 32767};
      const std::uint64_t once = saturations;
      const std::int64_t sum =
          clip(layer.residual->main.apply(value, c, rounding), range) +
          clip(layer.residual->identity_requantizer.apply(code, c, rounding), range);
      if (!outputs.empty()) saturations = once;  // the branches are clipped once, not per store
      y = store.requantizer.apply(sum, c, rounding);
      if (store.requantizer.empty())  // ReLU takes what is below zero
        saturations += y > 32767 || (store.clamp.min < 0 && y < -32768) ? 1 : 0;
    } else {
      const std::int64_t q1 =
          clamp(layer.residual->main.apply(value, c, rounding), layer.residual->main_clamp);
      const Multiplier m = store.requantizer.positive[0];
      y = round_shift(q1 * m.m + code * store.identity_m, m.shift, rounding);
    }
    outputs.push_back(clamp(y, store.clamp));
  }
  return outputs;
}

TEST_CASE("the vector epilogue equals the formulas element by element", "[quant][epilogue]") {
  const auto rounding = GENERATE(Rounding::kHalfUp, Rounding::kHalfEven, Rounding::kHalfAway);
  std::uint64_t all_saturations = 0;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    RandomLayer r(seed);
    std::vector<std::int64_t> channels;
    for (std::int64_t c = 0; c < r.layer.out.c; ++c)
      if (r.pick(0, 3) > 0) channels.push_back(c);
    if (channels.empty()) channels.push_back(0);
    const auto n = static_cast<std::int64_t>(channels.size());
    const std::int64_t rows = r.pick(1, 5), columns = padded_columns(n), stride = columns + 5;
    std::vector<std::int32_t> values, identity;
    for (std::int64_t i = 0; i < rows * stride; ++i) {
      values.push_back(r.value());
      identity.push_back(static_cast<std::int32_t>(r.pick(-32768, 32767)));
    }
    for (Isa isa : supported_isas()) {
      const Epilogue epilogue(r.layer, rounding, channels, isa);
      REQUIRE(epilogue.columns() == columns);
      std::vector<std::vector<std::int32_t>> outputs(
          r.layer.stores.size(),
          std::vector<std::int32_t>(static_cast<std::size_t>(rows * columns)));
      EpilogueTile tile;
      tile.rows = rows;
      tile.values = values.data();
      tile.value_stride = stride;
      tile.identity = identity.data();
      tile.identity_stride = stride;
      for (auto& output : outputs) tile.outputs.push_back(output.data());
      tile.output_stride = columns;
      const std::uint64_t saturations = epilogue.run(tile);
      std::uint64_t expected_saturations = 0;
      for (std::int64_t i = 0; i < rows; ++i) {
        for (std::int64_t j = 0; j < n; ++j) {
          const auto at = static_cast<std::size_t>(i * stride + j);
          const auto expected = plain(r.layer, rounding, values[at], identity[at],
                                      channels[static_cast<std::size_t>(j)], expected_saturations);
          for (std::size_t s = 0; s < outputs.size(); ++s) {
            CAPTURE(seed, static_cast<int>(isa), i, j, s);
            REQUIRE(outputs[s][static_cast<std::size_t>(i * columns + j)] == expected[s]);
          }
        }
      }
      REQUIRE(saturations == expected_saturations);
      all_saturations += saturations;
    }
  }
  CHECK(all_saturations > 1000);
}

TEST_CASE("a 16-bit stream saturates and counts, its low-bit copy sees the exact sum",
          "[quant][epilogue]") {
  IntegerLayer layer;
  layer.in = layer.out = {1, 1, 1};
  layer.op = ElementwiseOp{};
  layer.residual.emplace();
  layer.stores.resize(2);
  layer.stores[0].clamp = {0, 32767};  // the stream after ReLU, a copy
  layer.stores[1].clamp = {0, 255};
  layer.stores[1].requantizer.positive = {{1, 8}};
  const Epilogue epilogue(layer, Rounding::kHalfUp, {0});
  std::vector<std::int32_t> values(16), identity(16), stream(16), low(16);
  const auto run = [&](std::int32_t a, std::int32_t b) {
    values[0] = a;
    identity[0] = b;
    return epilogue.run(
        {1, values.data(), 16, identity.data(), 16, {stream.data(), low.data()}, 16});
  };
  CHECK(run(30000, 20000) == 1);
  CHECK(stream[0] == 32767);
  CHECK(low[0] == 195);       // 50000 / 256
  CHECK(run(40000, 1) == 2);  // a branch clipped, and the sum
  CHECK(stream[0] == 32767);
  CHECK(run(-30000, -20000) == 0);  // ReLU takes it
  CHECK(stream[0] == 0);
  CHECK(low[0] == 0);
}

}  // namespace
}  // namespace bitpulse
