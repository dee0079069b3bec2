// SPDX-License-Identifier: Apache-2.0
// Plain convolution stacks. vgg16bn: Simonyan and Zisserman, ICLR 2015, with batch norm, and
// alexnet: Krizhevsky, "One weird trick for parallelizing convolutional neural networks", 2014,
// both as in torchvision. vgg-small: the CIFAR-10 network of LLSQ and LQ-Nets,
// 128-128-M-256-256-M-512- 512-M, batch norm everywhere, one linear layer; named by position like
// torchvision's VGG.
#include <string>
#include <vector>

#include "models/nets/builder.h"
#include "models/nets/families.h"

namespace bitpulse {
namespace {

constexpr std::int64_t kPool = 0;

/// "features.<i>": 3x3 convolution, batch norm and ReLU per width, 2x2 max-pool per kPool.
NodeId vgg_features(NetBuilder& net, const std::vector<std::int64_t>& widths, bool bias) {
  NodeId at = net.input();
  int index = 0;
  const auto next = [&index] { return "features." + std::to_string(index++); };
  for (const std::int64_t width : widths) {
    if (width == kPool) {
      at = net.max_pool(next(), at, square(2, 2));
      continue;
    }
    at = net.conv(next(), at, width, square(3, 1, 1), bias);
    at = net.batch_norm(next(), at);
    at = net.relu(next(), at);
  }
  return at;
}

}  // namespace

Graph vgg16bn() {
  NetBuilder net("vgg16bn", {3, 224, 224});
  NodeId at = vgg_features(net,
                           {64, 64, kPool, 128, 128, kPool, 256, 256, 256, kPool, 512, 512, 512,
                            kPool, 512, 512, 512, kPool},
                           true);
  at = net.relu("classifier.1", net.linear("classifier.0", at, 4096));
  at = net.relu("classifier.4", net.linear("classifier.3", at, 4096));
  return net.finish(net.linear("classifier.6", at, 1000));
}

Graph vgg_small() {
  NetBuilder net("vgg-small", {3, 32, 32});
  const NodeId at = vgg_features(net, {128, 128, kPool, 256, 256, kPool, 512, 512, kPool}, false);
  return net.finish(net.linear("classifier", at, 10));
}

Graph alexnet() {
  NetBuilder net("alexnet", {3, 224, 224});
  NodeId at = net.conv("features.0", net.input(), 64, square(11, 4, 2), true);
  at = net.relu("features.1", at);
  at = net.max_pool("features.2", at, square(3, 2));
  at = net.conv("features.3", at, 192, square(5, 1, 2), true);
  at = net.relu("features.4", at);
  at = net.max_pool("features.5", at, square(3, 2));
  at = net.relu("features.7", net.conv("features.6", at, 384, square(3, 1, 1), true));
  at = net.relu("features.9", net.conv("features.8", at, 256, square(3, 1, 1), true));
  at = net.relu("features.11", net.conv("features.10", at, 256, square(3, 1, 1), true));
  at = net.max_pool("features.12", at, square(3, 2));
  at = net.relu("classifier.2", net.linear("classifier.1", at, 4096));
  at = net.relu("classifier.5", net.linear("classifier.4", at, 4096));
  return net.finish(net.linear("classifier.6", at, 1000));
}

}  // namespace bitpulse
