// SPDX-License-Identifier: Apache-2.0
// ResNets for CIFAR-10. resnet20..56: He et al., CVPR 2016, section 4.2, with option-A shortcuts
// and the names of github.com/akamaster/pytorch_resnet_cifar10. resnet8: the image classifier of
// MLPerf Tiny (github.com/mlcommons/tiny), batch norm folded, TensorFlow's SAME padding.
#include <string>

#include "models/nets/builder.h"
#include "models/nets/families.h"

namespace bitpulse {
namespace {

NodeId option_a_block(NetBuilder& net, const std::string& block, NodeId from, std::int64_t width,
                      std::int64_t stride) {
  NodeId at = net.conv(block + ".conv1", from, width, square(3, stride, 1));
  at = net.batch_norm(block + ".bn1", at);
  at = net.relu(block + ".relu1", at);
  at = net.conv(block + ".conv2", at, width, square(3, 1, 1));
  at = net.batch_norm(block + ".bn2", at);
  NodeId identity = from;
  if (net.channels(from) != width) {
    identity = net.add(block + ".shortcut", SlicePad{stride, width / 4, width / 4}, {from});
  }
  at = net.add(block + ".add", Add{}, {at, identity});
  return net.relu(block + ".relu", at);
}

Graph resnet_cifar(const char* name, int blocks_per_stage, std::int64_t side = 32,
                   std::int64_t width = 16) {
  NetBuilder net(name, {3, side, side});
  NodeId at = net.conv("conv1", net.input(), width, square(3, 1, 1));
  at = net.batch_norm("bn1", at);
  at = net.relu("relu", at);
  for (int stage = 1; stage <= 3; ++stage, width *= 2) {
    for (int i = 0; i < blocks_per_stage; ++i) {
      const std::string path = "layer" + std::to_string(stage) + "." + std::to_string(i);
      at = option_a_block(net, path, at, width, stage > 1 && i == 0 ? 2 : 1);
    }
  }
  at = net.add("avgpool", GlobalAvgPool{}, {at});
  return net.finish(net.linear("linear", at, 10));
}

NodeId mlperf_block(NetBuilder& net, const std::string& block, NodeId from, std::int64_t width,
                    std::int64_t stride) {
  NodeId at = net.conv(block + ".conv1", from, width, tensorflow_same(3, stride), true);
  at = net.relu(block + ".relu1", at);
  at = net.conv(block + ".conv2", at, width, tensorflow_same(3, 1), true);
  NodeId identity = from;
  if (net.channels(from) != width) {
    identity = net.conv(block + ".shortcut", from, width, tensorflow_same(1, stride), true);
  }
  at = net.add(block + ".add", Add{}, {at, identity});
  return net.relu(block + ".relu", at);
}

}  // namespace

Graph resnet20_cifar() { return resnet_cifar("resnet20-cifar", 3); }
Graph resnet32_cifar() { return resnet_cifar("resnet32-cifar", 5); }
Graph resnet44_cifar() { return resnet_cifar("resnet44-cifar", 7); }
Graph resnet56_cifar() { return resnet_cifar("resnet56-cifar", 9); }

Graph resnet8_figures() { return resnet_cifar("resnet8-figures", 1, 24, 16); }

Graph resnet8_cifar() {
  NetBuilder net("resnet8-cifar", {3, 32, 32});
  NodeId at = net.conv("conv1", net.input(), 16, tensorflow_same(3, 1), true);
  at = net.relu("relu", at);
  at = mlperf_block(net, "block1", at, 16, 1);
  at = mlperf_block(net, "block2", at, 32, 2);
  at = mlperf_block(net, "block3", at, 64, 2);
  at = net.add("avgpool", GlobalAvgPool{}, {at});
  return net.finish(net.linear("fc", at, 10));
}

}  // namespace bitpulse
