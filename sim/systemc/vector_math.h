// SPDX-License-Identifier: Apache-2.0
#pragma once

// What one vector command computes: from sums or packed codes to the packed codes of every store.
// The formulas are those of quant/integer/epilogue.h; here tiles are cut out of the buffers, pooled
// where the layer pools, and written back in bits.

#include <cstdint>
#include <memory>
#include <vector>

#include "quant/integer/epilogue.h"
#include "quant/integer/integer_network.h"
#include "quant/integer/kernels.h"
#include "sim/program.h"
#include "sim/systemc/vector_backend.h"

namespace bitpulse {

struct VectorOperands {
  const std::vector<SumTile>* sums = nullptr;  // GEMM
  const std::uint8_t* act = nullptr;           // others: the act buffer
  std::uint8_t* out = nullptr;                 // the out buffer: identity and outputs
  const OutputTile* outputs = nullptr;         // one per store
};

/// What a command moved, in bits, and how often it saturated.
struct VectorCounts {
  std::uint64_t act_read_bits = 0, out_read_bits = 0, out_write_bits = 0;
  std::uint64_t saturations = 0;
};

/// A command's operands and results as values.
struct VectorRecord {
  VectorJob job;
  VectorOutcome outcome;
};

class VectorMath {
 public:
  void reset() { epilogues_.clear(); }
  /// Commands from here on are noted in `record`, but for their cycles; null: nowhere.
  void set_record(VectorRecord* record) { record_ = record; }

  /// Runs a command of layer `plan`.
  VectorCounts run(const IntegerNetwork& network, const LayerPlan& plan,
                   const VectorCommand& command, const VectorOperands& operands);

  /// Bits a command's tiles take in their buffers.
  static std::uint64_t input_bits(const IntegerNetwork& network, const IntegerLayer& layer,
                                  const VectorCommand& command);
  static std::uint64_t identity_bits(const IntegerNetwork& network, const IntegerLayer& layer,
                                     const VectorCommand& command);
  static std::uint64_t output_bits(const IntegerNetwork& network, const IntegerLayer& layer,
                                   const VectorCommand& command, const OutputTile& output,
                                   std::size_t store);

 private:
  /// Some columns of a tile, as values: [m][column], rows `stride` apart.
  struct Columns {
    std::vector<std::int64_t> channels;
    const std::int32_t* values = nullptr;
    std::int64_t stride = 0;
  };
  void finish_columns(const IntegerNetwork& network, const LayerPlan& plan,
                      const VectorCommand& command, const VectorOperands& operands,
                      const Columns& columns);
  const Epilogue& epilogue(const IntegerNetwork& network, const LayerPlan& plan,
                           const std::vector<std::int64_t>& channels);
  void pool(const IntegerNetwork& network, const IntegerLayer& layer, const VectorCommand& command,
            const VectorOperands& operands, std::int64_t stride);
  void begin_record(const IntegerNetwork& network, const IntegerLayer& layer,
                    const VectorCommand& command, bool has_sums);
  void record_columns(const Columns& columns, const EpilogueTile& tile);
  void read_identity(const IntegerNetwork& network, const IntegerLayer& layer,
                     const VectorCommand& command, const VectorOperands& operands,
                     const std::vector<std::int64_t>& channels, std::int64_t stride);

  struct Cached {
    std::uint32_t layer = 0;
    std::vector<std::int64_t> channels;
    std::unique_ptr<Epilogue> epilogue;
  };
  std::vector<Cached> epilogues_;  // of one layer
  VectorCounts counts_;            // of the command in progress
  VectorRecord* record_ = nullptr;

  // Workspaces.
  std::vector<std::int32_t> region_, values_, identity_, outputs_;
};

}  // namespace bitpulse
