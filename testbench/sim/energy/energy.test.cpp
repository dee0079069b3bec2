// SPDX-License-Identifier: Apache-2.0
#include "sim/energy/energy.h"

#include <cmath>

#include "models/error.h"
#include "models/io/shipped.h"
#include "sim/energy/sram.h"
#include "sim/energy/technology.h"
#include "testbench/catch.h"

namespace bitpulse {
namespace {

/// Round numbers, so that sums can be worked by hand.
Technology plain() {
  Technology t;
  for (PeEntry& pe : t.pe) {
    pe.cycle = Picojoules(2);
    pe.leakage = Microwatts(5);
    pe.area = SquareMicrons(100);
  }
  t.clock.bit = Picojoules(0.001);
  t.vector = {Picojoules(3), Microwatts(7), SquareMicrons(1000), {}};
  t.sram_energy.word_bits = 32;
  t.sram_energy.points = {{1024, Picojoules(1.6), Picojoules(3.2)},
                          {4096, Picojoules(6.4), Picojoules(12.8)}};
  t.sram_energy.above_exponent = 0.5;
  t.sram_energy.below_exponent = 0;
  t.sram_macro.points = {{1024, Microwatts(10), SquareMicrons(200)},
                         {4096, Microwatts(40), SquareMicrons(800)}};
  t.dram["fixed"] = {Picojoules(0), Picojoules(10), Picojoules(20), Picojoules(0), {}};
  t.dram["part"] = {Picojoules(1000), Picojoules(4), Picojoules(6), Picojoules(5000), {}};
  return t;
}

/// 4 x 8 PEs; macros: act 2 * 4 of 1 KiB, weight 2 * 8 of 1 KiB, accumulator 2 * 8 of 2 KiB, out
/// 2 * 8 of 4 KiB.
Machine small() {
  Machine m;
  m.clock_mhz = 500;
  m.array.rows = 4;
  m.array.cols = 8;
  m.array.acc_bits = 16;
  m.buffers = {8, 16, 64, 32};
  m.vector.lanes = 2;
  return m;
}

Counters some_counters() {
  Counters c;
  c.pe_cycles_used = 1000;
  c.act_read_bits = 3200, c.act_write_bits = 640;
  c.weight_read_bits = 960, c.weight_write_bits = 320;
  c.acc_read_bits = 64, c.acc_write_bits = 128;
  c.out_read_bits = 96, c.out_write_bits = 32;
  c.vector_element_ops = 50;
  c.dram_read_bytes = 100, c.dram_write_bytes = 10;
  return c;
}

TEST_CASE("every component is its actions times its cost", "[sim][energy]") {
  const EnergyReport report = price(some_counters(), 200, small(), plain());
  const auto pj = [&](const char* component) { return report.energy.at(component).value; };
  CHECK(pj("array") == Approx(1000 * 2.0));
  CHECK(pj("act_buffer") == Approx(3200 * 1.6 / 32 + 640 * 3.2 / 32));
  CHECK(pj("weight_buffer") == Approx(960 * 1.6 / 32 + 320 * 3.2 / 32));
  // 2 KiB lies half-way between 1 and 4 KiB in the logarithm: 1.6 * 2 and 3.2 * 2.
  CHECK(pj("accumulator") == Approx(64 * 3.2 / 32 + 128 * 6.4 / 32));
  CHECK(pj("out_buffer") == Approx(96 * 6.4 / 32 + 32 * 12.8 / 32));
  CHECK(pj("vector") == Approx(50 * 3.0));
  CHECK(pj("dram") == Approx(800 * 10.0 + 80 * 20.0));
  // 200 cycles of 500 MHz are 0.4 us; 32 PEs, 2 lanes, 8 + 16 macros of 1, 16 of 2, 16 of 4 KiB.
  CHECK(pj("leakage") == Approx(0.4 * (32 * 5 + 2 * 7 + 24 * 10 + 16 * 20 + 16 * 40)));
  // int8, ws, overlap: two operands, the second weight and a 16-bit sum.
  CHECK(pj("clock") == Approx(200 * 32 * (8 + 8 + 8 + 16) * 0.001));
  CHECK(report.energy.size() == 9);
  CHECK(report.extrapolated.empty());
}

TEST_CASE("is exchanges the ports of activations and weights", "[sim][energy]") {
  Machine m = small();
  m.array.dataflow = Dataflow::kIs;
  m.buffers.act_kib = 16;    // 2 * 8 macros of 1 KiB
  m.buffers.weight_kib = 8;  // 2 * 4
  const EnergyReport report = price(some_counters(), 0, m, plain());
  CHECK(report.energy.at("act_buffer").value == Approx(3200 * 0.05 + 640 * 0.1));
  CHECK(report.energy.at("weight_buffer").value == Approx(960 * 0.05 + 320 * 0.1));
}

TEST_CASE("clocked register bits follow PE, dataflow, accumulator and overlap", "[sim][energy]") {
  const auto clock_bits = [](PeKind pe, Dataflow dataflow, bool overlap, int acc_bits) {
    Machine m = small();
    m.array.rows = m.array.cols = 1;
    m.array.pe = pe;
    m.array.dataflow = dataflow;
    m.array.overlap = overlap;
    m.array.acc_bits = acc_bits;
    return price({}, 1000, m, plain()).energy.at("clock").value;
  };
  CHECK(clock_bits(PeKind::kInt4, Dataflow::kWs, false, 16) == Approx(4 + 4 + 16));
  CHECK(clock_bits(PeKind::kInt4, Dataflow::kWs, true, 16) == Approx(4 + 4 + 16 + 4));
  CHECK(clock_bits(PeKind::kInt2, Dataflow::kOs, true, 20) == Approx(2 + 2 + 20 + 20));
  CHECK(clock_bits(PeKind::kFused, Dataflow::kIs, true, 32) == Approx(32 + 32 + 32 + 32));
}

TEST_CASE("banked memory pays activates, whole bursts and refreshes", "[sim][energy][dram]") {
  Machine m = small();
  m.dram.model = DramModel::kBanked;
  m.dram.timing.name = "part";
  m.dram.timing.burst_bytes = 64;
  Counters c;
  c.dram_read_bytes = 100, c.dram_write_bytes = 10;
  c.dram_activates = 1, c.dram_row_hits = 2, c.dram_refreshes = 3;
  const double beyond = 8 * (3 * 64 - 110);
  CHECK(price(c, 0, m, plain()).energy.at("dram").value ==
        Approx(1000 + 800 * 4 + 80 * 6 + beyond * 5 + 3 * 5000));
  m.dram.timing.name = "unknown";
  const EnergyReport other = price(c, 0, m, plain());
  CHECK(other.energy.at("dram").value == Approx(800 * 10 + 80 * 20 + beyond * 15));
  REQUIRE(other.extrapolated.size() == 1);
  CHECK(other.extrapolated[0] == "dram: no entry for unknown, priced as \"fixed\"");
}

TEST_CASE("energies of layers add up to the run's", "[sim][energy][property]") {
  Machine m = small();
  m.dram.model = DramModel::kBanked;
  m.dram.timing.name = "part";
  Counters a = some_counters(), b = some_counters();
  a.dram_activates = 7, b.pe_cycles_used = 77, b.dram_row_hits = 5;
  Counters sum = a;
  sum += b;
  const EnergyReport first = price(a, 1000, m, plain()), second = price(b, 0, m, plain());
  for (const auto& [component, energy] : price(sum, 1000, m, plain()).energy) {
    CAPTURE(component);
    CHECK(energy.value ==
          Approx(first.energy.at(component).value + second.energy.at(component).value));
  }
}

TEST_CASE("an adder table adds the accumulation by its width", "[sim][energy]") {
  Technology t = plain();
  t.adder.points = {{8, Picojoules(0.1), SquareMicrons(10)},
                    {16, Picojoules(0.3), SquareMicrons(20)},
                    {32, Picojoules(0.5), SquareMicrons(60)}};
  Machine m = small();
  const auto array_pj = [&](int acc_bits) {
    m.array.acc_bits = acc_bits;
    return price(some_counters(), 0, m, t).energy.at("array").value;
  };
  CHECK(array_pj(8) == Approx(1000 * 2.1));
  CHECK(array_pj(12) == Approx(1000 * 2.2));
  CHECK(array_pj(16) == Approx(1000 * 2.3));
  CHECK(array_pj(24) == Approx(1000 * 2.4));
  CHECK(array_pj(32) == Approx(1000 * 2.5));
  m.array.acc_bits = 24;
  CHECK(area(m, t).area.at("array").value == Approx(32 * (100 + 40)));
}

TEST_CASE("area is macros, PEs and lanes", "[sim][energy][area]") {
  const AreaReport report = area(small(), plain());
  const auto um2 = [&](const char* component) { return report.area.at(component).value; };
  CHECK(um2("array") == Approx(32 * 100));
  CHECK(um2("act_buffer") == Approx(8 * 200));
  CHECK(um2("weight_buffer") == Approx(16 * 200));
  CHECK(um2("accumulator") == Approx(16 * 400));
  CHECK(um2("out_buffer") == Approx(16 * 800));
  CHECK(um2("vector") == Approx(2000));
  CHECK(report.area.size() == 6);
}

TEST_CASE("SRAM costs meet the table at its points and follow its rules outside",
          "[sim][energy][sram]") {
  const Technology t = plain();
  CHECK(sram_cost(t, 1024).read_bit.value == Approx(1.6 / 32));
  CHECK(sram_cost(t, 4096).write_bit.value == Approx(12.8 / 32));
  CHECK_FALSE(sram_cost(t, 4096).extrapolated);
  CHECK(sram_cost(t, 4 * 4096).read_bit.value == Approx(6.4 / 32 * 2));  // size^0.5
  CHECK(sram_cost(t, 4 * 4096).area.value == Approx(800 * 4));
  CHECK(sram_cost(t, 4 * 4096).extrapolated);
  CHECK(sram_cost(t, 256).read_bit.value == Approx(1.6 / 32));  // size^0
  CHECK(sram_cost(t, 256).leakage.value == Approx(2.5));
  CHECK(sram_cost(t, 256).extrapolated);
}

TEST_CASE("what lies beyond a source is reported with its reason", "[sim][energy][warnings]") {
  Technology t = plain();
  t.pe[static_cast<int>(PeKind::kInt4)].from.extrapolated = "scaled";
  t.pe[static_cast<int>(PeKind::kInt4)].synthesis_mhz = 400;
  t.dram["fixed"].from.extrapolated = "guessed";
  Machine m = small();
  m.array.pe = PeKind::kInt4;
  m.buffers.act_kib = 64;  // 8 KiB macros
  CHECK(price({}, 0, m, t).extrapolated ==
        std::vector<std::string>{
            "pe int4: scaled", "pe int4: synthesized at 400 MHz, used at 500 MHz",
            "act_buffer: 8 macros of 8192 bytes are outside the SRAM tables (energy: 1024 to 4096 "
            "bytes)",
            "dram fixed: guessed"});
  CHECK(area(m, t).extrapolated.size() == 3);
}

TEST_CASE("the shipped technologies hold the published figures", "[sim][energy][technology]") {
  const Technology bitfusion = load_technology("45nm-bitfusion");
  const auto pe = [&](PeKind kind) { return bitfusion.pe[static_cast<std::size_t>(kind)]; };
  // nW of a 4 x 4 array at 500 MHz, from the repository's table.
  CHECK(pe(PeKind::kInt8).cycle.value == Approx(1627500e-9 / 16 / 500e6 * 1e12).epsilon(1e-4));
  CHECK(pe(PeKind::kInt4).cycle.value == Approx(659402e-9 / 16 / 500e6 * 1e12).epsilon(1e-4));
  CHECK(pe(PeKind::kInt2).cycle.value == Approx(325616e-9 / 16 / 500e6 * 1e12).epsilon(1e-4));
  CHECK(pe(PeKind::kFused).cycle.value == Approx(3673500e-9 / 16 / 500e6 * 1e12).epsilon(1e-4));
  CHECK(pe(PeKind::kFused).area.value == Approx(27752.83558 / 16).epsilon(1e-4));
  CHECK(sram_cost(bitfusion, 4096).read_bit.value == Approx(3.42953 / 32));
  CHECK(sram_cost(bitfusion, 32768).read_bit.value ==
        Approx(9.9817 / 32 * std::pow(2, 0.78)).epsilon(1e-6));
  // A fused PE beats a fixed 8-bit one per product at 4 bits, and never a fixed 4-bit one.
  CHECK(pe(PeKind::kFused).cycle.value / 4 < pe(PeKind::kInt8).cycle.value);
  CHECK(pe(PeKind::kFused).cycle.value / 4 > pe(PeKind::kInt4).cycle.value);

  const Technology horowitz = load_technology("45nm-horowitz");
  CHECK(horowitz.pe[0].cycle.value == Approx(0.2));
  CHECK(horowitz.adder.points.back().energy.value == Approx(0.1));
  CHECK(sram_cost(horowitz, 8192).read_bit.value == Approx(10.0 / 64));
}

TEST_CASE("a DDR4 activate is the published currents' charge", "[sim][energy][technology]") {
  const DramEntry ddr4 = load_technology("45nm-bitfusion").dram.at("ddr4-2400");
  const double ns = 1 / 1.2, devices = 8;
  CHECK(ddr4.activate.value ==
        Approx(1.2 * (48 * 55 - 43 * 39 - 34 * 16) * ns * devices).epsilon(1e-3));
  CHECK(ddr4.refresh.value == Approx(1.2 * (250 - 43) * 420 * ns * devices).epsilon(1e-3));
  const double termination = 1.2 * 1.2 / (34 + 48) / 2 / 2.4e9 * 1e12;
  CHECK(ddr4.read_bit.value ==
        Approx(1.2 * (135 - 43) * 4 * ns * devices / 512 + termination).epsilon(1e-3));
}

TEST_CASE("every entry of every shipped technology names node and source",
          "[sim][energy][technology]") {
  REQUIRE(shipped_names("technologies").size() >= 2);
  for (const std::string& name : shipped_names("technologies")) {
    const Technology t = load_technology(name);
    CAPTURE(name);
    CHECK(t.name == name);
    CHECK(sources(t).size() >= 6);
    for (const std::string& source : sources(t)) CHECK(source.size() > 20);
    CHECK_FALSE(t.pe[0].from.node.empty());
    CHECK_FALSE(t.sram_energy.from.node.empty());
    for (const std::string& part : shipped_names("dram")) CHECK(t.dram.count(part) == 1);
  }
}

}  // namespace
}  // namespace bitpulse
