// SPDX-License-Identifier: Apache-2.0
// MobileNetV2 1.0, 224: Sandler et al., CVPR 2018, with torchvision's names. The "-tf" form is the
// published TensorFlow network: SAME padding, and batch norm folded into biased convolutions that
// keep torchvision's positions.
#include <string>

#include "models/nets/builder.h"
#include "models/nets/families.h"

namespace bitpulse {
namespace {

class MobileNet {
 public:
  MobileNet(const char* name, bool tensorflow)
      : net_(name, {3, 224, 224}), tensorflow_(tensorflow) {}

  Graph build() {
    struct Group {
      std::int64_t expansion, width;
      int repeats;
      std::int64_t stride;
    };
    NodeId at = unit("features.0", net_.input(), 32, 3, 2, 1);
    int index = 1;
    for (const Group& g :
         {Group{1, 16, 1, 1}, Group{6, 24, 2, 2}, Group{6, 32, 3, 2}, Group{6, 64, 4, 2},
          Group{6, 96, 3, 1}, Group{6, 160, 3, 2}, Group{6, 320, 1, 1}}) {
      for (int i = 0; i < g.repeats; ++i) {
        at = block("features." + std::to_string(index++), at, g.expansion, g.width,
                   i == 0 ? g.stride : 1);
      }
    }
    at = unit("features.18", at, 1280, 1, 1, 1);
    at = net_.add("avgpool", GlobalAvgPool{}, {at});
    return net_.finish(net_.linear("classifier.1", at, 1000));
  }

 private:
  Window window(std::int64_t kernel, std::int64_t stride) const {
    return tensorflow_ ? tensorflow_same(kernel, stride) : square(kernel, stride, (kernel - 1) / 2);
  }

  /// Convolution and batch norm, which the TensorFlow form has folded.
  NodeId conv(const std::string& conv_name, const std::string& bn_name, NodeId from,
              std::int64_t out, std::int64_t kernel, std::int64_t stride, std::int64_t groups) {
    const NodeId at = net_.conv(conv_name, from, out, window(kernel, stride), tensorflow_, groups);
    return tensorflow_ ? at : net_.batch_norm(bn_name, at);
  }

  /// torchvision's Conv2dNormActivation: "<path>.0", ".1" and ".2".
  NodeId unit(const std::string& path, NodeId from, std::int64_t out, std::int64_t kernel,
              std::int64_t stride, std::int64_t groups) {
    const NodeId at = conv(path + ".0", path + ".1", from, out, kernel, stride, groups);
    return net_.relu6(path + ".2", at);
  }

  NodeId block(const std::string& path, NodeId from, std::int64_t expansion, std::int64_t out,
               std::int64_t stride) {
    const std::int64_t hidden = net_.channels(from) * expansion;
    NodeId at = from;
    int part = 0;
    const auto next = [&] { return path + ".conv." + std::to_string(part++); };
    if (expansion != 1) at = unit(next(), at, hidden, 1, 1, 1);
    at = unit(next(), at, hidden, 3, stride, hidden);
    const std::string project = next();
    at = conv(project, next(), at, out, 1, 1, 1);
    const bool residual = stride == 1 && net_.channels(from) == out;
    return residual ? net_.add(path + ".add", Add{}, {at, from}) : at;
  }

  NetBuilder net_;
  bool tensorflow_;
};

}  // namespace

Graph mobilenet_v2() { return MobileNet("mobilenet-v2", false).build(); }
Graph mobilenet_v2_tf() { return MobileNet("mobilenet-v2-tf", true).build(); }

}  // namespace bitpulse
