// SPDX-License-Identifier: Apache-2.0
// The 784-2048-2048-2048-10 perceptron on MNIST of the binary and loss-aware quantization papers
// (Courbariaux et al., NIPS 2015; Hou and Kwok, ICLR 2018), here with ReLU.
#include "models/nets/builder.h"
#include "models/nets/families.h"

namespace bitpulse {

Graph mlp_mnist() {
  NetBuilder net("mlp-mnist", {1, 28, 28});
  NodeId at = net.relu("relu1", net.linear("fc1", net.input(), 2048));
  at = net.relu("relu2", net.linear("fc2", at, 2048));
  at = net.relu("relu3", net.linear("fc3", at, 2048));
  return net.finish(net.linear("fc4", at, 10));
}

}  // namespace bitpulse
