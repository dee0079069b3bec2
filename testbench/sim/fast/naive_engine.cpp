// SPDX-License-Identifier: Apache-2.0
#include "testbench/sim/fast/naive_engine.h"

#include <algorithm>
#include <optional>

#include "testbench/sim/memory/jedec.h"

namespace bitpulse {
namespace {

struct Fold {
  std::int64_t rows, cols, stream;
  bool opens_sums;  // first into its sums
};

std::vector<Fold> folds_of(const ArraySpec& spec, const FoldNest& nest) {
  std::vector<Fold> folds;
  for (std::uint32_t repeat = 0; repeat < nest.repeats; ++repeat) {
    for (std::uint64_t col = 0; col < nest.cols_extent; col += spec.cols) {
      for (std::uint64_t row = 0; row < nest.rows_extent; row += spec.rows) {
        for (std::uint32_t pass = 0; pass < nest.passes; ++pass) {
          folds.push_back({static_cast<std::int64_t>(
                               std::min<std::uint64_t>(spec.rows, nest.rows_extent - row)),
                           static_cast<std::int64_t>(
                               std::min<std::uint64_t>(spec.cols, nest.cols_extent - col)),
                           static_cast<std::int64_t>(nest.stream),
                           spec.dataflow == Dataflow::kOs || (row == 0 && pass == 0)});
        }
      }
    }
  }
  return folds;
}

class NaiveArray {
 public:
  explicit NaiveArray(const ArraySpec& spec) : spec_(spec) {}

  CommandTime issue(const FoldNest& nest, std::int64_t ready) {
    const std::int64_t array_rows = spec_.rows;
    const bool os = spec_.dataflow == Dataflow::kOs;
    std::int64_t start = -1, finish = 0;
    for (const Fold& fold : folds_of(spec_, nest)) {
      if (!spec_.overlap) {
        const std::int64_t begin = std::max(ready, free_);
        free_ = begin + fold.rows + fold.stream + array_rows + fold.cols - 2;
        if (start < 0) start = begin;
        finish = free_;
        continue;
      }
      std::int64_t s = os ? ready : ready + fold.rows;
      if (last_) {
        s = std::max(s, last_start_ +
                            (os ? std::max(last_->stream, last_->rows + last_->stream - fold.stream)
                                : std::max(last_->stream, fold.rows)));
      }
      if (start < 0) start = os ? s : s - fold.rows;
      finish =
          std::max(finish, s + fold.stream + array_rows + (os ? fold.rows : 0) + fold.cols - 2);
      last_ = fold;
      last_start_ = s;
    }
    return {static_cast<std::uint64_t>(start), static_cast<std::uint64_t>(finish)};
  }

 private:
  ArraySpec spec_;
  std::int64_t free_ = 0;
  std::optional<Fold> last_;
  std::int64_t last_start_ = 0;
};

void count_folds(const Program& program, const Command& command, Counters& counters) {
  const ArraySpec& spec = program.machine.array;
  const ArrayCommand& array = program.array[command.payload];
  const LayerPlan& plan = program.layers[command.layer];
  const WidthGroup& group = plan.width_groups[array.tile.width_group];
  const auto u = [](std::int64_t v) { return static_cast<std::uint64_t>(v); };
  const std::uint64_t la = u(group.mode.lanes * group.mode.act_digit_bits);
  const std::uint64_t lw = u(group.mode.lanes * group.mode.weight_digit_bits);
  for (const Fold& fold : folds_of(spec, array.nest)) {
    const std::uint64_t held = u(fold.rows * fold.cols);
    const std::uint64_t by_row = u(fold.stream * fold.rows), by_col = u(fold.stream * fold.cols);
    ++counters.folds;
    counters.pe_cycles_used += u(fold.stream) * held;
    counters.weight_read_bits += lw * (spec.dataflow == Dataflow::kWs   ? held
                                       : spec.dataflow == Dataflow::kIs ? by_row
                                                                        : by_col);
    counters.act_read_bits += la * (spec.dataflow == Dataflow::kIs ? held : by_row);
    const std::uint64_t sums = spec.dataflow == Dataflow::kOs ? held : by_col;
    counters.acc_write_bits += sums * u(spec.acc_bits);
    if (array.accumulate || !fold.opens_sums) counters.acc_read_bits += sums * u(spec.acc_bits);
  }
  if (array.macs > 0) counters.macs[{plan.act_bits, group.weight_bits}] += array.macs;
}

/// The slow memory and what it has counted; runs go in one by one, as the patterns have them.
class NaiveMemory {
 public:
  explicit NaiveMemory(const Machine& machine) : dram_(machine.dram.timing, machine.clock_mhz) {}

  std::uint64_t transfer(const Program& program, const DmaCommand& dma, std::uint64_t start,
                         Counters& counters) {
    const std::size_t logged = dram_.log().size();
    dram_.begin(start);
    for (std::uint32_t i = 0; i < dma.pattern_count; ++i) {
      const DmaPattern& p = program.patterns[dma.first_pattern + i];
      for (std::uint64_t row = 0; row < p.rows; ++row) {
        for (std::uint64_t run = 0; run < p.runs; ++run) {
          const std::uint64_t bit = p.dram_bit + row * p.dram_row_stride + run * p.dram_run_stride;
          dram_.access(bit / 8, (bit % 8 + p.run_bits + 7) / 8, dma.is_store);
        }
      }
    }
    for (std::size_t i = logged; i < dram_.log().size(); ++i) {
      const DramCommand::Kind kind = dram_.log()[i].kind;
      if (kind == DramCommand::Kind::kRefresh) ++counters.dram_refreshes;
      if (kind == DramCommand::Kind::kActivate) ++counters.dram_activates, --counters.dram_row_hits;
      if (kind == DramCommand::Kind::kRead || kind == DramCommand::Kind::kWrite) {
        ++counters.dram_row_hits;
      }
    }
    return dram_.finish();
  }

 private:
  jedec::SlowDram dram_;
};

std::uint64_t transfer_fixed(const DramSpec& dram, std::uint64_t bytes, std::uint64_t start) {
  std::uint64_t finish = start + dram.latency_cycles;
  for (std::uint64_t moved = 0; moved < bytes; moved += dram.bytes_per_cycle) ++finish;
  return finish;
}

}  // namespace

RunResult run_naively(const Program& program) {
  const std::size_t count = program.commands.size();
  RunResult result;
  result.times.resize(count);
  result.layers.resize(program.layers.size());
  std::vector<bool> done(count, false);
  NaiveArray array(program.machine.array);
  NaiveMemory memory(program.machine);
  const bool banked = program.machine.dram.model == DramModel::kBanked;
  std::uint64_t dma_free = 0, vector_free = 0;

  for (std::size_t left = count; left > 0; --left) {
    // The first command that heads its queue and waits for nobody.
    bool queue_taken[kUnitCount] = {};
    for (std::size_t id = 0; id < count; ++id) {
      const Command& command = program.commands[id];
      const auto unit = static_cast<std::size_t>(command.unit);
      if (done[id] || queue_taken[unit]) continue;
      queue_taken[unit] = true;
      std::uint64_t ready = 0;
      bool waits = false;
      for (std::uint32_t i = 0; i < command.predecessor_count; ++i) {
        const CommandId p = program.predecessors[command.first_predecessor + i];
        waits = waits || !done[p];
        ready = std::max(ready, result.times[p].finish);
      }
      if (waits) continue;

      Counters& counters = result.layers[command.layer];
      if (command.unit == Unit::kArray) {
        result.times[id] =
            array.issue(program.array[command.payload].nest, static_cast<std::int64_t>(ready));
        count_folds(program, command, counters);
      } else if (command.unit == Unit::kDma) {
        const DmaCommand& dma = program.dma[command.payload];
        const std::uint64_t start = std::max(ready, dma_free);
        if (dma.on_chip) {
          dma_free =
              start + (dma.bytes + program.machine.array.rows - 1) / program.machine.array.rows;
        } else {
          dma_free = banked ? memory.transfer(program, dma, start, counters)
                            : transfer_fixed(program.machine.dram, dma.bytes, start);
        }
        result.times[id] = {start, dma_free};
      } else {
        const VectorCommand& vector = program.vector[command.payload];
        const std::uint64_t start = std::max(ready, vector_free);
        vector_free = start + 4;
        for (std::uint32_t pass = 0; pass < vector.passes; ++pass) {
          for (std::uint64_t e = 0; e < vector.elements; e += program.machine.vector.lanes) {
            ++vector_free;
          }
        }
        result.times[id] = {start, vector_free};
      }
      done[id] = true;
      break;
    }
  }
  return result;
}

}  // namespace bitpulse
