// SPDX-License-Identifier: Apache-2.0
#pragma once

// The program: the one artefact that all engines execute. Three in-order queues of commands with
// predecessors; a command carries what its time follows from (patterns, fold nests, passes) and
// what its values follow from (tiles and buffer offsets). Nothing about timing is decided later.

#include <cstdint>
#include <string>
#include <vector>

#include "quant/integer/accumulation.h"
#include "sim/machine.h"

namespace bitpulse {

enum class Unit : std::uint8_t { kDma, kArray, kVector };
inline constexpr int kUnitCount = 3;
inline constexpr const char* kUnitNames[kUnitCount] = {"dma", "array", "vector"};

using CommandId = std::uint32_t;

/// Half-open range.
struct Range {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::int64_t size() const { return end - begin; }
  friend bool operator==(Range a, Range b) { return a.begin == b.begin && a.end == b.end; }
};

/// A strided copy between DRAM and a buffer: `rows` rows of `runs` runs of `run_bits` bits.
/// Addresses and strides are in bits on both sides (byte aligned wherever whole pixels move). In a
/// move on chip the DRAM side is the activation buffer.
struct DmaPattern {
  std::uint64_t dram_bit = 0, run_bits = 0;
  std::uint64_t runs = 1, dram_run_stride = 0, buffer_run_stride = 0;
  std::uint64_t rows = 1, dram_row_stride = 0, buffer_row_stride = 0;
  std::uint64_t buffer_bit = 0;
};

enum class Buffer : std::uint8_t { kAct, kWeight, kOut };

/// One DMA command: one latency, its patterns in order. `bytes` is the number of bytes its runs
/// touch in DRAM (a run that starts or ends inside a byte touches the whole byte; runs that follow
/// one another without a gap count as one). A move on chip is a store to, or a load from, a tensor
/// that stays in the activation buffer; its bytes are those it touches there.
struct DmaCommand {
  bool is_store = false;
  bool on_chip = false;
  Buffer buffer = Buffer::kAct;
  std::uint64_t bytes = 0;
  std::uint32_t first_pattern = 0, pattern_count = 0;  // into Program::patterns
};

/// The folds of one array command, in order: for each repeat (convolution group) for each column
/// fold for each row fold for each digit pass (os: no passes here, they lengthen the stream).
/// Row folds cut rows_extent by R, column folds cut cols_extent by C; all stream `stream` cycles.
struct FoldNest {
  std::uint32_t repeats = 1;
  std::uint32_t passes = 1;  // ws, is: folds per tile; os: 1
  std::uint64_t rows_extent = 1, cols_extent = 1;
  std::uint64_t stream = 1;  // T: ws M, is N, os K' times digit passes
};

/// A tile of one width group's GEMM. `groups` indexes WidthGroup::groups, k counts K' elements, n
/// indexes the width group's channels of one convolution group, m flattened output pixels
/// ((b * H + y) * W + x).
struct GemmTile {
  std::uint32_t width_group = 0;
  Range groups, m, k, n;
};

/// Part of a stored tensor in a buffer: image rows (b * H + y), columns, channels, laid out
/// [row][column][channel], each pixel padded to whole bytes, from `buffer_bit` on.
struct Region {
  Range rows, cols, channels;
  std::uint64_t buffer_bit = 0;
};

/// Sums of a tile stand in accumulator memory as [group][m][n] from `acc_offset` (in sums) on.
/// Weights stand as [group][n][k], codes packed at their width (binary: 1 bit), the tile padded to
/// whole bytes, lanes beyond the last input channel left out.
struct ArrayCommand {
  FoldNest nest;
  GemmTile tile;
  Region act;
  std::uint64_t weight_bit = 0;
  std::uint64_t acc_offset = 0;
  bool accumulate = false;  // false: the tile's first k, sums start at 0
  std::uint64_t macs = 0;   // products of the tile, lanes beyond the last input channel left out
};

/// One pass over `elements` per pass: time 4 + passes * ceil(elements / lanes).
/// GEMM layers read sums (acc_offset, tile); others read `input` from the act buffer. The
/// identity's channels are numbers of the identity's tensor (output channel minus
/// Residual::channels_before), those it has; none: every identity code is zero. Outputs of
/// store i go to the out buffer from outputs[i].buffer_bit on as [m][channel], each pixel padded to
/// whole bytes; `outputs[i].channels` are the channels (of the layer, unshifted) the tile holds: a
/// layer with several width groups gathers all of them before its store.
struct VectorCommand {
  std::uint64_t elements = 0;
  std::uint32_t passes = 1;
  GemmTile tile;  // GEMM: as the array command; others: m and n (channels) only
  std::uint64_t acc_offset = 0;
  Region input;     // pooling, elementwise
  Region identity;  // residual; in the out buffer as [m][channel], rows and cols unused
  /// Bits it moves: codes read from the act buffer (once per window element, padding included),
  /// identity codes read from the out buffer, codes written for all stores.
  std::uint64_t act_read_bits = 0, out_read_bits = 0, out_write_bits = 0;
  std::uint32_t first_output = 0, output_count = 0;  // into Program::outputs, one per store
};
struct OutputTile {
  Range channels;
  std::uint64_t buffer_bit = 0;
};

struct Command {
  Unit unit = Unit::kDma;
  std::uint32_t layer = 0;                                     // index into Program::layers
  std::uint32_t payload = 0;                                   // index into the unit's list
  std::uint32_t first_predecessor = 0, predecessor_count = 0;  // into Program::predecessors
};

/// Output channels of one weight width: channels[g] lists those of convolution group g (original
/// numbers, ascending); every group has as many.
struct WidthGroup {
  std::uint8_t weight_bits = 8;
  PeMode mode;
  std::int64_t k_packed = 1;
  std::vector<std::int64_t> groups;                 // convolution groups that take part
  std::vector<std::vector<std::int64_t>> channels;  // parallel to `groups`
  AccumulationOrder order;
  std::int64_t members() const { return static_cast<std::int64_t>(groups.size()); }
  std::int64_t channels_each() const { return static_cast<std::int64_t>(channels.front().size()); }
  std::int64_t channel_count() const { return groups.empty() ? 0 : members() * channels_each(); }
};

/// What is true of a layer whatever its tiles: the columns of its report row.
struct LayerPlan {
  std::uint32_t layer = 0;  // index into IntegerNetwork::layers
  std::string name, kind;
  std::int64_t m = 0, k = 0, n = 0, groups = 1;  // k and n per group; m includes batch
  std::uint8_t act_bits = 0;
  std::int64_t macs = 0;
  std::int64_t folds = 0;                 // of the untiled GEMM, digits and groups included
  std::uint64_t serial_array_cycles = 0;  // section 9
  std::int64_t scalesim_m = 0;
  std::uint64_t scalesim_cycles = 0;
  std::vector<WidthGroup> width_groups;   // empty where there is no GEMM
  std::string tiling;                     // the choice, for people: "m 196, k 1152, n 32; n outer"
  std::vector<std::string> kept_on_chip;  // tensors it stores that stay in the activation buffer
};

/// A block of packed weights in DRAM: tile `tile` (m unused) of `layer` (index into
/// Program::layers), stored at `dram_bit`.
struct WeightBlock {
  std::uint32_t layer = 0;
  GemmTile tile;
  std::uint64_t dram_bit = 0;
};

/// A tensor that stays in the activation buffer, at `act_bit`, while layers `first_layer` (its
/// first producer) to `last_layer` (its last reader) run; indices into Program::layers.
struct KeptTensor {
  std::int32_t tensor = -1;  // index into IntegerNetwork::tensors
  std::uint32_t first_layer = 0, last_layer = 0;
  std::uint64_t act_bit = 0, bits = 0;
  std::uint64_t end() const { return act_bit + bits; }
  bool lives_in(std::uint32_t layer) const { return first_layer <= layer && layer <= last_layer; }
};

struct Program {
  Machine machine;
  std::int64_t batch = 1;
  std::vector<LayerPlan> layers;
  std::vector<Command> commands;  // ids are indices; each unit's queue is its commands in order
  std::vector<CommandId> predecessors;
  std::vector<DmaCommand> dma;
  std::vector<ArrayCommand> array;
  std::vector<VectorCommand> vector;
  std::vector<DmaPattern> patterns;
  std::vector<OutputTile> outputs;
  std::vector<std::uint64_t> tensor_bit;  // DRAM bit address of every stored tensor
  std::vector<WeightBlock> weights;
  std::uint64_t dram_bytes = 0;  // extent of the address map
  std::vector<KeptTensor> kept;  // they have places in DRAM, too, which stay unused

  /// The kept tensor at this bit of the activation buffer while `layer` runs; null: none.
  const KeptTensor* kept_at(std::uint32_t layer, std::uint64_t act_bit) const {
    for (const KeptTensor& tensor : kept) {
      if (tensor.lives_in(layer) && tensor.act_bit <= act_bit && act_bit < tensor.end()) {
        return &tensor;
      }
    }
    return nullptr;
  }
};

/// Bits of the activation buffer below the tile slots of `layer`: those of the tensors kept there.
inline std::uint64_t kept_bits(const std::vector<KeptTensor>& kept, std::uint32_t layer) {
  std::uint64_t end = 0;
  for (const KeptTensor& tensor : kept) {
    if (tensor.lives_in(layer) && tensor.end() > end) end = tensor.end();
  }
  return end;
}

}  // namespace bitpulse
