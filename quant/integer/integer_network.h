// SPDX-License-Identifier: Apache-2.0
#pragma once

// The deployed network: integers only. Layers read and write stored tensors (NHWC codes in DRAM);
// batch norm, activation, residual add, concat, reorg, flatten and slices have been folded into the
// layers that produce or read them. The structure alone (no parameters) suffices for timing.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "models/layer.h"
#include "models/precision.h"
#include "models/tensor.h"
#include "quant/integer/requantize.h"

namespace bitpulse {

using TensorId = std::int32_t;

/// A tensor in DRAM. real = code * scale. Raw network outputs have 32 bits, signed; their scale is
/// per channel and kept with the network's outputs.
struct StoredTensor {
  std::string name;
  Shape shape;
  Precision precision;
  double scale = 0;
};

/// Weight codes in the narrowest type that holds them. Layout [out][kh][kw][in / groups].
struct WeightCodes {
  std::vector<std::int8_t> narrow;  // all widths <= 8
  std::vector<std::int16_t> wide;   // some width above
  bool empty() const { return narrow.empty() && wide.empty(); }
  std::size_t size() const { return narrow.empty() ? wide.size() : narrow.size(); }
  int operator[](std::size_t i) const { return narrow.empty() ? wide[i] : narrow[i]; }
};

/// Where and how a layer's value is stored.
struct Store {
  TensorId tensor = -1;
  std::int64_t channel_offset = 0;  // slice of a concat
  std::int64_t reorg = 1;           // space-to-depth block of the addresses written
  CodeRange clamp;                  // ReLU and ReLU6 are its ends
  Requantizer requantizer;          // empty: the value is copied (and clamped)
  std::int32_t identity_m = 0;      // low-bit residual: multiplier of the identity's code
};

/// Convolution, fully connected layer or plain GEMM: all are convolutions over their input.
struct GemmOp {
  TensorId input = -1;
  Window window;
  std::int64_t groups = 1;
  std::vector<std::uint8_t> weight_bits;  // one per output channel; weights are signed
  WeightCodes weights;                    // empty without parameters
  std::vector<std::int32_t> bias;         // one per output channel, in units of the accumulator
};
struct PoolOp {
  TensorId input = -1;
  Window window;
  bool is_max = true;
  bool floor_average = false;  // HAWQ-V3: floor(sum / n) before the requantizer
};
/// Passes its input's codes to the residual add (a sum without a producing GEMM).
struct ElementwiseOp {
  TensorId input = -1;
};

/// Residual add in the epilogue.
///
/// kStream16: sum = clip16(main.apply(value)) + clip16(identity.apply(code)), 17 bits; each store
///            applies its requantizer to the exact sum.
/// kLowBit:   q1 = clamp(main.apply(value), main_clamp); each store computes
///            clamp(round((q1 * requantizer.positive[0].m + code * identity_m) / 2^shift)).
/// The identity is read at every `stride`-th pixel; output channel c takes its channel
/// c - channels_before, zero where it has none.
struct Residual {
  enum class Kind : std::uint8_t { kStream16, kLowBit };
  Kind kind = Kind::kStream16;
  TensorId identity = -1;
  std::int64_t stride = 1;
  std::int64_t channels_before = 0;
  Requantizer main;
  CodeRange main_clamp;
  Requantizer identity_requantizer;  // kStream16 only
};

/// value = saturate32(sum + bias) for a GEMM; the code or exact window sum otherwise. Without a
/// residual each store applies its requantizer to the value.
struct IntegerLayer {
  std::string name;
  std::string kind;  // "conv2d", "linear", "gemm", "max_pool", "avg_pool", "global_avg_pool", "add"
  std::variant<GemmOp, PoolOp, ElementwiseOp> op;
  Shape in;
  Shape out;
  std::optional<Residual> residual;
  std::vector<Store> stores;
};

/// Image bytes become codes by a table [channel][256], one table per stored copy.
struct InputStore {
  TensorId tensor = -1;
  std::int64_t channel_offset = 0;
  std::int64_t reorg = 1;
  std::vector<std::int32_t> codes;  // empty without parameters
};
struct NetworkInput {
  std::string name;
  Shape shape;
  std::vector<InputStore> stores;
};
struct NetworkOutput {
  std::string name;
  TensorId tensor = -1;
  std::vector<double> scales;  // real = code * scales[channel] (or scales[0])
};

struct IntegerNetwork {
  std::string name;
  std::string method;  // provenance: "ptq", "lsq", ...
  Rounding rounding = Rounding::kHalfUp;
  bool has_parameters = false;
  std::vector<StoredTensor> tensors;
  std::vector<NetworkInput> inputs;
  std::vector<IntegerLayer> layers;  // in execution order
  std::vector<NetworkOutput> outputs;
  std::vector<std::pair<std::string, std::string>> provenance;  // free text: data, calibration...
};

}  // namespace bitpulse
