// SPDX-License-Identifier: Apache-2.0
#pragma once

// The array unit: takes commands as soon as their predecessors have finished, places their folds
// behind those in flight by the wavefront model, forms their sums from the bytes in the buffers and
// adds them to accumulator memory in program order. Buffers are read in the cycle of the command's
// start; the claims on them last from there to its finish. With a clocked backend (Verilated RTL)
// the commands run there too, one clock cycle per cycle, and what comes out is compared.

#include <cstdint>
#include <map>
#include <optional>
#include <systemc>

#include "sim/engine.h"
#include "sim/systemc/accumulator.h"
#include "sim/systemc/act_tiles.h"
#include "sim/systemc/array_check.h"
#include "sim/systemc/buffer.h"
#include "sim/systemc/unit.h"
#include "sim/systemc/wavefront.h"
#include "sim/systemc/weight_tiles.h"

namespace bitpulse {

class ArrayUnit : public UnitModule {
 public:
  sc_core::sc_port<BufferIf> act{"act"};
  sc_core::sc_port<BufferIf> weight{"weight"};
  sc_core::sc_port<AccumulatorIf> sums{"sums"};

  SC_HAS_PROCESS(ArrayUnit);
  explicit ArrayUnit(const sc_core::sc_module_name& name);

  /// From the next run on; null: the wavefront model alone.
  void set_backend(ArrayBackend* backend) { backend_ = backend; }

  /// The wavefront orders commands; the queue need not wait for one to finish.
  bool accepts() const override { return true; }
  std::uint64_t issue(CommandId id) override;
  /// After a run: whether the backend has executed all it was given.
  ///
  /// errors  Error(kCheckFailed)
  void check_finished() const { check_.finish(); }

 private:
  void reset_unit() override;
  CommandTime place(CommandId id, const ArrayCommand& command);
  void claim_memories(CommandId id, const ArrayCommand& command, CommandTime time);
  void begin(CommandId id) override;
  GemmLayer gemm_layer(CommandId id, const ArrayCommand& command) const;
  void clock();

  std::optional<Wavefront> wavefront_;
  std::map<CommandId, CommandTime> expected_;  // of commands not yet begun, for the backend
  ActTiles act_tiles_;
  WeightTiles weight_tiles_;

  ArrayBackend* backend_ = nullptr;
  ArrayCheck check_;
  sc_core::sc_event edge_{"edge"};
};

}  // namespace bitpulse
