// SPDX-License-Identifier: Apache-2.0
// Speed of the integer kernels and of the reference executor on one core, as JSON: a ResNet-18 with
// random parameters (224 x 224, one image), whole and by the tile kernels of its layer shapes.
//   bench_integer [portable|avx2|avx512vnni]

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <string>
#include <vector>

#include "quant/integer/kernels.h"
#include "testbench/quant/integer/residual_network.h"

namespace bitpulse {
namespace {

/// ResNet-18 at W8A8 with low-bit residuals.
NetworkBuilder resnet18() {
  NetworkBuilder b(1);
  const Precision act{8, false}, branch{8, true};
  NetworkBuilder::StoreOptions relu, raw;
  relu.relu = true;
  raw.copy = true;
  b.conv(b.input({3, 224, 224}, branch), 64, square_window(7, 2, 3), 1, {8});
  const TensorId stem = b.store_new(act, relu);
  b.pool(stem, {64, 56, 56}, square_window(3, 2, 1), true, false);
  TensorId x = b.store_new(act, relu);
  for (std::int64_t channels = 64; channels <= 512; channels *= 2) {
    for (int block = 0; block < 2; ++block) {
      const std::int64_t stride = channels > 64 && block == 0 ? 2 : 1;
      TensorId identity = x;
      if (stride == 2) {
        b.conv(x, channels, square_window(1, 2, 0), 1, {8});
        identity = b.store_new(branch, {});
      }
      b.conv(x, channels, square_window(3, stride, 1), 1, {8});
      const TensorId inner = b.store_new(act, relu);
      b.conv(inner, channels, square_window(3, 1, 1), 1, {8});
      b.residual(Residual::Kind::kLowBit, identity, 1, 0, branch);
      x = b.store_new(act, relu);
    }
  }
  b.pool(x, {512, 1, 1}, square_window(7, 1, 0), false, false);
  const TensorId features = b.store_new(act, relu);
  b.conv(features, 1000, Window{}, 1, {8});
  b.output(b.store_new({32, true}, raw));
  return b;
}

/// Seconds of processor time, the best of five.
template <class Work>
double best_seconds(const Work& work) {
  double best = 1e9;
  for (int i = 0; i < 5; ++i) {
    const std::clock_t start = std::clock();
    work();
    best = std::min(best, static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
  }
  return best;
}

double network_rate(NetworkBuilder& b, int acc_bits, Isa isa) {
  double macs = 0;
  for (const IntegerLayer& layer : b.network.layers) {
    const auto* op = std::get_if<GemmOp>(&layer.op);
    if (op != nullptr)
      macs += static_cast<double>(op->weights.size()) * static_cast<double>(layer.out.pixels());
  }
  const TensorCodes inputs = b.random_inputs(1);
  AccumulationOrder order;
  order.dataflow = Dataflow::kWs;
  order.acc_bits = acc_bits;
  ExecuteOptions options;
  options.isa = isa;
  options.accumulation.assign(b.network.layers.size(), {{8, order}});
  return macs / best_seconds([&] { execute(b.network, inputs, 1, options); }) * 1e-9;
}

double tile_rate(std::int64_t m, std::int64_t positions, std::int64_t cin, int acc_bits, Isa isa) {
  GemmSpec spec;
  spec.act = {8, false};
  spec.positions = positions;
  spec.cin = cin;
  spec.order.dataflow = Dataflow::kWs;
  spec.order.acc_bits = acc_bits;
  const std::int64_t k = positions * cin, n = 64;
  std::vector<std::int16_t> codes(static_cast<std::size_t>(n * k));
  for (std::size_t i = 0; i < codes.size(); ++i)
    codes[i] = static_cast<std::int16_t>(i * 37 % 255) - 127;
  const WeightTile weights(spec, 0, spec.packed_k(), n, codes.data(), isa);
  const std::vector<std::int16_t> rows(static_cast<std::size_t>(m * k + kRowSlack), 0x1357);
  SumTile sums;
  const int repeats = acc_bits < 32 ? 1 : 10;
  const double seconds = best_seconds([&] {
    for (int i = 0; i < repeats; ++i) {
      sums.reset(m, n);
      sums.accumulate(weights, {rows.data(), k, m});
    }
  });
  return static_cast<double>(m * k * n * repeats) / seconds * 1e-9;
}

void print(const std::string& only) {
  static const char* const kNames[] = {"portable", "avx2", "avx512vnni"};
  struct Geometry {
    const char* name;
    std::int64_t m, positions, cin;
  };
  static const Geometry kTiles[] = {{"conv1", 192, 49, 3},   {"layer1", 192, 9, 64},
                                    {"layer2", 170, 9, 128}, {"layer3", 85, 9, 256},
                                    {"layer4", 49, 9, 512},  {"downsample", 192, 1, 256},
                                    {"fc", 1, 1, 512}};
  NetworkBuilder network = resnet18();
  std::printf("{\"unit\": \"GMAC/s on one core\"");
  for (const Isa isa : supported_isas()) {
    if (!only.empty() && only != kNames[static_cast<int>(isa)]) continue;
    std::printf(",\n \"%s\": {\"resnet18\": {\"acc32\": %.1f, \"acc16_ordered\": %.2f}",
                kNames[static_cast<int>(isa)], network_rate(network, 32, isa),
                network_rate(network, 16, isa));
    for (const Geometry& t : kTiles) {
      std::printf(
          ",\n  \"tile_%s\": {\"m\": %lld, \"k\": %lld, \"n\": 64, \"acc32\": %.1f, "
          "\"acc16_ordered\": %.2f}",
          t.name, static_cast<long long>(t.m), static_cast<long long>(t.positions * t.cin),
          tile_rate(t.m, t.positions, t.cin, 32, isa), tile_rate(t.m, t.positions, t.cin, 16, isa));
    }
    std::printf("}");
  }
  std::printf("}\n");
}

}  // namespace
}  // namespace bitpulse

int main(int argc, char** argv) { bitpulse::print(argc > 1 ? argv[1] : ""); }
