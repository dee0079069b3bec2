// SPDX-License-Identifier: Apache-2.0
#pragma once

// Metamorphic laws over the results of a sweep: of two points that differ in one resource only, the
// one with more of it is never slower. No law says what a point costs; a violation says that the
// compiler missed a schedule it could have used.

#include <cstdint>
#include <string>
#include <vector>

#include "sim/sweep/row.h"
#include "sim/sweep/spec.h"

namespace bitpulse {

struct Law {
  const char* pointer;  // into the machine
  bool more_is_better;
  const char* text;
};
const std::vector<Law>& laws();

struct LawViolation {
  const Law* law = nullptr;
  const Row* poor = nullptr;  // less of the resource, yet faster
  const Row* rich = nullptr;
};
struct LawVerdict {
  std::uint64_t pairs = 0;  // compared
  std::vector<LawViolation> violations;
};

/// Compares neighbours along every axis whose keys all stand under laws of one direction. `rows`
/// outlive the verdict.
LawVerdict check_laws(const SweepSpec& spec, const std::vector<Row>& rows);

}  // namespace bitpulse
