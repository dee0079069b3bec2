// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a user asks for: a network, its data and weights, and how it is quantized. This is the
// typed form of a workload JSON ("bitpulse/workload/1"); models/io reads it.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/graph.h"
#include "models/precision.h"
#include "models/training.h"

namespace bitpulse {

/// A run of output channels of one width: {bits, channels}.
struct WidthRun {
  std::uint8_t bits = 8;
  std::int64_t channels = 0;
  friend bool operator==(const WidthRun& a, const WidthRun& b) {
    return a.bits == b.bits && a.channels == b.channels;
  }
};

/// Bits of the layers whose name matches `pattern` ('*' matches any run of characters, '?' one).
/// One weight run with channels 0 means the whole layer; otherwise the runs cover its channels.
struct LayerBits {
  std::string pattern;
  std::vector<WidthRun> weights;            // empty: not overridden
  std::optional<std::uint8_t> activations;  // of the layer's input
};

enum class CalibrationRule : std::uint8_t { kMinMax, kPercentile, kMse };
/// How the sum of a residual add is carried: a 16-bit stream (HAWQ-V3, LSQ) or b-bit codes (LLSQ).
enum class ResidualStyle : std::uint8_t { kStream16, kLowBit };
/// 31-bit dyadic multiplier with a shift per channel (HAWQ-V3), or LLSQ's 8-bit multiplier with
/// one shift per layer.
enum class MultiplierStyle : std::uint8_t { kDyadic31, kLlsq8 };

/// Limits that a choice of bits keeps, of the whole network; none: not limited.
struct BitBudget {
  std::optional<double> size_mib;    // weights
  std::optional<double> bops_g;      // 1e9 times MACs x weight bits x activation bits
  std::optional<double> latency_ms;  // on the machine
  std::optional<double> energy_uj;
};
/// Bits chosen by HAWQ-V3's integer program ("bits": {"auto": "hawq", ...}).
struct AutoBits {
  BitBudget budget;
  std::string sensitivity;  // path of a "bitpulse/hessian/1" file
  std::string machine;      // whose costs count; "": the command's
  std::vector<std::uint8_t> choices{2, 4, 8};
  bool free_activations = false;  // else a layer's activations follow its weights
};

struct QuantizationSpec {
  std::string method = "ptq";  // "ptq", "lsq", "llsq", "hawq", or "float" (trains only)
  bool learns = false;         // bitpulse-train makes its weights first
  CalibrationRule calibration = CalibrationRule::kMse;
  double percentile = 99.99;
  std::int64_t calibration_images = 256;
  std::uint8_t weights = 8;
  std::uint8_t activations = 8;
  std::uint8_t first_last = 0;  // 0: no exception for the first and last GEMM layers
  Rounding rounding = Rounding::kHalfUp;
  ResidualStyle residual = ResidualStyle::kStream16;
  MultiplierStyle multiplier = MultiplierStyle::kDyadic31;
  std::uint8_t widest_unsigned = 16;  // wider activations are signed after a ReLU, too (HAWQ-V3: 4)
  bool narrow_range = false;          // weights in [-(2^(b-1)-1), 2^(b-1)-1]
  bool bn_reestimation = false;       // batch statistics measured again on the quantized network
  bool bias_correction = false;       // mean output error of each channel folded into its bias
  bool average_pool_floor = false;    // HAWQ-V3's floor(sum / n)
  std::string frozen_scales;          // path of an integer network whose scales are kept; "" none
  std::string integers;               // path of the integer network to use as it is; "" none
  std::vector<LayerBits> layers;      // later entries win
  std::optional<AutoBits> auto_bits;  // to be chosen before anything else is done
  TrainSpec train;                    // of the methods that learn
  LsqSpec lsq;
  LlsqSpec llsq;
  HawqSpec hawq;
};

enum class DataFormat : std::uint8_t { kNone, kCifar10, kMnist, kImageFolder, kFigures };

/// Images and labels. A real input is (v * scale - mean[c]) / std[c] for a byte v.
struct DataSpec {
  DataFormat format = DataFormat::kNone;
  std::string test;         // absolute after reading; CIFAR file, IDX images, or image folder
  std::string test_labels;  // IDX labels or CSV (file, class_index, ...)
  std::string train;
  std::string train_labels;
  double scale = 1.0 / 255;
  std::vector<double> mean;  // one per channel; empty: no data given, 0.5 and 0.25 are used
  std::vector<double> std_dev;
  bool bgr = false;  // channel order handed to the network

  bool has_test() const { return format == DataFormat::kFigures || !test.empty(); }
  bool has_train() const { return format == DataFormat::kFigures || !train.empty(); }
};

struct Workload {
  std::string name;
  std::string network_name;  // built-in name, file name, "inline", or "layers"
  std::string network_path;  // of the ONNX file; "" for other networks
  Graph graph;
  bool is_layer_list = false;  // independent layers, each with its own input and output
  std::int64_t batch = 1;
  std::uint64_t seed = 1;
  std::string weights_path;  // safetensors or ONNX; "": seeded
  DataSpec data;
  QuantizationSpec quantization;
};

/// The files that deploying and feeding the workload reads, beside that of the network itself:
/// weights, images, labels, scales, integers.
std::vector<std::string> data_files(const Workload& workload);

}  // namespace bitpulse
