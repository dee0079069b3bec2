// SPDX-License-Identifier: Apache-2.0
#pragma once

// DMA addressing: loads of input regions and identities, stores of output tiles. In DRAM tensors
// are NHWC with padded pixels; in buffers a tile has its own padded pixels of the channels it
// holds. Patterns are appended to a list; the bytes they touch in DRAM are returned.

#include <cstdint>
#include <vector>

#include "sim/program.h"
#include "sim/schedule/layer_shape.h"

namespace bitpulse {

/// Bytes the runs of a pattern touch in DRAM. Strides are whole bytes, so all runs touch as many.
inline std::uint64_t touched_bytes(const DmaPattern& p) {
  return p.runs * p.rows * ((p.dram_bit % 8 + p.run_bits + 7) / 8);
}

/// The region of a tensor at `tensor_bit`, to region.buffer_bit.
std::uint64_t load_region(const TensorShape& tensor, std::uint64_t tensor_bit, const Region& region,
                          std::vector<DmaPattern>& patterns);

/// The identity codes of output pixels `m`, every stride-th pixel of its rows, to
/// identity.buffer_bit as [m][channel].
std::uint64_t load_identity(const LayerShape& shape, std::uint64_t tensor_bit, Range m,
                            const Region& identity, std::vector<DmaPattern>& patterns);

/// An output tile of pixels `m` from tile.buffer_bit to its channel slice, through space-to-depth
/// where the store asks for it.
std::uint64_t store_tile(const LayerShape& shape, const StoreShape& store, std::uint64_t tensor_bit,
                         Range m, const OutputTile& tile, std::vector<DmaPattern>& patterns);

/// The identity's channels behind output channels `channels`; empty where it has none of them.
Range identity_channels(const IdentityShape& identity, Range channels);

}  // namespace bitpulse
