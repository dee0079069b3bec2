// SPDX-License-Identifier: Apache-2.0
#pragma once

// Graph to integer network: which nodes fuse into one layer, which tensors are stored, at which
// widths. The structure needs no values, so timing does not wait for a calibration.
//
//   conv2d, linear, gemm   start a layer; batch norm after them is folded into it
//   add                    joins the later of the convolutions that alone feed it; where there is
//                          none it becomes a layer of its own. The other operand is stored
//   relu, leaky relu       become the clamp (second multiplier) of the stores of the layer before
//   pools                  are layers on the vector unit
//   concat, reorg, flatten are addresses of stores; slice-and-pad is an address of the add's read
//
// A stored tensor has the width of its reader: one per distinct (value, width), shared by readers
// of the same width; 16 bits where no GEMM gives a width or the readers of a pool differ.
// Unsigned where the value cannot be negative, signed elsewhere, above `widest_unsigned` bits and
// on 16-bit residual streams.

#include <vector>

#include "models/workload.h"
#include "quant/activation.h"
#include "quant/integer/integer_network.h"

namespace bitpulse {

/// The nodes that a layer was made of; -1 where it has none.
struct LayerOrigin {
  NodeId op = -1;                       // convolution, linear, gemm, pool, or add
  std::vector<NodeId> norms;            // batch norms in order
  NodeId add = -1;                      // the residual add
  NodeId main = -1, identity = -1;      // its operands: of this layer, and the one it reads
  std::vector<Activation> activations;  // one per store
};
/// The real value of a stored tensor: `activation` of the output of `node`.
struct TensorOrigin {
  NodeId node = -1;
  Activation activation;
};
struct Lowering {
  IntegerNetwork network;
  std::vector<LayerOrigin> layers;                         // parallel to network.layers
  std::vector<TensorOrigin> tensors;                       // parallel to network.tensors
  std::vector<std::vector<Activation>> input_activations;  // by input, by store
};

/// The structure of the deployed network (has_parameters = false).
///
/// errors  kInvalidInput naming the node: batch norm without a convolution before it, a pattern in
///         "layers" that matches nothing, weight runs that do not cover the channels, ...
IntegerNetwork lower(const Workload& workload);

/// The same with the way back to the graph.
Lowering lower_with_origins(const Workload& workload);

}  // namespace bitpulse
