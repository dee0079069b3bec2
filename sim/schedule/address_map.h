// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where tensors and weights stand in DRAM: every stored tensor, then each layer's weight blocks in
// load order, all on boundaries of kRegionBytes.

#include <cstdint>
#include <vector>

#include "quant/integer/integer_network.h"

namespace bitpulse {

inline constexpr std::uint64_t kRegionBytes = 64;  // a burst of the usual parts

constexpr std::uint64_t align_region(std::uint64_t bytes) {
  return (bytes + kRegionBytes - 1) / kRegionBytes * kRegionBytes;
}

/// Addresses (bits) of a layer's tensors, in DRAM or, where they are kept, in the activation
/// buffer; of its first weight block; of its first tile slot in the activation buffer.
struct LayerAddresses {
  std::uint64_t in = 0, identity = 0, weights = 0;
  std::vector<std::uint64_t> stores;  // by store
  std::uint64_t act_slots = 0;
};

/// Bit address of every stored tensor of `batch` images; `end_bytes` becomes their extent.
std::vector<std::uint64_t> map_tensors(const IntegerNetwork& network, std::int64_t batch,
                                       std::uint64_t& end_bytes);

/// A layer's addresses, weights left at 0.
LayerAddresses layer_addresses(const IntegerLayer& layer,
                               const std::vector<std::uint64_t>& tensor_bit);

}  // namespace bitpulse
