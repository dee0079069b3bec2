// SPDX-License-Identifier: Apache-2.0
#pragma once

// A workload whose bits have been chosen, as a document: numbers in place of what "bits" left open,
// for everything that takes workloads. A method that learns trains by it.

#include <string>

#include "sim/cli/inputs.h"

namespace bitpulse {

/// Writes it; the files it names stay where they are, whatever the folder of `path`.
///
/// integers  where its integer network will be, relative to that folder; "": as the workload says
/// errors    kIo
void write_chosen_workload(const WorkloadInput& input, const Allocation& allocation,
                           const std::string& path, const std::string& integers = "");

}  // namespace bitpulse
