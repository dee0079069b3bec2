// SPDX-License-Identifier: Apache-2.0
#include "sim/schedule/address_map.h"

#include "sim/schedule/layer_shape.h"

namespace bitpulse {

std::vector<std::uint64_t> map_tensors(const IntegerNetwork& network, std::int64_t batch,
                                       std::uint64_t& end_bytes) {
  std::vector<std::uint64_t> bits;
  bits.reserve(network.tensors.size());
  end_bytes = 0;
  for (const StoredTensor& tensor : network.tensors) {
    const TensorShape shape = tensor_shape(tensor);
    bits.push_back(end_bytes * 8);
    const std::int64_t bytes = batch * shape.h * shape.w * (shape.pixel_bits / 8);
    end_bytes = align_region(end_bytes + static_cast<std::uint64_t>(bytes));
  }
  return bits;
}

LayerAddresses layer_addresses(const IntegerLayer& layer,
                               const std::vector<std::uint64_t>& tensor_bit) {
  const auto address = [&](TensorId id) { return tensor_bit[static_cast<std::size_t>(id)]; };
  LayerAddresses addresses;
  addresses.in = std::visit([&](const auto& op) { return address(op.input); }, layer.op);
  if (layer.residual) addresses.identity = address(layer.residual->identity);
  addresses.stores.reserve(layer.stores.size());
  for (const Store& store : layer.stores) addresses.stores.push_back(address(store.tensor));
  return addresses;
}

}  // namespace bitpulse
