// SPDX-License-Identifier: Apache-2.0
#include "sim/sweep/merge.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "models/error.h"
#include "models/text.h"
#include "sim/sweep/documents.h"
#include "sim/sweep/store.h"

namespace bitpulse {
namespace {

struct Origin {
  Row row;
  std::string store;
  bool is_new = false;
};

bool same_metrics(const PointMetrics& a, const PointMetrics& b) {
  return std::all_of(kMetricTable.begin(), kMetricTable.end(), [&](const MetricInfo& metric) {
    return a.*metric.member == b.*metric.member;
  });
}

[[noreturn]] void refuse(const Origin& a, const Row& b, const std::string& store) {
  throw Error(ErrorKind::kCheckFailed,
              "merge: " + printable(a.store, 400) + " and " + printable(store, 400) +
                  " contradict each other on point " + describe(a.row.point) + ": " +
                  std::to_string(static_cast<std::int64_t>(a.row.metrics.cycles)) + " and " +
                  std::to_string(static_cast<std::int64_t>(b.metrics.cycles)) + " cycles, " +
                  std::to_string(a.row.metrics.energy_pj) + " and " +
                  std::to_string(b.metrics.energy_pj) + " pJ");
}

class Merge {
 public:
  void add(const std::string& path, bool is_new) {
    const SweepStore store(path, SweepStore::Mode::kRead);
    const std::string sweep = store.note("sweep");
    if (sweep_.empty()) {
      sweep_ = sweep;
      first_ = path;
    }
    if (!sweep.empty() && sweep != sweep_) {
      throw Error(ErrorKind::kCheckFailed, "merge: " + printable(first_, 400) + " and " +
                                               printable(path, 400) +
                                               " belong to different sweeps");
    }
    store.for_each([&](const Row& row) { add(row, path, is_new); }, true);
  }

  MergeSummary write(const std::string& target) const {
    SweepStore store(target, SweepStore::Mode::kWrite);
    store.begin_sweep(sweep_);
    std::vector<Row> rows;
    for (const auto& [key, origin] : all_) {
      if (origin.is_new) rows.push_back(origin.row);
    }
    store.write(rows);
    return {rows.size(), equal_};
  }

 private:
  void add(const Row& row, const std::string& path, bool is_new) {
    const auto [found, inserted] = all_.try_emplace(row.point.key, Origin{row, path, is_new});
    if (inserted) return;
    Origin& have = found->second;
    const bool both_done =
        have.row.status == PointStatus::kDone && row.status == PointStatus::kDone;
    if (both_done && !same_metrics(have.row.metrics, row.metrics)) refuse(have, row, path);
    ++equal_;
    const bool better = have.row.status == PointStatus::kFailed && row.status == PointStatus::kDone;
    const bool verified = both_done && have.row.verified.empty() && !row.verified.empty();
    if (better || verified) have = {row, path, is_new};
  }

  std::map<std::string, Origin> all_;
  std::string sweep_, first_;
  std::uint64_t equal_ = 0;
};

}  // namespace

MergeSummary merge_stores(const std::string& target, const std::vector<std::string>& parts) {
  const StoreLock lock(target);
  Merge merge;
  if (std::filesystem::exists(target)) merge.add(target, false);
  for (const std::string& part : parts) merge.add(part, true);
  return merge.write(target);
}

}  // namespace bitpulse
