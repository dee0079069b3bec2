// SPDX-License-Identifier: Apache-2.0
#pragma once

// What actions cost: a technology file, "bitpulse/technology/1" (workloads/technologies/). Every
// entry names its node and source; one that goes beyond what its source measured says so, and
// whoever prices with it passes that on as a warning.

#include <array>
#include <map>
#include <string>
#include <vector>

#include "models/io/json.h"
#include "models/units.h"
#include "sim/machine.h"

namespace bitpulse {

using Microwatts = Quantity<struct MicrowattsTag, double>;

struct Provenance {
  std::string node;          // "45 nm"
  std::string source;        // publication, tool or file, and every derivation from it
  std::string extrapolated;  // why the entry is beyond its source; empty: it is not
};

/// A processing element. `cycle` is spent in every cycle in which it multiplies, whatever widths a
/// fused one multiplies at; with an adder table the accumulation comes on top.
struct PeEntry {
  Picojoules cycle;
  Microwatts leakage;
  SquareMicrons area;
  double synthesis_mhz = 0;  // 0: not known
  Provenance from;
};

/// Accumulation by accumulator width; points of 8 to 32 bits, ascending. Empty where the figures of
/// the PEs contain it.
struct AdderTable {
  struct Point {
    double bits = 0;
    Picojoules energy;
    SquareMicrons area;
  };
  std::vector<Point> points;
  Provenance from;
};

/// Clock tree: energy per register bit and cycle, outside the registers' own.
struct ClockEntry {
  Picojoules bit;
  Provenance from;
};

/// The vector unit: energy per element and pass; leakage and area per lane.
struct VectorEntry {
  Picojoules element;
  Microwatts leakage;
  SquareMicrons area;
  Provenance from;
};

/// Access energy of an SRAM macro by its size. Between points the logarithms are interpolated;
/// outside them energy goes with size^above_exponent and size^below_exponent.
struct SramEnergyTable {
  struct Point {
    double bytes = 0;
    Picojoules read, write;  // per word
  };
  double word_bits = 32;
  std::vector<Point> points;  // ascending
  double above_exponent = 1, below_exponent = 1;
  Provenance from;
};

/// Leakage and area of an SRAM macro by its size; interpolated likewise, linear in size outside.
struct SramMacroTable {
  struct Point {
    double bytes = 0;
    Microwatts leakage;
    SquareMicrons area;
  };
  std::vector<Point> points;
  Provenance from;
};

/// A DRAM in the two-term form: activates and bits, and refreshes (all banks of a channel).
struct DramEntry {
  Picojoules activate, read_bit, write_bit, refresh;
  Provenance from;
};

struct Technology {
  std::string file, name, node, source;
  std::array<PeEntry, 4> pe;  // by PeKind
  AdderTable adder;
  ClockEntry clock;
  VectorEntry vector;
  SramEnergyTable sram_energy;
  SramMacroTable sram_macro;
  std::map<std::string, DramEntry> dram;  // by part; "fixed" is the fixed model and any other part
};

/// errors  Error(kInvalidInput) with file, JSON pointer, found and expected
Technology read_technology(const JsonValue& root);

/// `name` of a file in workloads/technologies/, or the path of one.
Technology load_technology(const std::string& name);

/// Sources of all entries, each once, in the order of the file.
std::vector<std::string> sources(const Technology& technology);

}  // namespace bitpulse
