// SPDX-License-Identifier: Apache-2.0
// YOLOv2 and Tiny-YOLOv2 for Pascal VOC at 416 x 416: Redmon and Farhadi, "YOLO9000", CVPR 2017,
// after Darknet's yolov2-voc.cfg and yolov2-tiny-voc.cfg. Names are those of
// github.com/marvis/pytorch-yolo2: models.<Darknet layer>.conv<n>, .bn<n>, .leaky<n>.
#include <string>

#include "models/nets/builder.h"
#include "models/nets/families.h"

namespace bitpulse {
namespace {

/// Five anchors of four box coordinates, objectness and twenty classes.
constexpr std::int64_t kDetections = 5 * (4 + 1 + 20);

/// Appends Darknet layers, which are numbered from 0; convolutions also among themselves from 1.
class DarknetBuilder {
 public:
  explicit DarknetBuilder(const char* name) : net_(name, {3, 416, 416}), at_(net_.input()) {}

  NodeId at() const { return at_; }

  /// Convolution with batch norm and leaky ReLU.
  void conv(std::int64_t out, std::int64_t kernel) {
    const std::string path = next_path();
    const std::string number = std::to_string(++convolutions_);
    at_ = net_.conv(path + ".conv" + number, at_, out, same(kernel, kernel));
    at_ = net_.batch_norm(path + ".bn" + number, at_);
    at_ = net_.add(path + ".leaky" + number, LeakyRelu{0.1}, {at_});
  }
  void max_pool() { at_ = net_.max_pool(next_path(), at_, square(2, 2)); }
  /// Keeps the size: Darknet pads the bottom and right.
  void max_pool_stride1() { at_ = net_.max_pool(next_path(), at_, tensorflow_same(2, 1)); }
  void route(NodeId from) {
    next_path();
    at_ = from;
  }
  void reorg() { at_ = net_.add(next_path(), Reorg{2}, {at_}); }
  void concat_with(NodeId other) { at_ = net_.add(next_path(), Concat{}, {at_, other}); }
  Graph detect() {
    const std::string path = next_path();
    const std::string name = path + ".conv" + std::to_string(++convolutions_);
    return net_.finish(net_.conv(name, at_, kDetections, square(1), true));
  }

 private:
  std::string next_path() { return "models." + std::to_string(layers_++); }

  NetBuilder net_;
  NodeId at_;
  int layers_ = 0;
  int convolutions_ = 0;
};

/// A 3x3 convolution to `width`, then as many 1x1 and 3x3 pairs (half the width, the width).
void stage(DarknetBuilder& net, std::int64_t width, int pairs) {
  net.conv(width, 3);
  for (int i = 0; i < pairs; ++i) {
    net.conv(width / 2, 1);
    net.conv(width, 3);
  }
}

}  // namespace

Graph yolov2_voc() {
  DarknetBuilder net("yolov2-voc");
  stage(net, 32, 0);
  net.max_pool();
  stage(net, 64, 0);
  net.max_pool();
  stage(net, 128, 1);
  net.max_pool();
  stage(net, 256, 1);
  net.max_pool();
  stage(net, 512, 2);
  const NodeId fine = net.at();
  net.max_pool();
  stage(net, 1024, 2);
  net.conv(1024, 3);
  net.conv(1024, 3);
  const NodeId coarse = net.at();
  net.route(fine);
  net.conv(64, 1);
  net.reorg();
  net.concat_with(coarse);
  net.conv(1024, 3);
  return net.detect();
}

Graph tiny_yolov2_voc() {
  DarknetBuilder net("tiny-yolov2-voc");
  for (const std::int64_t width : {16, 32, 64, 128, 256}) {
    net.conv(width, 3);
    net.max_pool();
  }
  net.conv(512, 3);
  net.max_pool_stride1();
  net.conv(1024, 3);
  net.conv(1024, 3);
  return net.detect();
}

}  // namespace bitpulse
