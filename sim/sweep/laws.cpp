// SPDX-License-Identifier: Apache-2.0
#include "sim/sweep/laws.h"

#include <algorithm>
#include <numeric>
#include <unordered_map>

namespace bitpulse {
namespace {

/// The law of an axis; nullptr: none.
const Law* law_of(const SweepAxis& axis) {
  const Law* common = nullptr;
  for (const SweepKey& key : axis.keys) {
    const auto law = std::find_if(laws().begin(), laws().end(), [&](const Law& candidate) {
      return !key.in_workload && key.pointer == candidate.pointer;
    });
    if (law == laws().end()) return nullptr;
    if (common && common->more_is_better != law->more_is_better) return nullptr;
    common = &*law;
  }
  return common;
}

double as_number(const std::string& value) {
  if (value == "true") return 1;
  return value == "false" ? 0 : std::strtod(value.c_str(), nullptr);
}

}  // namespace

const std::vector<Law>& laws() {
  static const std::vector<Law> all{
      {"/dram/bytes_per_cycle", true, "more DRAM bandwidth is never slower"},
      {"/dram/latency_cycles", false, "less DRAM latency is never slower"},
      {"/buffers/act_kib", true, "a larger activation buffer is never slower"},
      {"/buffers/weight_kib", true, "a larger weight buffer is never slower"},
      {"/buffers/out_kib", true, "a larger output buffer is never slower"},
      {"/buffers/acc_kib", true, "a larger accumulator memory is never slower"},
      {"/vector/lanes", true, "more vector lanes are never slower"},
      {"/array/overlap", true, "overlapping preloads and drains is never slower"},
  };
  return all;
}

LawVerdict check_laws(const SweepSpec& spec, const std::vector<Row>& rows) {
  std::unordered_map<std::uint64_t, const Row*> by_id;
  for (const Row& row : rows) {
    if (row.status == PointStatus::kDone) by_id[row.point.id] = &row;
  }
  LawVerdict verdict;
  for (std::size_t a = 0; a < spec.axes.size(); ++a) {
    const SweepAxis& axis = spec.axes[a];
    const Law* law = law_of(axis);
    if (!law) continue;
    // Values from least to most of the resource.
    std::vector<std::uint32_t> order(axis.values.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](std::uint32_t l, std::uint32_t r) {
      const double left = as_number(axis.values[l]), right = as_number(axis.values[r]);
      return law->more_is_better ? left < right : right < left;
    });
    for (const Row& row : rows) {
      if (row.status != PointStatus::kDone) continue;
      std::vector<std::uint32_t> choices = spec.choices(row.point.id);
      auto at = std::find(order.begin(), order.end(), choices[2 + a]);
      while (++at != order.end()) {
        choices[2 + a] = *at;
        const auto richer = by_id.find(spec.id_of(choices));
        if (richer == by_id.end()) continue;  // not run: compare with the one beyond
        ++verdict.pairs;
        if (richer->second->metrics.cycles > row.metrics.cycles) {
          verdict.violations.push_back({law, &row, richer->second});
        }
        break;
      }
    }
  }
  return verdict;
}

}  // namespace bitpulse
