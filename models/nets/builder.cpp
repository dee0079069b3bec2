// SPDX-License-Identifier: Apache-2.0
#include "models/nets/builder.h"

#include <utility>

namespace bitpulse {

Window square(std::int64_t kernel, std::int64_t stride, std::int64_t pad) {
  return {kernel, kernel, stride, stride, pad, pad, pad, pad, 1, 1};
}

Window same(std::int64_t kernel_h, std::int64_t kernel_w) {
  const std::int64_t pad_h = (kernel_h - 1) / 2;
  const std::int64_t pad_w = (kernel_w - 1) / 2;
  return {kernel_h, kernel_w, 1, 1, pad_h, pad_h, pad_w, pad_w, 1, 1};
}

Window tensorflow_same(std::int64_t kernel, std::int64_t stride) {
  const std::int64_t total = kernel > stride ? kernel - stride : 0;
  const std::int64_t before = total / 2;
  const std::int64_t after = total - before;
  return {kernel, kernel, stride, stride, before, after, before, after, 1, 1};
}

NetBuilder::NetBuilder(std::string name, Shape input) {
  graph_.name = std::move(name);
  graph_.inputs.push_back(graph_.add("input", Input{input}, {}));
}

const Shape& NetBuilder::shape(NodeId id) const {
  return graph_.nodes[static_cast<std::size_t>(id)].shape;
}

std::int64_t NetBuilder::channels(NodeId id) const { return shape(id).c; }

NodeId NetBuilder::add(const std::string& name, Layer layer, std::vector<NodeId> inputs) {
  return graph_.add(name, layer, std::move(inputs));
}

NodeId NetBuilder::conv(const std::string& name, NodeId from, std::int64_t out,
                        const Window& window, bool bias, std::int64_t groups) {
  return add(name, Conv2d{out, window, groups, bias}, {from});
}

NodeId NetBuilder::batch_norm(const std::string& name, NodeId from, double eps) {
  return add(name, BatchNorm{eps}, {from});
}

NodeId NetBuilder::relu(const std::string& name, NodeId from) { return add(name, Relu{}, {from}); }

NodeId NetBuilder::relu6(const std::string& name, NodeId from) {
  return add(name, Relu{6.0}, {from});
}

NodeId NetBuilder::max_pool(const std::string& name, NodeId from, const Window& window,
                            bool ceil_mode) {
  return add(name, MaxPool{window, ceil_mode}, {from});
}

NodeId NetBuilder::linear(const std::string& name, NodeId from, std::int64_t out) {
  return add(name, Linear{out, true}, {from});
}

Graph NetBuilder::finish(NodeId output) {
  graph_.outputs.push_back(output);
  return std::move(graph_);
}

}  // namespace bitpulse
