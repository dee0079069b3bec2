// SPDX-License-Identifier: Apache-2.0
#include "sim/schedule/check.h"

#include <algorithm>
#include <map>

#include "sim/schedule/check_races.h"
#include "sim/schedule/layer_shape.h"
#include "sim/schedule/patterns.h"

namespace bitpulse {

namespace {

std::string name(CommandId id) { return "command " + std::to_string(id); }

/// Indices and bytes; false where nothing else can be checked.
bool check_structure(const Program& program, std::vector<std::string>& violations) {
  const std::size_t before = violations.size();
  for (CommandId id = 0; id < program.commands.size(); ++id) {
    const Command& command = program.commands[id];
    const std::size_t payloads = command.unit == Unit::kDma     ? program.dma.size()
                                 : command.unit == Unit::kArray ? program.array.size()
                                                                : program.vector.size();
    if (command.payload >= payloads) violations.push_back(name(id) + " has no payload");
    if (command.layer >= program.layers.size()) violations.push_back(name(id) + " has no layer");
    if (command.first_predecessor + command.predecessor_count > program.predecessors.size()) {
      violations.push_back(name(id) + " names predecessors beyond the list");
      continue;
    }
    for (std::uint32_t i = 0; i < command.predecessor_count; ++i) {
      if (program.predecessors[command.first_predecessor + i] >= id) {
        violations.push_back(name(id) + " waits for a later command");
      }
    }
  }
  for (const DmaCommand& dma : program.dma) {
    if (dma.first_pattern + dma.pattern_count > program.patterns.size()) {
      violations.push_back("a dma command names patterns beyond the list");
    }
  }
  for (const VectorCommand& vector : program.vector) {
    if (vector.first_output + vector.output_count > program.outputs.size()) {
      violations.push_back("a vector command names outputs beyond the list");
    }
  }
  return violations.size() == before;
}

/// Visits every run of a pattern as (dram_bit, bits).
template <class Visit>
void for_runs(const DmaPattern& p, Visit&& visit) {
  for (std::uint64_t row = 0; row < p.rows; ++row) {
    for (std::uint64_t run = 0; run < p.runs; ++run) {
      visit(p.dram_bit + row * p.dram_row_stride + run * p.dram_run_stride, p.run_bits);
    }
  }
}

/// Kept tensors that live at the same time stand beside each other.
void check_kept(const Program& program, std::vector<std::string>& violations) {
  const std::uint64_t size = std::uint64_t{program.machine.buffers.act_kib} * 1024 * 8;
  for (std::size_t i = 0; i < program.kept.size(); ++i) {
    const KeptTensor& a = program.kept[i];
    const std::string name = "kept tensor " + std::to_string(a.tensor);
    if (a.end() > size) violations.push_back(name + " leaves the act buffer");
    if (a.first_layer > a.last_layer || a.last_layer >= program.layers.size()) {
      violations.push_back(name + " lives in no layers of the program");
    }
    for (std::size_t j = 0; j < i; ++j) {
      const KeptTensor& b = program.kept[j];
      if (a.first_layer <= b.last_layer && b.first_layer <= a.last_layer && a.act_bit < b.end() &&
          b.act_bit < a.end()) {
        violations.push_back(name + " meets kept tensor " + std::to_string(b.tensor));
      }
    }
  }
}

/// `bytes` of a command: runs that follow one another without a gap count as one.
void check_dma(const Program& program, std::vector<std::string>& violations) {
  for (std::size_t i = 0; i < program.dma.size(); ++i) {
    const DmaCommand& dma = program.dma[i];
    std::uint64_t bytes = 0, end = ~std::uint64_t{0}, furthest = 0;
    for (std::uint32_t p = 0; p < dma.pattern_count; ++p) {
      for_runs(program.patterns[dma.first_pattern + p], [&](std::uint64_t bit, std::uint64_t bits) {
        const std::uint64_t first = bit == end ? (bit + 7) / 8 : bit / 8;
        end = bit + bits;
        bytes += (end + 7) / 8 - first;
        furthest = std::max(furthest, end);
      });
    }
    if (bytes != dma.bytes) {
      violations.push_back("dma command " + std::to_string(i) + " counts " +
                           std::to_string(dma.bytes) + " bytes and touches " +
                           std::to_string(bytes));
    }
    if (!dma.on_chip && furthest > program.dram_bytes * 8) {
      violations.push_back("dma command " + std::to_string(i) + " leaves DRAM");
    }
  }
}

/// Every code of the tensors' stored slices is written once. Kept tensors are checked at their
/// places in DRAM.
void check_stores(const Program& program, const IntegerNetwork& network,
                  std::vector<std::string>& violations) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> runs;  // begin, end
  for (const Command& command : program.commands) {
    if (command.unit != Unit::kDma) continue;
    const DmaCommand& dma = program.dma[command.payload];
    if (!dma.is_store) continue;
    for (std::uint32_t p = 0; p < dma.pattern_count; ++p) {
      const DmaPattern& pattern = program.patterns[dma.first_pattern + p];
      std::uint64_t home = 0, act_bit = 0;
      if (dma.on_chip) {
        const KeptTensor* kept = program.kept_at(command.layer, pattern.dram_bit);
        if (kept == nullptr) continue;  // check_buffers says so
        home = program.tensor_bit[static_cast<std::size_t>(kept->tensor)];
        act_bit = kept->act_bit;
      }
      for_runs(pattern, [&](std::uint64_t bit, std::uint64_t bits) {
        const std::uint64_t begin = bit - act_bit + home;
        runs.emplace_back(begin, begin + bits);
      });
    }
  }
  std::sort(runs.begin(), runs.end());
  std::vector<std::pair<std::uint64_t, std::uint64_t>> written;
  for (const auto& run : runs) {
    if (!written.empty() && run.first < written.back().second) {
      violations.push_back("DRAM bit " + std::to_string(run.first) + " is stored twice");
    }
    if (!written.empty() && run.first <= written.back().second) {
      written.back().second = std::max(written.back().second, run.second);
    } else {
      written.push_back(run);
    }
  }
  const auto is_written = [&](std::uint64_t begin, std::uint64_t end) {
    auto it =
        std::upper_bound(written.begin(), written.end(), std::make_pair(begin, ~std::uint64_t{0}));
    return it != written.begin() && (it - 1)->second >= end;
  };
  for (const LayerPlan& plan : program.layers) {
    const IntegerLayer& layer = network.layers[plan.layer];
    const LayerShape shape = layer_shape(network, layer, program.batch);
    for (std::size_t s = 0; s < layer.stores.size(); ++s) {
      const StoreShape& store = shape.stores[s];
      const std::uint64_t base =
          program.tensor_bit[static_cast<std::size_t>(layer.stores[s].tensor)];
      const std::int64_t r = store.reorg;
      for (std::int64_t m = 0; m < shape.m; ++m) {
        const std::int64_t y = m / shape.out_w, x = m % shape.out_w;
        const std::int64_t pixel = y / r * store.tensor.w + x / r;
        const std::int64_t channel =
            store.channel_offset + (y % r * r + x % r) * shape.out_channels();
        const std::uint64_t begin =
            base + static_cast<std::uint64_t>(pixel * store.tensor.pixel_bits +
                                              channel * store.tensor.bits);
        const std::uint64_t end =
            begin + static_cast<std::uint64_t>(shape.out_channels() * store.tensor.bits);
        if (!is_written(begin, end)) {
          violations.push_back("layer '" + plan.name + "': output pixel " + std::to_string(m) +
                               " is not stored whole");
          break;
        }
      }
    }
  }
}

/// Per (width group, group, n, m) tile the k ranges follow one another from 0 to K'.
void check_products(const Program& program, std::vector<std::string>& violations) {
  std::vector<std::uint64_t> macs(program.layers.size());
  struct Tile {
    std::uint64_t acc_offset;
    std::int64_t k_end;
  };
  std::map<std::uint32_t, Tile> open;  // by layer
  for (const Command& command : program.commands) {
    if (command.unit != Unit::kArray) continue;
    const ArrayCommand& array = program.array[command.payload];
    const LayerPlan& plan = program.layers[command.layer];
    macs[command.layer] += array.macs;
    Tile& tile = open[command.layer];
    const bool begins = !array.accumulate;
    if (begins ? array.tile.k.begin != 0
               : array.tile.k.begin != tile.k_end || array.acc_offset != tile.acc_offset) {
      violations.push_back("layer '" + plan.name + "': K tiles out of order");
    }
    tile = {array.acc_offset, array.tile.k.end};
  }
  for (std::size_t i = 0; i < macs.size(); ++i) {
    if (macs[i] != static_cast<std::uint64_t>(program.layers[i].macs)) {
      violations.push_back("layer '" + program.layers[i].name + "' has " +
                           std::to_string(program.layers[i].macs) + " products, its commands " +
                           std::to_string(macs[i]));
    }
  }
}

}  // namespace

std::vector<std::string> validate_program(const Program& program, const IntegerNetwork& network) {
  std::vector<std::string> violations;
  if (!check_structure(program, violations)) return violations;
  check_kept(program, violations);
  check_dma(program, violations);
  check_stores(program, network, violations);
  check_products(program, violations);
  check_buffers(program, network, violations);
  return violations;
}

}  // namespace bitpulse
