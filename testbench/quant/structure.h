// SPDX-License-Identifier: Apache-2.0
#pragma once

// The structure of an integer network as one line per layer, so that tests compare text:
//   <layer> <input> [+ <identity>[/stride][^channels before]] -> <tensor>[@offset][%reorg] ...

#include <string>
#include <vector>

#include "quant/integer/integer_network.h"

namespace bitpulse {

inline std::string tensor_name(const IntegerNetwork& network, TensorId id) {
  return network.tensors.at(static_cast<std::size_t>(id)).name;
}

inline std::string describe(const IntegerNetwork& network, const IntegerLayer& layer) {
  std::string text = layer.name + " ";
  std::visit([&](const auto& op) { text += tensor_name(network, op.input); }, layer.op);
  if (layer.residual) {
    text += " + " + tensor_name(network, layer.residual->identity);
    if (layer.residual->stride != 1) text += "/" + std::to_string(layer.residual->stride);
    if (layer.residual->channels_before != 0)
      text += "^" + std::to_string(layer.residual->channels_before);
  }
  text += " ->";
  for (const Store& store : layer.stores) {
    text += " " + tensor_name(network, store.tensor);
    if (store.channel_offset != 0) text += "@" + std::to_string(store.channel_offset);
    if (store.reorg != 1) text += "%" + std::to_string(store.reorg);
  }
  return text;
}

inline std::vector<std::string> describe(const IntegerNetwork& network) {
  std::vector<std::string> lines;
  for (const IntegerLayer& layer : network.layers) lines.push_back(describe(network, layer));
  return lines;
}

}  // namespace bitpulse
