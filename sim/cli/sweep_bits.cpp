// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/sweep_bits.h"

#include "models/error.h"
#include "models/io/shipped.h"
#include "sim/cli/sensitivity.h"
#include "sim/sweep/once.h"

namespace bitpulse {
namespace {

constexpr std::size_t kMostAllocators = 64;  // held at a time

WorkloadInput as_input(const BitChooser::Input& input) {
  return {input.document, input.workload, input.overrides, {}};
}

}  // namespace

std::vector<std::string> SweepBits::files(const Input& input) {
  const AutoBits& bits = *input.workload.quantization.auto_bits;
  std::vector<std::string> all{bits.sensitivity.empty() ? sensitivity_on_demand(as_input(input))
                                                        : bits.sensitivity};
  if (!bits.machine.empty()) all.push_back(find_file(bits.machine, "machines"));
  return all;
}

std::shared_ptr<const WorkloadAllocator> SweepBits::allocator(const Input& input,
                                                              const Machine& machine,
                                                              const std::string& machine_text) {
  std::string key = override_json(input.document, {{"/quantization/bits/budget", "{}"}}).raw_text();
  if (input.workload.quantization.auto_bits->machine.empty()) key += machine_text;
  return once(
      mutex_, allocators_, key,
      [&] { return std::make_shared<const WorkloadAllocator>(as_input(input), &machine); },
      kMostAllocators);
}

Workload SweepBits::choose(const Input& input, const Machine& machine,
                           const std::string& machine_text) {
  const auto source = allocator(input, machine, machine_text);
  try {
    return source->allocator().apply(
        source->allocator()(input.workload.quantization.auto_bits->budget));
  } catch (const Error& error) {
    input.document.at("quantization").at("bits").at("budget").fail_with(error);
  }
}

}  // namespace bitpulse
