// SPDX-License-Identifier: Apache-2.0
#include "sim/systemc/array_check.h"

#include <string>
#include <utility>

#include "sim/divergence.h"

namespace bitpulse {

void ArrayCheck::reset(ArrayBackend* backend, const Program& program) {
  backend_ = backend;
  program_ = &program;
  expected_.clear();
  if (backend_ != nullptr) backend_->reset(program);
}

void ArrayCheck::submit(ArrayJob job, ArrayOutcome expected, std::uint64_t cycle) {
  expected_[job.id] = std::move(expected);
  backend_->submit(std::move(job), cycle);
}

void ArrayCheck::step() {
  backend_->step();
  while (const std::optional<ArrayOutcome> found = backend_->take()) {
    const auto expected = expected_.find(found->id);
    if (expected == expected_.end()) fail(found->id, "found executed, expected nothing of it");
    compare(expected->second, *found);
    expected_.erase(expected);
  }
}

void ArrayCheck::finish() const {
  if (!expected_.empty()) fail(expected_.begin()->first, "found unfinished, expected executed");
}

void ArrayCheck::fail(CommandId id, const std::string& what) const {
  const Command& command = program_->commands.at(id);
  DivergencePlace place;
  place.layer = program_->layers[command.layer].name;
  place.command = id;
  throw DivergenceError(
      "rtl: layer \"" + place.layer + "\", array command " + std::to_string(id) + ", " + what,
      place);
}

void ArrayCheck::compare(const ArrayOutcome& expected, const ArrayOutcome& found) const {
  const Command& command = program_->commands[found.id];
  const auto differs = [&](const std::string& what, auto model, auto backend) {
    fail(found.id,
         what + ": found " + std::to_string(backend) + ", expected " + std::to_string(model));
  };
  if (found.time.start != expected.time.start) {
    differs("cycle of its start", expected.time.start, found.time.start);
  }
  if (found.time.finish != expected.time.finish) {
    differs("cycle of its finish", expected.time.finish, found.time.finish);
  }
  const GemmTile& tile = program_->array[command.payload].tile;
  if (found.sums.size() != expected.sums.size()) {
    differs("number of sums", expected.sums.size(), found.sums.size());
  }
  for (std::size_t i = 0; i < expected.sums.size(); ++i) {
    if (found.sums[i] == expected.sums[i]) continue;
    const auto n = static_cast<std::int64_t>(i) % tile.n.size();
    const auto m = static_cast<std::int64_t>(i) / tile.n.size() % tile.m.size();
    const auto g = static_cast<std::int64_t>(i) / (tile.n.size() * tile.m.size());
    differs("sum of group " + std::to_string(tile.groups.begin + g) + ", output pixel " +
                std::to_string(tile.m.begin + m) + ", channel " + std::to_string(tile.n.begin + n),
            expected.sums[i], found.sums[i]);
  }
  if (found.overflows != expected.overflows) {
    differs("overflows", expected.overflows, found.overflows);
  }
}

}  // namespace bitpulse
