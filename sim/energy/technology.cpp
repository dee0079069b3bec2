// SPDX-License-Identifier: Apache-2.0
#include "sim/energy/technology.h"

#include <algorithm>

#include "models/io/shipped.h"

namespace bitpulse {
namespace {

constexpr double kHuge = 1e12;  // no entry is larger, whatever its unit

double amount(const JsonValue& entry, const char* key) { return entry.at(key).number(0, kHuge); }

Provenance read_provenance(const JsonValue& entry) {
  Provenance from;
  from.node = entry.at("node").text();
  from.source = entry.at("source").text();
  if (from.source.empty()) entry.at("source").fail("the source of the numbers");
  if (const auto why = entry.find("extrapolated")) from.extrapolated = why->text();
  return from;
}

PeEntry read_pe(const JsonValue& entry) {
  entry.only_keys(
      {"cycle_pj", "leakage_uw", "area_um2", "synthesis_mhz", "node", "source", "extrapolated"});
  PeEntry pe;
  pe.cycle = Picojoules(amount(entry, "cycle_pj"));
  pe.leakage = Microwatts(amount(entry, "leakage_uw"));
  pe.area = SquareMicrons(amount(entry, "area_um2"));
  if (const auto mhz = entry.find("synthesis_mhz")) pe.synthesis_mhz = mhz->number(1, 100'000);
  pe.from = read_provenance(entry);
  return pe;
}

/// Points of a table, whose `key` must ascend from point to point.
template <class Point, class Read>
std::vector<Point> read_points(const JsonValue& table, const char* key, Read&& read) {
  const JsonValue points = table.at("points");
  if (points.size() < 2) points.fail("two points or more");
  std::vector<Point> result;
  double last = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const double at = points[i].at(key).number(0, kHuge);
    if (!(at > last)) points[i].at(key).fail("more than " + std::to_string(last));
    last = at;
    result.push_back(read(points[i], at));
  }
  return result;
}

/// A value whose logarithm will be taken.
double positive(const JsonValue& entry, const char* key) {
  const double value = amount(entry, key);
  if (!(value > 0)) entry.at(key).fail("more than 0");
  return value;
}

AdderTable read_adder(const JsonValue& entry) {
  entry.only_keys({"points", "node", "source", "extrapolated"});
  AdderTable adder;
  adder.points = read_points<AdderTable::Point>(entry, "bits", [](const JsonValue& p, double bits) {
    p.only_keys({"bits", "pj", "area_um2"});
    return AdderTable::Point{bits, Picojoules(amount(p, "pj")),
                             SquareMicrons(amount(p, "area_um2"))};
  });
  if (adder.points.front().bits > 8 || adder.points.back().bits < 32) {
    entry.at("points").fail("points from 8 to 32 bits");
  }
  adder.from = read_provenance(entry);
  return adder;
}

SramEnergyTable read_sram_energy(const JsonValue& entry) {
  entry.only_keys({"word_bits", "points", "above_exponent", "below_exponent", "node", "source",
                   "extrapolated"});
  SramEnergyTable table;
  table.word_bits = static_cast<double>(entry.at("word_bits").integer(1, 4096));
  table.above_exponent = entry.at("above_exponent").number(0, 2);
  table.below_exponent = entry.at("below_exponent").number(0, 2);
  table.points =
      read_points<SramEnergyTable::Point>(entry, "bytes", [](const JsonValue& p, double bytes) {
        p.only_keys({"bytes", "read_pj", "write_pj"});
        return SramEnergyTable::Point{bytes, Picojoules(positive(p, "read_pj")),
                                      Picojoules(positive(p, "write_pj"))};
      });
  table.from = read_provenance(entry);
  return table;
}

SramMacroTable read_sram_macro(const JsonValue& entry) {
  entry.only_keys({"points", "node", "source", "extrapolated"});
  SramMacroTable table;
  table.points =
      read_points<SramMacroTable::Point>(entry, "bytes", [](const JsonValue& p, double bytes) {
        p.only_keys({"bytes", "leakage_mw", "area_mm2"});
        return SramMacroTable::Point{bytes, Microwatts(positive(p, "leakage_mw") * 1e3),
                                     SquareMicrons(positive(p, "area_mm2") * 1e6)};
      });
  table.from = read_provenance(entry);
  return table;
}

DramEntry read_dram(const JsonValue& entry) {
  entry.only_keys({"activate_pj", "read_bit_pj", "write_bit_pj", "refresh_pj", "node", "source",
                   "extrapolated"});
  DramEntry dram;
  dram.activate = Picojoules(amount(entry, "activate_pj"));
  dram.read_bit = Picojoules(amount(entry, "read_bit_pj"));
  dram.write_bit = Picojoules(amount(entry, "write_bit_pj"));
  dram.refresh = Picojoules(amount(entry, "refresh_pj"));
  dram.from = read_provenance(entry);
  return dram;
}

}  // namespace

Technology read_technology(const JsonValue& root) {
  root.require_schema("bitpulse/technology/1");
  root.only_keys({"schema", "name", "node", "source", "pe", "adder", "clock", "vector",
                  "sram_energy", "sram_macro", "dram"});
  Technology t;
  t.file = root.file();
  t.name = root.at("name").text();
  t.node = root.at("node").text();
  t.source = root.at("source").text();

  const JsonValue pe = root.at("pe");
  pe.only_keys({"int8", "int4", "int2", "fused"});
  constexpr const char* kKinds[] = {"int8", "int4", "int2", "fused"};  // in the order of PeKind
  for (std::size_t kind = 0; kind < t.pe.size(); ++kind) t.pe[kind] = read_pe(pe.at(kKinds[kind]));

  if (const auto adder = root.find("adder")) t.adder = read_adder(*adder);

  const JsonValue clock = root.at("clock");
  clock.only_keys({"bit_pj", "node", "source", "extrapolated"});
  t.clock = {Picojoules(amount(clock, "bit_pj")), read_provenance(clock)};

  const JsonValue vector = root.at("vector");
  vector.only_keys({"element_pj", "leakage_uw", "area_um2", "node", "source", "extrapolated"});
  t.vector = {Picojoules(amount(vector, "element_pj")), Microwatts(amount(vector, "leakage_uw")),
              SquareMicrons(amount(vector, "area_um2")), read_provenance(vector)};

  t.sram_energy = read_sram_energy(root.at("sram_energy"));
  t.sram_macro = read_sram_macro(root.at("sram_macro"));

  const JsonValue dram = root.at("dram");
  dram.at("fixed");
  for (const std::string& part : dram.keys()) t.dram[part] = read_dram(dram.at(part));
  return t;
}

Technology load_technology(const std::string& name) {
  return read_technology(load_json(find_file(name, "technologies")));
}

std::vector<std::string> sources(const Technology& t) {
  std::vector<std::string> all;
  const auto add = [&all](const Provenance& from) {
    if (std::find(all.begin(), all.end(), from.source) == all.end()) all.push_back(from.source);
  };
  for (const PeEntry& pe : t.pe) add(pe.from);
  if (!t.adder.points.empty()) add(t.adder.from);
  add(t.clock.from);
  add(t.vector.from);
  add(t.sram_energy.from);
  add(t.sram_macro.from);
  for (const auto& [part, entry] : t.dram) add(entry.from);
  return all;
}

}  // namespace bitpulse
