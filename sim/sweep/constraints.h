// SPDX-License-Identifier: Apache-2.0
#pragma once

// The constraints of a sweep: expressions over a point's configuration, in muParser's language
// (+ - * / ^, comparisons, && ||, min, max, sqrt, ...). kConstraintNames lists the variables; os ws
// is and int8 int4 int2 fused are constants to compare dataflow and pe with.

#include <memory>
#include <string>
#include <vector>

namespace bitpulse {

struct Machine;
struct Workload;

class Constraints {
 public:
  /// `expressions` as written in `file`. errors kInvalidInput: no expression, unknown names
  Constraints(const std::vector<std::string>& expressions, const std::string& file);
  ~Constraints();
  /// The first expression that is not true (or not a number) of this configuration; "" if none.
  std::string violated(const Machine& machine, const Workload& workload, double area_mm2);

 private:
  struct Parsers;
  std::unique_ptr<Parsers> parsers_;
};

}  // namespace bitpulse
