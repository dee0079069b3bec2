// SPDX-License-Identifier: Apache-2.0
#include "sim/systemc/dram_image.h"

#include <string>

#include "models/error.h"
#include "sim/systemc/act_rows.h"
#include "sim/systemc/bits.h"

namespace bitpulse {
namespace {

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

std::int64_t pixels(const StoredTensor& tensor, std::int64_t batch) {
  return batch * tensor.shape.pixels();
}

std::uint64_t tensor_bytes(const StoredTensor& tensor, std::int64_t batch) {
  return static_cast<std::uint64_t>(pixels(tensor, batch) *
                                    pixel_bits(tensor.shape.c, tensor.precision.bits) / 8);
}

void write_tensor(const StoredTensor& tensor, std::int64_t batch, std::uint64_t bit,
                  const std::vector<std::int32_t>& codes, const PutBytes& put) {
  const std::int64_t channels = tensor.shape.c;
  if (codes.size() != size(pixels(tensor, batch) * channels)) {
    throw Error(ErrorKind::kInvalidInput, "tensor \"" + tensor.name + "\": found " +
                                              std::to_string(codes.size()) + " codes, expected " +
                                              std::to_string(pixels(tensor, batch) * channels));
  }
  const std::int64_t pixel = pixel_bits(channels, tensor.precision.bits);
  std::vector<std::uint8_t> bytes(tensor_bytes(tensor, batch) + kBitSlack);
  for (std::int64_t p = 0; p < pixels(tensor, batch); ++p) {
    pack_codes(codes.data() + p * channels, channels, tensor.precision, bytes.data(),
               static_cast<std::uint64_t>(p * pixel));
  }
  bytes.resize(tensor_bytes(tensor, batch));
  put(bit / 8, bytes);
}

std::vector<std::int32_t> read_tensor(const StoredTensor& tensor, std::int64_t batch,
                                      std::uint64_t bit, const GetBytes& get) {
  std::vector<std::uint8_t> bytes(tensor_bytes(tensor, batch));
  get(bit / 8, bytes);
  bytes.resize(bytes.size() + kBitSlack);
  const std::int64_t channels = tensor.shape.c;
  const std::int64_t pixel = pixel_bits(channels, tensor.precision.bits);
  std::vector<std::int32_t> codes(size(pixels(tensor, batch) * channels));
  for (std::int64_t p = 0; p < pixels(tensor, batch); ++p) {
    unpack_codes(bytes.data(), static_cast<std::uint64_t>(p * pixel), tensor.precision, channels,
                 codes.data() + p * channels);
  }
  return codes;
}

/// A block's codes, [group][n][k], lanes beyond the last input channel left out.
template <class Code>
void write_block(const Program& program, const WeightBlock& block, const GemmOp& op,
                 std::int64_t cin, const std::vector<Code>& weights, const PutBytes& put) {
  const WidthGroup& group = program.layers[block.layer].width_groups[block.tile.width_group];
  const GemmTile& tile = block.tile;
  const std::int64_t lanes = group.mode.lanes, per_position = (cin + lanes - 1) / lanes;
  const auto first_code = [&](std::int64_t k) {
    return k / per_position * cin + k % per_position * lanes;
  };
  const std::int64_t begin = first_code(tile.k.begin);
  const std::int64_t count = first_code(tile.k.end) - begin;
  const std::int64_t k = op.window.kernel_h * op.window.kernel_w * cin;
  const Precision precision{group.weight_bits, true};

  const auto bits =
      static_cast<std::uint64_t>(tile.groups.size() * tile.n.size() * count * group.weight_bits);
  std::vector<std::uint8_t> bytes(bytes_of_bits(bits) + kBitSlack);
  std::uint64_t bit = 0;
  for (std::int64_t g = tile.groups.begin; g < tile.groups.end; ++g) {
    for (std::int64_t n = tile.n.begin; n < tile.n.end; ++n) {
      const std::int64_t channel = group.channels[size(g)][size(n)];
      pack_codes(weights.data() + channel * k + begin, count, precision, bytes.data(), bit);
      bit += static_cast<std::uint64_t>(count * group.weight_bits);
    }
  }
  bytes.resize(bytes_of_bits(bits));
  put(block.dram_bit / 8, bytes);
}

}  // namespace

void write_operands(const Program& program, const Operands& operands, const PutBytes& put) {
  const IntegerNetwork& network = *operands.network;
  for (const WeightBlock& block : program.weights) {
    const IntegerLayer& layer = network.layers[program.layers[block.layer].layer];
    const auto& op = std::get<GemmOp>(layer.op);
    const std::int64_t cin = layer.in.c / op.groups;
    if (op.weights.narrow.empty()) {
      write_block(program, block, op, cin, op.weights.wide, put);
    } else {
      write_block(program, block, op, cin, op.weights.narrow, put);
    }
  }
  for (std::size_t t = 0; operands.inputs != nullptr && t < operands.inputs->size(); ++t) {
    const std::vector<std::int32_t>& codes = (*operands.inputs)[t];
    if (codes.empty()) continue;
    write_tensor(network.tensors[t], program.batch, program.tensor_bit[t], codes, put);
  }
}

TensorCodes read_tensors(const Program& program, const Operands& operands, const GetBytes& get) {
  const IntegerNetwork& network = *operands.network;
  std::vector<bool> wanted(network.tensors.size()), written(network.tensors.size());
  for (const LayerPlan& plan : program.layers) {
    for (const Store& store : network.layers[plan.layer].stores) {
      written[static_cast<std::size_t>(store.tensor)] = true;
    }
  }
  for (const NetworkOutput& output : network.outputs) {
    wanted[static_cast<std::size_t>(output.tensor)] = true;
  }
  TensorCodes tensors(network.tensors.size());
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    if (written[t] && (wanted[t] || operands.keep_all_tensors)) {
      tensors[t] = read_tensor(network.tensors[t], program.batch, program.tensor_bit[t], get);
    } else if (operands.keep_all_tensors && operands.inputs != nullptr) {
      tensors[t] = (*operands.inputs)[t];
    }
  }
  return tensors;
}

}  // namespace bitpulse
