// SPDX-License-Identifier: Apache-2.0
#include "testbench/sim/systemc/random_program.h"

#include <algorithm>
#include <string>

#include "models/units.h"

namespace bitpulse {
namespace {

std::uint32_t u32(std::int64_t value) { return static_cast<std::uint32_t>(value); }

/// A part that fits no data sheet: few rows, short intervals, so that every rule binds.
DramTiming random_timing(RandomSource& random) {
  DramTiming t;
  t.name = "random";
  t.dram_mhz = static_cast<double>(random.pick({400, 800, 1200, 1600}));
  t.channels = u32(random.pick({1, 2, 4}));
  t.banks = u32(random.pick({1, 4, 16}));
  t.burst_bytes = u32(random.pick({16, 32, 64}));
  t.row_bytes = t.burst_bytes * u32(random.pick({1, 4, 16}));
  t.burst_clocks = u32(random.pick({2, 4, 8}));
  t.t_rcd = u32(random.number(1, 20));
  t.t_rp = u32(random.number(1, 20));
  t.t_cl = u32(random.number(1, 20));
  t.t_cwl = u32(random.number(1, 20));
  t.t_ras = t.t_rcd + u32(random.number(1, 20));
  t.t_rc = t.t_ras + t.t_rp;
  t.t_ccd = u32(random.number(1, 8));
  t.t_rrd = u32(random.number(1, 8));
  t.t_faw = u32(random.number(0, 40));
  t.t_wr = u32(random.number(1, 20));
  t.t_wtr = u32(random.number(1, 10));
  t.t_rtp = u32(random.number(1, 10));
  t.t_rfc = u32(random.number(20, 200));
  t.t_refi = t.t_rfc * 4 + u32(random.number(0, 3000));
  return t;
}

Machine machine_of_program(RandomSource& random) {
  Machine machine = random_machine(random);
  machine.clock_mhz = static_cast<double>(random.pick({200, 700, 800, 1000}));
  if (random.one_in(2)) {
    machine.dram.model = DramModel::kBanked;
    machine.dram.timing = random_timing(random);
  }
  return machine;
}

LayerPlan random_plan(RandomSource& random, const Machine& machine, std::int64_t number) {
  LayerPlan plan;
  plan.layer = u32(number);
  plan.name = "layer" + std::to_string(number);
  plan.act_bits = random.pick<std::uint8_t>({1, 2, 4, 8, 16});
  for (auto groups = random.number(1, 2); groups > 0; --groups) {
    WidthGroup group;
    group.weight_bits = random.pick<std::uint8_t>({1, 2, 4, 8, 16});
    group.mode = pe_mode(machine.array.pe, plan.act_bits, group.weight_bits);
    plan.width_groups.push_back(group);
  }
  return plan;
}

DmaPattern random_pattern(RandomSource& random) {
  const bool whole_bytes = !random.one_in(3);
  const std::uint64_t unit = whole_bytes ? 8 : 1;
  DmaPattern p;
  p.dram_bit = u64(random.number(0, 4000)) * unit;
  p.buffer_bit = u64(random.number(0, 100)) * unit;
  p.run_bits = u64(random.number(1, random.one_in(3) ? 900 : 40)) * unit;
  p.runs = u64(random.number(1, 6));
  p.dram_run_stride = p.run_bits + (random.one_in(3) ? 0 : u64(random.number(0, 50)) * unit);
  p.buffer_run_stride = p.run_bits + (random.one_in(2) ? 0 : u64(random.number(0, 9)) * unit);
  p.rows = u64(random.number(1, 4));
  p.dram_row_stride =
      p.runs * p.dram_run_stride + (random.one_in(3) ? 0 : u64(random.number(0, 90)) * unit);
  p.buffer_row_stride = p.runs * p.buffer_run_stride;
  return p;
}

/// Bytes the runs touch; runs that follow one another without a gap count as one.
std::uint64_t touched_bytes(const std::vector<DmaPattern>& patterns) {
  std::uint64_t bytes = 0, begin = 0, end = 0;
  const auto close = [&] { bytes += (end + 7) / 8 - begin / 8; };
  for (const DmaPattern& p : patterns) {
    for (std::uint64_t row = 0; row < p.rows; ++row) {
      for (std::uint64_t run = 0; run < p.runs; ++run) {
        const std::uint64_t at = p.dram_bit + row * p.dram_row_stride + run * p.dram_run_stride;
        if (at != end || begin == end) {
          close();
          begin = at;
        }
        end = at + p.run_bits;
      }
    }
  }
  close();
  return bytes;
}

void add_dma(RandomSource& random, Program& program) {
  DmaCommand dma;
  dma.is_store = random.one_in(3);
  dma.buffer = random.pick({Buffer::kAct, Buffer::kWeight, Buffer::kOut});
  dma.on_chip = dma.buffer == Buffer::kOut && random.one_in(2);
  dma.first_pattern = u32(static_cast<std::int64_t>(program.patterns.size()));
  std::vector<DmaPattern> patterns(u64(random.number(1, 3)));
  for (DmaPattern& p : patterns) {
    p = random_pattern(random);
    const std::uint64_t end = p.dram_bit + p.rows * p.dram_row_stride;
    program.dram_bytes = std::max(program.dram_bytes, end / 8 + 1);
    program.patterns.push_back(p);
  }
  dma.pattern_count = u32(static_cast<std::int64_t>(patterns.size()));
  dma.bytes = touched_bytes(patterns);
  program.dma.push_back(dma);
}

std::uint64_t random_extent(RandomSource& random, std::uint32_t side) {
  switch (random.number(0, 3)) {
    case 0:
      return u64(random.number(1, 5));
    case 1:
      return u64(random.number(1, 3)) * side;
    default:
      return u64(random.number(1, 3 * std::int64_t{side}));
  }
}

void add_array(RandomSource& random, const LayerPlan& plan, Program& program) {
  const ArraySpec& spec = program.machine.array;
  ArrayCommand command;
  command.tile.width_group =
      u32(random.number(0, static_cast<std::int64_t>(plan.width_groups.size()) - 1));
  FoldNest& nest = command.nest;
  nest.repeats = u32(random.one_in(4) ? random.number(1, 4) : 1);
  if (spec.dataflow != Dataflow::kOs) {
    nest.passes = u32(plan.width_groups[command.tile.width_group].mode.passes());
  }
  nest.rows_extent = random_extent(random, spec.rows);
  nest.cols_extent = random_extent(random, spec.cols);
  nest.stream = u64(random.number(1, random.one_in(2) ? 5 : 100));
  command.accumulate = random.one_in(2);
  command.macs = u64(random.number(1, 100000));
  program.array.push_back(command);
}

void add_vector(RandomSource& random, Program& program) {
  VectorCommand command;
  command.elements = u64(random.number(1, 500));
  command.passes = u32(random.number(1, 12));
  command.tile.groups = {0, random.number(1, 3)};
  command.tile.m = {0, random.number(1, 20)};
  command.tile.n = {0, random.number(1, 20)};
  command.act_read_bits = u64(random.number(0, 5000));
  command.out_read_bits = u64(random.number(0, 5000));
  command.out_write_bits = u64(random.number(1, 5000));
  program.vector.push_back(command);
}

}  // namespace

Program random_program(RandomSource& random) {
  Program program;
  program.machine = machine_of_program(random);
  const std::int64_t layers = random.number(1, 3), count = random.number(1, 40);
  for (std::int64_t l = 0; l < layers; ++l) {
    program.layers.push_back(random_plan(random, program.machine, l));
  }
  for (std::int64_t id = 0; id < count; ++id) {
    Command command;
    command.layer = u32(id * layers / count);
    command.first_predecessor = u32(static_cast<std::int64_t>(program.predecessors.size()));
    for (auto n = id > 0 ? random.number(0, 3) : 0; n > 0; --n) {
      const std::int64_t oldest = random.one_in(2) ? 0 : std::max<std::int64_t>(0, id - 4);
      program.predecessors.push_back(u32(random.number(oldest, id - 1)));
      ++command.predecessor_count;
    }
    command.unit = random.pick({Unit::kDma, Unit::kArray, Unit::kArray, Unit::kVector});
    std::size_t payload = 0;
    switch (command.unit) {
      case Unit::kDma:
        payload = program.dma.size();
        add_dma(random, program);
        break;
      case Unit::kArray:
        payload = program.array.size();
        add_array(random, program.layers[command.layer], program);
        break;
      case Unit::kVector:
        payload = program.vector.size();
        add_vector(random, program);
        break;
    }
    command.payload = u32(static_cast<std::int64_t>(payload));
    program.commands.push_back(command);
  }
  return program;
}

}  // namespace bitpulse
