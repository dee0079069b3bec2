// SPDX-License-Identifier: Apache-2.0
#pragma once

// How the executor runs one layer: a producer of values (gemm_layer.cpp, pool_layer.cpp) hands
// tiles of them to the layer's tail, which applies the epilogue and writes every store.

#include <cstdint>
#include <vector>

#include "quant/integer/accumulation.h"
#include "quant/integer/codes.h"
#include "quant/integer/epilogue.h"
#include "quant/integer/integer_network.h"
#include "quant/integer/isa.h"

namespace bitpulse {

/// A stored tensor while the network runs: codes [image][row][column][channel].
struct WorkTensor {
  Shape shape;
  CodeArray codes;
};

struct LayerRun {
  const IntegerNetwork& network;
  const IntegerLayer& layer;
  const LayerAccumulation& accumulation;
  std::vector<WorkTensor>& tensors;
  std::int64_t batch;
  int threads;
  Isa isa;

  std::int64_t pixels() const { return batch * layer.out.pixels(); }
  const WorkTensor& tensor(TensorId id) const { return tensors[static_cast<std::size_t>(id)]; }
};

/// Epilogue and stores for some output channels of a layer.
class LayerTail {
 public:
  LayerTail(const LayerRun& run, std::vector<std::int64_t> channels);

  const std::vector<std::int64_t>& channels() const { return channels_; }

  /// Takes the values of output pixels m_begin..m_end-1 (batch-major), rows of padded_columns()
  /// `stride` apart; returns the saturations. `workspace` is the thread's own.
  std::uint64_t finish(std::int64_t m_begin, std::int64_t m_end, const std::int32_t* values,
                       std::int64_t stride, std::vector<std::int32_t>& workspace) const;

 private:
  void read_identity(std::int64_t m_begin, std::int64_t m_end, std::int32_t* rows) const;
  void write(const Store& store, std::int64_t m_begin, std::int64_t m_end,
             const std::int32_t* rows) const;

  const LayerRun& run_;
  std::vector<std::int64_t> channels_;
  bool contiguous_;
  Epilogue epilogue_;
};

/// Both run a whole layer and return what overflowed.
OverflowCounts run_gemm(const LayerRun& run, const GemmOp& op);
OverflowCounts run_pool(const LayerRun& run, const PoolOp& op);
OverflowCounts run_elementwise(const LayerRun& run, const ElementwiseOp& op);

}  // namespace bitpulse
