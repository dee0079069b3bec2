// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "models/units.h"
#include "quant/float/float_executor.h"
#include "quant/float/normalization.h"
#include "quant/float/parameters.h"
#include "quant/integer/parallel.h"

namespace bitpulse {

namespace {

/// SplitMix64's output function (Steele, Lea and Flood, OOPSLA 2014): a counter becomes 64 bits.
std::uint64_t mix(std::uint64_t z) {
  z += 0x9e3779b97f4a7c15ull;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

/// Value `i` of a stream of standard normals: the sum of twelve uniforms of 16 bits, less its
/// mean. No library function takes part, so that every machine draws the same bits.
double normal(std::uint64_t stream, std::uint64_t i) {
  std::int64_t sum = 0;
  for (std::uint64_t word = 0; word < 3; ++word) {
    const std::uint64_t bits = mix(stream + 3 * i + word);
    for (int part = 0; part < 4; ++part)
      sum += static_cast<std::int64_t>(bits >> (16 * part) & 0xffff);
  }
  return static_cast<double>(2 * sum - 12 * 65535) / (2 * 65536.0);
}

/// One stream per tensor name, whatever the order of the graph (FNV-1a).
std::uint64_t stream_of(std::uint64_t seed, const std::string& name) {
  std::uint64_t hash = 0xcbf29ce484222325ull;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
  return mix(seed ^ mix(hash));
}

void fill(Weights& weights, const std::string& name, const std::vector<std::int64_t>& dims,
          double mean, double deviation, std::uint64_t seed, int threads) {
  std::int64_t count = 1;
  for (const std::int64_t d : dims) count *= d;
  Tensor<float>& tensor = weights[name];
  tensor.dims = dims;
  tensor.data.resize(static_cast<std::size_t>(count));
  const std::uint64_t stream = stream_of(seed, name);
  constexpr std::int64_t kBlock = 1 << 16;
  parallel_for(threads, ceil_div(count, kBlock), [&](std::int64_t block, int) {
    for (std::int64_t i = block * kBlock; i < std::min(count, (block + 1) * kBlock); ++i)
      tensor.data[static_cast<std::size_t>(i)] =
          static_cast<float>(mean + deviation * normal(stream, static_cast<std::uint64_t>(i)));
  });
}

/// He et al., "Delving Deep into Rectifiers", ICCV 2015: deviation sqrt(2 / fan-in). Biases and
/// the scales of batch norms vary a little, so that a mistake in them shows.
void draw(const Graph& graph, const Node& node, std::uint64_t seed, int threads, Weights& weights) {
  constexpr double kSpread = 0.1;
  if (std::holds_alternative<BatchNorm>(node.layer)) {
    fill(weights, node.name + ".weight", {node.shape.c}, 1, kSpread, seed, threads);
    fill(weights, node.name + ".bias", {node.shape.c}, 0, kSpread, seed, threads);
    return;
  }
  const bool is_gemm = std::holds_alternative<Conv2d>(node.layer) ||
                       std::holds_alternative<Linear>(node.layer) ||
                       std::holds_alternative<Gemm>(node.layer);
  if (!is_gemm) return;
  const std::vector<std::int64_t> dims = weight_dims(graph, node);
  double fan_in = 1;
  for (std::size_t i = 1; i < dims.size(); ++i) fan_in *= static_cast<double>(dims[i]);
  fill(weights, node.name + ".weight", dims, 0, std::sqrt(2 / fan_in), seed, threads);
  if (has_bias(node.layer))
    fill(weights, node.name + ".bias", {node.shape.c}, 0, kSpread, seed, threads);
}

}  // namespace

Weights seeded_weights(const Graph& graph, const DataSpec& data, std::uint64_t seed, int threads) {
  Weights weights;
  bool has_norms = false;
  for (const Node& node : graph.nodes) {
    draw(graph, node, seed, threads, weights);
    has_norms = has_norms || std::holds_alternative<BatchNorm>(node.layer);
  }
  if (!has_norms) return weights;
  std::int64_t largest = 1;
  for (const NodeId id : graph.inputs)
    largest = std::max(largest, graph.nodes[static_cast<std::size_t>(id)].shape.elements());
  const std::int64_t images = std::clamp<std::int64_t>((1 << 19) / largest, 2, 32);
  std::vector<FloatBatch> inputs;
  for (const NodeId id : graph.inputs) {
    const Shape& shape = graph.nodes[static_cast<std::size_t>(id)].shape;
    inputs.push_back(normalize(seeded_images(shape, images, seed), 0, images, data));
  }
  measure_batch_norms(graph, weights, inputs, threads);
  return weights;
}

}  // namespace bitpulse
