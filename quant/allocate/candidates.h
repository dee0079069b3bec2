// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which layers may choose which bits, what each choice loses, and which must choose alike: the
// part of HAWQ-V3's integer program that follows from the network alone.

#include <cstdint>
#include <string>
#include <vector>

#include "models/workload.h"
#include "quant/allocate/sensitivity.h"

namespace bitpulse {

struct BitOption {
  std::uint8_t weights = 8, activations = 8;  // activations: of the layer's input
  friend bool operator==(BitOption a, BitOption b) {
    return a.weights == b.weights && a.activations == b.activations;
  }
};

/// A layer with weights. One that "first_last" or "layers" fixes has a single option, without loss.
struct BitCandidate {
  std::size_t node = 0;  // of the graph
  std::string name;
  std::int64_t parameters = 0, macs = 0;  // macs with batch 1
  bool chooses = false;                   // else its bits are fixed
  double trace = 0;                       // clamped to 0 where the estimate is negative
  std::vector<BitOption> options;
  std::vector<double> loss;  // by option: trace * ||Q(W) - W||^2, and of free activations theirs
};

struct BitCandidates {
  std::vector<BitCandidate> layers;
  /// A convolution on a shortcut and the layers that read the same tensor: one low-bit copy feeds
  /// them all (HAWQ-V3's graph rules).
  std::vector<std::vector<std::size_t>> ties;
};

/// errors  kInvalidInput: bits that a pattern sets by channels, no sensitivity of a layer that may
///         choose, sensitivities of other sizes or, where activations are free, without their loss
BitCandidates bit_candidates(const Workload& workload, const Weights& weights,
                             const Sensitivities& sensitivities);

/// The workload with the options chosen.
Workload with_bits(const Workload& workload, const BitCandidates& candidates,
                   const std::vector<BitOption>& chosen);

}  // namespace bitpulse
