// SPDX-License-Identifier: Apache-2.0
#include "testbench/sim/systemc/seeded_parameters.h"

#include <cmath>
#include <random>

#include "models/nets/nets.h"
#include "quant/lower.h"

namespace bitpulse {
namespace {

/// Fills the parameters of one network, layer by layer.
class Seeder {
 public:
  Seeder(IntegerNetwork& network, std::uint64_t seed) : network_(network), random_(seed) {}

  void run() {
    network_.has_parameters = true;
    for (NetworkInput& input : network_.inputs) {
      for (InputStore& store : input.stores) {
        store.codes.resize(static_cast<std::size_t>(input.shape.c) * 256);
        for (std::int32_t& code : store.codes) code = random_code(precision(store.tensor));
      }
    }
    for (IntegerLayer& layer : network_.layers) fill(layer);
  }

 private:
  Precision precision(TensorId id) const {
    return network_.tensors[static_cast<std::size_t>(id)].precision;
  }

  std::int32_t random_code(Precision p) {
    const auto span = static_cast<std::uint64_t>(p.range().max - p.range().min) + 1;
    return static_cast<std::int32_t>(p.range().min + static_cast<std::int64_t>(random_() % span));
  }

  /// Root mean square of uniform codes.
  static double level(Precision p) {
    return static_cast<double>(p.range().max - p.range().min) / (p.is_signed ? 3.5 : 1.7);
  }

  static Multiplier multiplier(double ratio) {
    int exponent = 0;
    const double mantissa = std::frexp(ratio, &exponent);
    return {static_cast<std::int32_t>(mantissa * 2147483647.0),
            static_cast<std::uint8_t>(31 - exponent)};
  }

  static Multiplier spread_to(Precision to, double from) {
    return multiplier(static_cast<double>(to.range().max) / (2 * from));
  }

  void fill(IntegerLayer& layer) {
    double value = 0;  // root mean square of the layer's value
    if (auto* gemm = std::get_if<GemmOp>(&layer.op)) {
      value = fill_gemm(layer, *gemm);
    } else if (auto* pool = std::get_if<PoolOp>(&layer.op)) {
      const auto area = static_cast<double>(pool->window.kernel_h * pool->window.kernel_w);
      value = level(precision(pool->input)) * (pool->is_max || pool->floor_average ? 1 : area);
    } else {
      value = level(precision(std::get<ElementwiseOp>(layer.op).input));
    }
    bool low_bit = false;
    if (layer.residual) {
      Residual& r = *layer.residual;
      low_bit = r.kind == Residual::Kind::kLowBit;
      const Precision stream{16, true};
      r.main.positive = {spread_to(stream, value)};
      r.main_clamp = stream.range();
      value = level(stream);
      if (!low_bit) {
        r.identity_requantizer.positive = {spread_to(stream, level(precision(r.identity)))};
      }
    }
    for (Store& store : layer.stores) {
      const Precision to = precision(store.tensor);
      if (low_bit) {
        store.requantizer.positive = {{1000, 16}};
        store.identity_m = 1000;
      } else if (to.bits < 32) {
        store.requantizer.positive = {spread_to(to, value)};
      }
    }
  }

  double fill_gemm(const IntegerLayer& layer, GemmOp& gemm) {
    const std::int64_t k = gemm.window.kernel_h * gemm.window.kernel_w * (layer.in.c / gemm.groups);
    std::uint8_t widest = 0;
    for (const std::uint8_t bits : gemm.weight_bits) widest = std::max(widest, bits);
    const bool wide = widest > 8;
    (wide ? gemm.weights.wide.reserve(static_cast<std::size_t>(k * layer.out.c))
          : gemm.weights.narrow.reserve(static_cast<std::size_t>(k * layer.out.c)));
    for (std::int64_t c = 0; c < layer.out.c; ++c) {
      const Precision p{gemm.weight_bits[static_cast<std::size_t>(c)], true};
      for (std::int64_t i = 0; i < k; ++i) {
        const std::int32_t code = p.bits == 1 ? random_code({1, false}) * 2 - 1 : random_code(p);
        wide ? gemm.weights.wide.push_back(static_cast<std::int16_t>(code))
             : gemm.weights.narrow.push_back(static_cast<std::int8_t>(code));
      }
      gemm.bias.push_back(static_cast<std::int32_t>(random_() % 2001) - 1000);
    }
    return std::sqrt(static_cast<double>(k)) * level(precision(gemm.input)) * level({widest, true});
  }

  IntegerNetwork& network_;
  std::mt19937_64 random_;
};

}  // namespace

IntegerNetwork seeded_network(const std::string& name, std::uint8_t weights,
                              std::uint8_t activations, std::uint64_t seed) {
  Workload workload;
  workload.name = workload.network_name = name;
  workload.graph = build_network(name);
  workload.quantization.weights = weights;
  workload.quantization.activations = activations;
  return seeded_network(workload, seed);
}

IntegerNetwork seeded_network(const Workload& workload, std::uint64_t seed) {
  IntegerNetwork network = lower(workload);
  Seeder(network, seed).run();
  return network;
}

TensorCodes seeded_inputs(const IntegerNetwork& network, std::int64_t batch, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  TensorCodes tensors(network.tensors.size());
  for (const NetworkInput& input : network.inputs) {
    for (const InputStore& store : input.stores) {
      const auto id = static_cast<std::size_t>(store.tensor);
      const StoredTensor& tensor = network.tensors[id];
      const CodeRange range = tensor.precision.range();
      tensors[id].resize(static_cast<std::size_t>(batch * tensor.shape.elements()));
      for (std::int32_t& code : tensors[id]) {
        code = static_cast<std::int32_t>(
            range.min + static_cast<std::int64_t>(
                            random() % static_cast<std::uint64_t>(range.max - range.min + 1)));
      }
    }
  }
  return tensors;
}

}  // namespace bitpulse
