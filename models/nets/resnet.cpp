// SPDX-License-Identifier: Apache-2.0
// He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, as in torchvision: names of
// its state dict, and the stride of a bottleneck on its 3x3 convolution ("v1.5").
#include <array>
#include <string>

#include "models/nets/builder.h"
#include "models/nets/families.h"

namespace bitpulse {
namespace {

/// The identity, or a strided 1x1 convolution where the shape changes.
NodeId shortcut(NetBuilder& net, const std::string& block, NodeId from, std::int64_t out,
                std::int64_t stride) {
  if (stride == 1 && net.channels(from) == out) return from;
  const NodeId conv = net.conv(block + ".downsample.0", from, out, square(1, stride));
  return net.batch_norm(block + ".downsample.1", conv);
}

NodeId basic_block(NetBuilder& net, const std::string& block, NodeId from, std::int64_t width,
                   std::int64_t stride) {
  NodeId at = net.conv(block + ".conv1", from, width, square(3, stride, 1));
  at = net.batch_norm(block + ".bn1", at);
  at = net.relu(block + ".relu1", at);
  at = net.conv(block + ".conv2", at, width, square(3, 1, 1));
  at = net.batch_norm(block + ".bn2", at);
  at = net.add(block + ".add", Add{}, {at, shortcut(net, block, from, width, stride)});
  return net.relu(block + ".relu", at);
}

NodeId bottleneck(NetBuilder& net, const std::string& block, NodeId from, std::int64_t width,
                  std::int64_t stride) {
  constexpr std::int64_t kExpansion = 4;
  NodeId at = net.conv(block + ".conv1", from, width, square(1));
  at = net.batch_norm(block + ".bn1", at);
  at = net.relu(block + ".relu1", at);
  at = net.conv(block + ".conv2", at, width, square(3, stride, 1));
  at = net.batch_norm(block + ".bn2", at);
  at = net.relu(block + ".relu2", at);
  at = net.conv(block + ".conv3", at, width * kExpansion, square(1));
  at = net.batch_norm(block + ".bn3", at);
  at = net.add(block + ".add", Add{}, {at, shortcut(net, block, from, width * kExpansion, stride)});
  return net.relu(block + ".relu", at);
}

using Block = NodeId (*)(NetBuilder&, const std::string&, NodeId, std::int64_t, std::int64_t);

Graph resnet(const char* name, Block block, const std::array<int, 4>& depths) {
  NetBuilder net(name, {3, 224, 224});
  NodeId at = net.conv("conv1", net.input(), 64, square(7, 2, 3));
  at = net.batch_norm("bn1", at);
  at = net.relu("relu", at);
  at = net.max_pool("maxpool", at, square(3, 2, 1));
  std::int64_t width = 64;
  for (std::size_t stage = 0; stage < depths.size(); ++stage, width *= 2) {
    for (int i = 0; i < depths[stage]; ++i) {
      const std::string path = "layer" + std::to_string(stage + 1) + "." + std::to_string(i);
      at = block(net, path, at, width, stage > 0 && i == 0 ? 2 : 1);
    }
  }
  at = net.add("avgpool", GlobalAvgPool{}, {at});
  return net.finish(net.linear("fc", at, 1000));
}

}  // namespace

Graph resnet18() { return resnet("resnet18", basic_block, {2, 2, 2, 2}); }
Graph resnet34() { return resnet("resnet34", basic_block, {3, 4, 6, 3}); }
Graph resnet50() { return resnet("resnet50", bottleneck, {3, 4, 6, 3}); }
Graph resnet101() { return resnet("resnet101", bottleneck, {3, 4, 23, 3}); }
Graph resnet152() { return resnet("resnet152", bottleneck, {3, 8, 36, 3}); }

}  // namespace bitpulse
