// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/allocation.h"

#include "models/error.h"
#include "models/io/safetensors.h"
#include "models/io/sha256.h"
#include "models/io/shipped.h"
#include "quant/float/float_executor.h"
#include "sim/cli/sensitivity.h"
#include "sim/machine_reader.h"

namespace bitpulse {

WorkloadAllocator::WorkloadAllocator(const WorkloadInput& input, const Machine* machine)
    : workload_(input.workload) {
  const AutoBits& bits = *workload_.quantization.auto_bits;
  const JsonValue place = input.document.at("quantization").at("bits");
  try {
    Weights weights;
    std::string digest;  // of seeded weights: none
    if (workload_.weights_path.empty()) {
      weights = seeded_weights(workload_.graph, workload_.data, workload_.seed, 1);
    } else {
      weights = read_weights(workload_.weights_path);
      digest = sha256_of_path(workload_.weights_path);
    }
    files_.push_back(bits.sensitivity.empty() ? sensitivity_on_demand(input) : bits.sensitivity);
    const Sensitivities sensitivities = read_sensitivities(load_json(files_.back()));
    if (sensitivities.weights_sha256 != digest) {
      throw Error(ErrorKind::kInvalidInput,
                  sensitivities.file +
                      ": found sensitivities of other weights, expected those of " +
                      (digest.empty() ? "the seeded ones" : workload_.weights_path));
    }
    if (!bits.machine.empty()) {
      files_.push_back(find_file(bits.machine, "machines"));
      machine_ = read_machine(load_json(files_.back()));
    } else if (machine != nullptr) {
      machine_ = *machine;
    }
    if (machine_) technology_ = load_technology(machine_->technology);
    allocator_ = std::make_unique<Allocator>(workload_, weights, sensitivities,
                                             machine_ ? &*machine_ : nullptr,
                                             technology_ ? &*technology_ : nullptr);
  } catch (const Error& error) {
    place.fail_with(error);
  }
}

}  // namespace bitpulse
