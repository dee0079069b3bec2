// SPDX-License-Identifier: Apache-2.0
#pragma once

// A network from an ONNX file: its operators become layers, its constants their weights.
//   Conv, Gemm, MatMul        with constant weights; a constant Add behind one is its bias
//   BatchNormalization, Relu, Clip(0, max), LeakyRelu, MaxPool, AveragePool (padding counted),
//   GlobalAveragePool, ReduceMean over height and width, Add, Concat of channels, SpaceToDepth,
//   Flatten, and Reshape and Squeeze where they flatten
//   Dropout, Identity, Cast   nothing is left of them
//   Softmax, LogSoftmax       left out where they make an output: they change no ranking
// Any other operator is refused by its node, as is a layer whose weights are computed.

#include <string>

#include "models/graph.h"
#include "models/tensor.h"

namespace bitpulse {

/// Nodes are named as in the file, those without a name as their first output.
struct ImportedNetwork {
  Graph graph;
  Weights weights;  // "<node>.weight", ... as PyTorch names them
};

/// errors  kIo, kLimit, kInvalidInput: file, node, found, expected
ImportedNetwork import_onnx(const std::string& path);

}  // namespace bitpulse
