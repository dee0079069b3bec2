// SPDX-License-Identifier: Apache-2.0
// SqueezeNet: Iandola et al., arXiv:1602.07360, versions 1.0 and 1.1 as in torchvision.
// SqueezeNext: Gholami et al., arXiv:1803.10615, 2.0-SqNxt-23 with the names of
// github.com/osmr/imgclsmob (pytorchcv's sqnxt23_w2): biased convolutions, batch norm, and ReLU
// after each, the last of a unit and the identity's included.
#include <string>

#include "models/nets/builder.h"
#include "models/nets/families.h"

namespace bitpulse {
namespace {

NodeId fire(NetBuilder& net, int index, NodeId from, std::int64_t squeeze, std::int64_t expand) {
  const std::string path = "features." + std::to_string(index);
  const auto conv = [&](const char* part, NodeId in, std::int64_t out, std::int64_t kernel) {
    const NodeId at = net.conv(path + part, in, out, same(kernel, kernel), true);
    return net.relu(path + part + "_activation", at);
  };
  const NodeId squeezed = conv(".squeeze", from, squeeze, 1);
  const NodeId one = conv(".expand1x1", squeezed, expand, 1);
  const NodeId three = conv(".expand3x3", squeezed, expand, 3);
  return net.add(path, Concat{}, {one, three});
}

NodeId pool(NetBuilder& net, int index, NodeId from) {
  return net.max_pool("features." + std::to_string(index), from, square(3, 2), true);
}

Graph classify(NetBuilder& net, NodeId from) {
  NodeId at = net.conv("classifier.1", from, 1000, square(1), true);
  at = net.relu("classifier.2", at);
  return net.finish(net.add("classifier.3", GlobalAvgPool{}, {at}));
}

/// Convolution, batch norm and ReLU: "<path>.conv", ".bn", ".activ".
NodeId sqnxt_conv(NetBuilder& net, const std::string& path, NodeId from, std::int64_t out,
                  const Window& window) {
  NodeId at = net.conv(path + ".conv", from, out, window, true);
  at = net.batch_norm(path + ".bn", at);
  return net.relu(path + ".activ", at);
}

NodeId sqnxt_unit(NetBuilder& net, const std::string& unit, NodeId from, std::int64_t out,
                  std::int64_t stride) {
  const std::int64_t in = net.channels(from);
  const std::int64_t reduced = stride == 2 ? in : in > out ? in / 4 : in / 2;
  const bool resize = stride == 2 || in > out;
  const NodeId identity =
      resize ? sqnxt_conv(net, unit + ".identity_conv", from, out, square(1, stride)) : from;
  NodeId at = sqnxt_conv(net, unit + ".conv1", from, reduced, square(1, stride));
  at = sqnxt_conv(net, unit + ".conv2", at, reduced / 2, square(1));
  at = sqnxt_conv(net, unit + ".conv3", at, reduced, same(1, 3));
  at = sqnxt_conv(net, unit + ".conv4", at, reduced, same(3, 1));
  at = sqnxt_conv(net, unit + ".conv5", at, out, square(1));
  at = net.add(unit + ".add", Add{}, {at, identity});
  return net.relu(unit + ".activ", at);
}

}  // namespace

Graph squeezenet1_0() {
  NetBuilder net("squeezenet1.0", {3, 224, 224});
  NodeId at = net.conv("features.0", net.input(), 96, square(7, 2), true);
  at = net.relu("features.1", at);
  at = pool(net, 2, at);
  at = fire(net, 3, at, 16, 64);
  at = fire(net, 4, at, 16, 64);
  at = fire(net, 5, at, 32, 128);
  at = pool(net, 6, at);
  at = fire(net, 7, at, 32, 128);
  at = fire(net, 8, at, 48, 192);
  at = fire(net, 9, at, 48, 192);
  at = fire(net, 10, at, 64, 256);
  at = pool(net, 11, at);
  at = fire(net, 12, at, 64, 256);
  return classify(net, at);
}

Graph squeezenet1_1() {
  NetBuilder net("squeezenet1.1", {3, 224, 224});
  NodeId at = net.conv("features.0", net.input(), 64, square(3, 2), true);
  at = net.relu("features.1", at);
  at = pool(net, 2, at);
  at = fire(net, 3, at, 16, 64);
  at = fire(net, 4, at, 16, 64);
  at = pool(net, 5, at);
  at = fire(net, 6, at, 32, 128);
  at = fire(net, 7, at, 32, 128);
  at = pool(net, 8, at);
  at = fire(net, 9, at, 48, 192);
  at = fire(net, 10, at, 48, 192);
  at = fire(net, 11, at, 64, 256);
  at = fire(net, 12, at, 64, 256);
  return classify(net, at);
}

Graph squeezenext_23_2x() {
  struct Stage {
    int units;
    std::int64_t width;
  };
  NetBuilder net("squeezenext-23-2x", {3, 224, 224});
  NodeId at = sqnxt_conv(net, "features.init_block.conv", net.input(), 128, square(7, 2, 1));
  at = net.max_pool("features.init_block.pool", at, square(3, 2), true);
  int number = 1;
  for (const Stage& stage : {Stage{6, 64}, Stage{6, 128}, Stage{8, 256}, Stage{1, 512}}) {
    for (int i = 1; i <= stage.units; ++i) {
      const std::string unit =
          "features.stage" + std::to_string(number) + ".unit" + std::to_string(i);
      at = sqnxt_unit(net, unit, at, stage.width, number > 1 && i == 1 ? 2 : 1);
    }
    ++number;
  }
  at = sqnxt_conv(net, "features.final_block", at, 256, square(1));
  at = net.add("features.final_pool", GlobalAvgPool{}, {at});
  return net.finish(net.linear("output", at, 1000));
}

}  // namespace bitpulse
