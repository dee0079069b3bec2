// SPDX-License-Identifier: Apache-2.0
#include "sim/rtl/rtl_vector.h"

#include <algorithm>

#include "sim/rtl/fold_packer.h"

namespace bitpulse::rtl {
namespace {

/// Cycles of a command beside those of the lanes: the accumulator memory takes its last sums; it is
/// read; and the out buffer takes the last codes.
constexpr std::uint64_t kBesideLanes = 3;

}  // namespace

void RtlVector::reset(const Program& program) {
  spec_ = program.machine.array;
  lanes_.reset(program.machine.vector.lanes);
}

std::vector<std::int32_t> RtlVector::read_sums(const VectorJob& job) {
  const GemmTile& tile = job.command->tile;
  const SumPlaces places(job.command->acc_offset, tile, spec_);
  const std::int64_t n = tile.n.size();
  std::vector<std::int32_t> sums(job.elements()), words;
  for (std::int64_t g = 0; g < tile.groups.size(); ++g) {
    for (std::int64_t col0 = 0; col0 < places.columns; col0 += places.cols) {
      const std::int64_t used = std::min(places.cols, places.columns - col0);
      for (std::int64_t line = 0; line < places.lines; ++line) {
        memory_.read(places.word(g, col0) + static_cast<std::uint32_t>(line), words);
        for (std::int64_t j = 0; j < used; ++j) {
          std::int64_t pixel = line, channel = col0 + j;
          if (places.columns_are_pixels) std::swap(pixel, channel);
          sums[static_cast<std::size_t>(pixel) * job.columns() +
               static_cast<std::size_t>(g * n + channel)] = words[static_cast<std::size_t>(j)];
        }
      }
    }
  }
  return sums;
}

std::optional<VectorOutcome> RtlVector::run(const VectorJob& job) {
  std::optional<std::vector<LanePass>> passes = lane_passes(job);
  if (!passes) return std::nullopt;
  std::vector<std::int32_t> sums;
  if (job.codes.empty()) sums = read_sums(job);
  VectorOutcome outcome = lanes_.run(job, std::move(*passes), sums.data());
  outcome.cycles += kBesideLanes;
  outcome.sums = std::move(sums);
  return outcome;
}

}  // namespace bitpulse::rtl
