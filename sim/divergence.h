// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where two models of the same machine parted: what a comparison that runs beside an engine throws.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "models/error.h"

namespace bitpulse {

/// PEs of one column of the array; one PE where first_row == last_row.
struct PeRange {
  int first_row = 0, last_row = 0;
  int column = 0;
};

/// What is known of the first difference; the rest is in its text.
struct DivergencePlace {
  std::string layer;
  std::optional<std::uint64_t> command;
  std::optional<std::uint64_t> cycle;  // of the program, in which the wrong value stands
  std::optional<std::uint64_t> edge;   // the clock edge of the array, from 1, that made it so
  std::optional<PeRange> pe;
  std::optional<std::int64_t> expected, found;
};

class DivergenceError : public Error {
 public:
  DivergenceError(const std::string& text, DivergencePlace place)
      : Error(ErrorKind::kCheckFailed, text), place_(std::move(place)) {}
  const DivergencePlace& place() const { return place_; }

 private:
  DivergencePlace place_;
};

}  // namespace bitpulse
