// SPDX-License-Identifier: Apache-2.0
#include "sim/machine.h"

#include <cassert>

namespace bitpulse {

namespace {

constexpr int kFusedPort = 8;  // a fused PE multiplies 8 x 8 bits, or as many narrower products

int fused_width(int bits) { return bits <= 2 ? 2 : bits <= 4 ? 4 : 8; }

int fixed_width(PeKind pe) {
  switch (pe) {
    case PeKind::kInt8:
      return 8;
    case PeKind::kInt4:
      return 4;
    case PeKind::kInt2:
      return 2;
    case PeKind::kFused:
      break;
  }
  assert(false);
  return 0;
}

int digits(int bits, int digit_bits) { return (bits + digit_bits - 1) / digit_bits; }

}  // namespace

PeMode pe_mode(PeKind pe, int act_bits, int weight_bits) {
  assert(act_bits >= 1 && act_bits <= 16 && weight_bits >= 1 && weight_bits <= 16);
  PeMode mode;
  if (pe == PeKind::kFused) {
    mode.act_digit_bits = fused_width(act_bits);
    mode.weight_digit_bits = fused_width(weight_bits);
    mode.lanes = static_cast<std::int64_t>(kFusedPort / mode.act_digit_bits) *
                 (kFusedPort / mode.weight_digit_bits);
  } else {
    mode.act_digit_bits = mode.weight_digit_bits = fixed_width(pe);
  }
  mode.act_digits = digits(act_bits, mode.act_digit_bits);
  mode.weight_digits = digits(weight_bits, mode.weight_digit_bits);
  return mode;
}

std::string place_in(const Machine& machine, const char* pointer) {
  return (machine.file.empty() ? "machine '" + machine.name + "'" : machine.file) + ": at " +
         pointer;
}

const char* to_string(PeKind pe) {
  switch (pe) {
    case PeKind::kInt8:
      return "int8";
    case PeKind::kInt4:
      return "int4";
    case PeKind::kInt2:
      return "int2";
    case PeKind::kFused:
      return "fused";
  }
  return "";
}

const char* to_string(Dataflow dataflow) {
  switch (dataflow) {
    case Dataflow::kOs:
      return "os";
    case Dataflow::kWs:
      return "ws";
    case Dataflow::kIs:
      return "is";
  }
  return "";
}

}  // namespace bitpulse
