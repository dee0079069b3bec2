// SPDX-License-Identifier: Apache-2.0
#include "quant/inputs.h"

#include <algorithm>
#include <utility>

namespace bitpulse {

namespace {

/// Images of one input: those given, or seeded ones where the shape differs.
class InputImages {
 public:
  InputImages(const Workload& workload, const Shape& shape, const ImageSet& images,
              std::int64_t first, std::int64_t count)
      : images_(&images), first_(first) {
    if (shape == images.shape) return;
    seeded_ = seeded_images(shape, first + count, workload.seed);
    images_ = &seeded_;
  }
  const ImageSet& images() const { return *images_; }
  std::int64_t first() const { return first_; }

 private:
  ImageSet seeded_;
  const ImageSet* images_;
  std::int64_t first_;
};

constexpr std::int64_t kBatchElements = std::int64_t{1} << 23;  // of the largest activation

}  // namespace

std::vector<FloatBatch> float_inputs(const Workload& workload, const ImageSet& images,
                                     std::int64_t first, std::int64_t count) {
  std::vector<FloatBatch> inputs;
  for (const NodeId id : workload.graph.inputs) {
    const Shape& shape = workload.graph.nodes[static_cast<std::size_t>(id)].shape;
    const InputImages input(workload, shape, images, first, count);
    inputs.push_back(normalize(input.images(), input.first(), count, workload.data));
  }
  return inputs;
}

TensorCodes input_codes(const Workload& workload, const IntegerNetwork& network,
                        const ImageSet& images, std::int64_t first, std::int64_t count) {
  TensorCodes codes(network.tensors.size());
  IntegerNetwork one;  // the network as far as one input is concerned
  one.name = network.name;
  one.has_parameters = true;
  one.tensors = network.tensors;
  for (const NetworkInput& input : network.inputs) {
    one.inputs = {input};
    const InputImages source(workload, input.shape, images, first, count);
    TensorCodes encoded = encode_inputs(one, source.images(), source.first(), count);
    for (const InputStore& store : input.stores) {
      const auto t = static_cast<std::size_t>(store.tensor);
      if (codes[t].empty()) codes[t].assign(encoded[t].size(), 0);
      // Inputs that share a tensor (a concat) fill channels that the others left at zero.
      std::transform(codes[t].begin(), codes[t].end(), encoded[t].begin(), codes[t].begin(),
                     [](std::int32_t a, std::int32_t b) { return b != 0 ? b : a; });
    }
  }
  return codes;
}

std::int64_t float_batch_size(const Graph& graph) {
  std::int64_t largest = 1;
  for (const Node& node : graph.nodes) largest = std::max(largest, node.shape.elements());
  return std::clamp<std::int64_t>(kBatchElements / largest, 1, 64);
}

}  // namespace bitpulse
