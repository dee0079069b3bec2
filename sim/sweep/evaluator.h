// SPDX-License-Identifier: Apache-2.0
#pragma once

// From a grid point to its identity, its verdict under the constraints, and its metrics in the fast
// engine. What points share is done once: documents are read once, a workload is lowered once for
// each combination of workload axes, a technology is read once, and points whose programs and times
// cannot differ (a clock with `fixed` memory, a technology) are compiled and run once. Any thread
// may call.

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "models/workload.h"
#include "sim/machine.h"
#include "sim/report/report.h"
#include "sim/sweep/row.h"
#include "sim/sweep/spec.h"

namespace bitpulse {

struct IntegerNetwork;
class Constraints;
struct Technology;

/// Chooses the bits that a workload leaves open ("bits": {"auto": ...}). Any thread may call.
class BitChooser {
 public:
  virtual ~BitChooser() = default;
  /// The workload JSON with the values of `overrides` in place, read.
  struct Input {
    JsonValue document;
    Workload workload;
    std::vector<JsonOverride> overrides;
  };
  /// The files that a choice reads beside the workload's own.
  virtual std::vector<std::string> files(const Input& input) = 0;
  /// `machine_text` is what the machine was read from.
  ///
  /// errors  kInvalidInput: no choice keeps the budget, ...
  virtual Workload choose(const Input& input, const Machine& machine,
                          const std::string& machine_text) = 0;
};

class Evaluator {
 public:
  /// `chooser` may be null where no workload leaves bits open.
  ///
  /// errors  the readers'; kInvalidInput: a constraint that is no expression
  explicit Evaluator(const SweepSpec& spec, std::shared_ptr<BitChooser> chooser = nullptr);
  ~Evaluator();

  const SweepSpec& spec() const { return spec_; }

  /// Cheap: nothing is simulated, nothing is read that was read before.
  PointIdentity identify(std::uint64_t id);
  /// Why the point is not part of the sweep ("" where it is): a reader refuses it, or a constraint
  /// does not hold.
  std::string refusal(std::uint64_t id);
  /// errors  kInvalidInput: the machine cannot run the network
  PointMetrics evaluate(std::uint64_t id);
  /// The whole report of the point.
  Report report(std::uint64_t id);
  /// The first grid point that `id` may share program and times with. Points of one number are best
  /// evaluated one after another.
  std::uint64_t sharing(std::uint64_t id) const;
  /// Words for `bitpulse run`: WORKLOAD --machine MACHINE --set ...
  std::vector<std::string> run_words(std::uint64_t id) const;

 private:
  using Choices = std::vector<std::uint32_t>;  // per dimension of the sweep
  struct WorkloadVariant;
  struct MachineVariant {
    Machine machine;
    std::shared_ptr<const Technology> technology;
  };
  /// A document with the values of a point's axes in place.
  struct Effective {
    JsonValue document;
    std::string text;
    bool leaves_bits_open = false;
  };
  std::shared_ptr<const WorkloadVariant> workload(const Choices& choices);
  BitChooser::Input workload_input(const Choices& choices);
  BitChooser& chooser(const BitChooser::Input& input) const;
  std::shared_ptr<const MachineVariant> machine(const Choices& choices);
  std::shared_ptr<const Technology> technology(const std::string& file);
  std::vector<JsonOverride> overrides(const Choices& choices, bool in_workload) const;
  std::shared_ptr<const Effective> effective(const Choices& choices, bool in_workload);
  /// The point's run, shared with points that differ in what cycles do not depend on.
  std::shared_ptr<const Report> unpriced(const Choices& choices, const MachineVariant& variant);
  std::string file_digests(const Choices& choices);
  std::string digests_of(const Choices& choices);
  /// `choices` with 0 for whatever cannot change the workload (or the machine).
  Choices those_of(const Choices& choices, bool in_workload) const;
  /// `choices` with 0 along axes whose keys are all such.
  template <class IsSuch>
  Choices without(const Choices& choices, const IsSuch& is_such) const;

  SweepSpec spec_;
  std::unique_ptr<Constraints> constraints_;
  const std::shared_ptr<BitChooser> chooser_;
  std::vector<JsonValue> workload_documents_, machine_documents_;
  std::string model_version_;
  bool accuracy_competes_ = false;
  bool may_share_ = false;  // an axis leaves programs and times alone
  std::mutex mutex_;
  std::map<Choices, std::shared_ptr<const Effective>> effective_workloads_, effective_machines_;
  std::map<Choices, std::shared_ptr<const WorkloadVariant>> workloads_;
  std::map<Choices, std::shared_ptr<const MachineVariant>> machines_;
  std::map<Choices, std::shared_ptr<const Report>> runs_;
  std::map<std::string, std::shared_ptr<const Technology>> technologies_;
  std::map<Choices, std::shared_ptr<const std::string>> digests_;
};

}  // namespace bitpulse
