// SPDX-License-Identifier: Apache-2.0
// Inception-V3, 299: Szegedy et al., "Rethinking the Inception Architecture for Computer Vision",
// CVPR 2016, as in torchvision without the auxiliary classifier (it is not run at inference).
#include <string>
#include <vector>

#include "models/nets/builder.h"
#include "models/nets/families.h"

namespace bitpulse {
namespace {

class InceptionV3 {
 public:
  Graph build() {
    NodeId at = conv("Conv2d_1a_3x3", net_.input(), 32, square(3, 2));
    at = conv("Conv2d_2a_3x3", at, 32, square(3));
    at = conv("Conv2d_2b_3x3", at, 64, same(3, 3));
    at = net_.max_pool("maxpool1", at, square(3, 2));
    at = conv("Conv2d_3b_1x1", at, 80, square(1));
    at = conv("Conv2d_4a_3x3", at, 192, square(3));
    at = net_.max_pool("maxpool2", at, square(3, 2));
    at = block_a("Mixed_5b", at, 32);
    at = block_a("Mixed_5c", at, 64);
    at = block_a("Mixed_5d", at, 64);
    at = block_b("Mixed_6a", at);
    at = block_c("Mixed_6b", at, 128);
    at = block_c("Mixed_6c", at, 160);
    at = block_c("Mixed_6d", at, 160);
    at = block_c("Mixed_6e", at, 192);
    at = block_d("Mixed_7a", at);
    at = block_e("Mixed_7b", at);
    at = block_e("Mixed_7c", at);
    at = net_.add("avgpool", GlobalAvgPool{}, {at});
    return net_.finish(net_.linear("fc", at, 1000));
  }

 private:
  NodeId conv(const std::string& path, NodeId from, std::int64_t out, const Window& window) {
    NodeId at = net_.conv(path + ".conv", from, out, window);
    at = net_.batch_norm(path + ".bn", at, 1e-3);
    return net_.relu(path + ".relu", at);
  }
  NodeId pooled(const std::string& block, NodeId from, std::int64_t out) {
    const NodeId at = net_.add(block + ".avg_pool", AvgPool{square(3, 1, 1)}, {from});
    return conv(block + ".branch_pool", at, out, square(1));
  }
  NodeId concat(const std::string& name, std::vector<NodeId> branches) {
    return net_.add(name, Concat{}, std::move(branches));
  }

  NodeId block_a(const std::string& b, NodeId from, std::int64_t pool_width) {
    const NodeId one = conv(b + ".branch1x1", from, 64, square(1));
    NodeId five = conv(b + ".branch5x5_1", from, 48, square(1));
    five = conv(b + ".branch5x5_2", five, 64, same(5, 5));
    NodeId three = conv(b + ".branch3x3dbl_1", from, 64, square(1));
    three = conv(b + ".branch3x3dbl_2", three, 96, same(3, 3));
    three = conv(b + ".branch3x3dbl_3", three, 96, same(3, 3));
    return concat(b, {one, five, three, pooled(b, from, pool_width)});
  }
  NodeId block_b(const std::string& b, NodeId from) {
    const NodeId three = conv(b + ".branch3x3", from, 384, square(3, 2));
    NodeId twice = conv(b + ".branch3x3dbl_1", from, 64, square(1));
    twice = conv(b + ".branch3x3dbl_2", twice, 96, same(3, 3));
    twice = conv(b + ".branch3x3dbl_3", twice, 96, square(3, 2));
    const NodeId pool = net_.max_pool(b + ".max_pool", from, square(3, 2));
    return concat(b, {three, twice, pool});
  }
  NodeId block_c(const std::string& b, NodeId from, std::int64_t width) {
    const NodeId one = conv(b + ".branch1x1", from, 192, square(1));
    NodeId seven = conv(b + ".branch7x7_1", from, width, square(1));
    seven = conv(b + ".branch7x7_2", seven, width, same(1, 7));
    seven = conv(b + ".branch7x7_3", seven, 192, same(7, 1));
    NodeId twice = conv(b + ".branch7x7dbl_1", from, width, square(1));
    twice = conv(b + ".branch7x7dbl_2", twice, width, same(7, 1));
    twice = conv(b + ".branch7x7dbl_3", twice, width, same(1, 7));
    twice = conv(b + ".branch7x7dbl_4", twice, width, same(7, 1));
    twice = conv(b + ".branch7x7dbl_5", twice, 192, same(1, 7));
    return concat(b, {one, seven, twice, pooled(b, from, 192)});
  }
  NodeId block_d(const std::string& b, NodeId from) {
    NodeId three = conv(b + ".branch3x3_1", from, 192, square(1));
    three = conv(b + ".branch3x3_2", three, 320, square(3, 2));
    NodeId seven = conv(b + ".branch7x7x3_1", from, 192, square(1));
    seven = conv(b + ".branch7x7x3_2", seven, 192, same(1, 7));
    seven = conv(b + ".branch7x7x3_3", seven, 192, same(7, 1));
    seven = conv(b + ".branch7x7x3_4", seven, 192, square(3, 2));
    const NodeId pool = net_.max_pool(b + ".max_pool", from, square(3, 2));
    return concat(b, {three, seven, pool});
  }
  /// A 1x3 and a 3x1 convolution side by side.
  NodeId fork(const std::string& path, const char* suffix, NodeId from) {
    const NodeId a = conv(path + suffix + "a", from, 384, same(1, 3));
    const NodeId b = conv(path + suffix + "b", from, 384, same(3, 1));
    return concat(path, {a, b});
  }
  NodeId block_e(const std::string& b, NodeId from) {
    const NodeId one = conv(b + ".branch1x1", from, 320, square(1));
    NodeId three = conv(b + ".branch3x3_1", from, 384, square(1));
    three = fork(b + ".branch3x3", "_2", three);
    NodeId twice = conv(b + ".branch3x3dbl_1", from, 448, square(1));
    twice = conv(b + ".branch3x3dbl_2", twice, 384, same(3, 3));
    twice = fork(b + ".branch3x3dbl", "_3", twice);
    return concat(b, {one, three, twice, pooled(b, from, 192)});
  }

  NetBuilder net_{"inception-v3", {3, 299, 299}};
};

}  // namespace

Graph inception_v3() { return InceptionV3().build(); }

}  // namespace bitpulse
