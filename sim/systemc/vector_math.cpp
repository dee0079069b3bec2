// SPDX-License-Identifier: Apache-2.0
#include "sim/systemc/vector_math.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "sim/systemc/act_rows.h"
#include "sim/systemc/bits.h"

namespace bitpulse {
namespace {

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

const StoredTensor& tensor_of(const IntegerNetwork& network, TensorId id) {
  return network.tensors[static_cast<std::size_t>(id)];
}

TensorId input_of(const IntegerLayer& layer) {
  if (const auto* pool = std::get_if<PoolOp>(&layer.op)) return pool->input;
  return std::get<ElementwiseOp>(layer.op).input;
}

/// Output channels of the columns of sum tile `i`.
std::vector<std::int64_t> sum_channels(const WidthGroup& group, const GemmTile& tile, std::size_t i,
                                       bool one_tile) {
  std::vector<std::int64_t> channels;
  const std::int64_t first =
      one_tile ? tile.groups.begin : tile.groups.begin + static_cast<std::int64_t>(i);
  const std::int64_t last = one_tile ? tile.groups.end : first + 1;
  for (std::int64_t g = first; g < last; ++g) {
    const std::vector<std::int64_t>& all = group.channels[size(g)];
    channels.insert(channels.end(), all.begin() + tile.n.begin, all.begin() + tile.n.end);
  }
  return channels;
}

std::int64_t floor_div(std::int64_t sum, std::int64_t n) { return sum / n - (sum % n < 0 ? 1 : 0); }

}  // namespace

std::uint64_t VectorMath::input_bits(const IntegerNetwork& network, const IntegerLayer& layer,
                                     const VectorCommand& command) {
  const Region& r = command.input;
  return static_cast<std::uint64_t>(
      r.rows.size() * r.cols.size() *
      pixel_bits(r.channels.size(), tensor_of(network, input_of(layer)).precision.bits));
}

std::uint64_t VectorMath::identity_bits(const IntegerNetwork& network, const IntegerLayer& layer,
                                        const VectorCommand& command) {
  return static_cast<std::uint64_t>(
      command.tile.m.size() *
      pixel_bits(command.identity.channels.size(),
                 tensor_of(network, layer.residual->identity).precision.bits));
}

std::uint64_t VectorMath::output_bits(const IntegerNetwork& network, const IntegerLayer& layer,
                                      const VectorCommand& command, const OutputTile& output,
                                      std::size_t store) {
  return static_cast<std::uint64_t>(
      command.tile.m.size() *
      pixel_bits(output.channels.size(),
                 tensor_of(network, layer.stores[store].tensor).precision.bits));
}

VectorCounts VectorMath::run(const IntegerNetwork& network, const LayerPlan& plan,
                             const VectorCommand& command, const VectorOperands& operands) {
  const IntegerLayer& layer = network.layers[plan.layer];
  counts_ = VectorCounts{};
  if (record_ != nullptr) begin_record(network, layer, command, operands.sums != nullptr);
  if (operands.sums == nullptr) {
    Columns columns;
    columns.channels.resize(size(command.tile.n.size()));
    std::iota(columns.channels.begin(), columns.channels.end(), command.tile.n.begin);
    columns.stride = padded_columns(command.tile.n.size());
    pool(network, layer, command, operands, columns.stride);
    columns.values = values_.data();
    finish_columns(network, plan, command, operands, columns);
    return counts_;
  }
  const bool one_tile = operands.sums->size() == 1 && command.tile.groups.size() > 1;
  for (std::size_t i = 0; i < operands.sums->size(); ++i) {
    const SumTile& sums = (*operands.sums)[i];
    const Columns columns{
        sum_channels(plan.width_groups[command.tile.width_group], command.tile, i, one_tile),
        sums.row(0), sums.stride()};
    finish_columns(network, plan, command, operands, columns);
  }
  return counts_;
}

void VectorMath::finish_columns(const IntegerNetwork& network, const LayerPlan& plan,
                                const VectorCommand& command, const VectorOperands& operands,
                                const Columns& columns) {
  const IntegerLayer& layer = network.layers[plan.layer];
  const auto count = static_cast<std::int64_t>(columns.channels.size());
  EpilogueTile tile;
  tile.rows = command.tile.m.size();
  tile.values = columns.values;
  tile.value_stride = columns.stride;
  tile.output_stride = padded_columns(count);
  if (layer.residual) {
    tile.identity_stride = tile.output_stride;
    read_identity(network, layer, command, operands, columns.channels, tile.identity_stride);
    tile.identity = identity_.data();
  }
  const std::int64_t elements = tile.rows * tile.output_stride;
  outputs_.resize(size(elements) * layer.stores.size());
  for (std::size_t s = 0; s < layer.stores.size(); ++s) {
    tile.outputs.push_back(outputs_.data() + static_cast<std::int64_t>(s) * elements);
  }
  counts_.saturations += epilogue(network, plan, columns.channels).run(tile);
  if (record_ != nullptr) record_columns(columns, tile);

  const bool neighbours = columns.channels.back() - columns.channels.front() + 1 == count;
  for (std::size_t s = 0; s < layer.stores.size(); ++s) {
    const Precision precision = tensor_of(network, layer.stores[s].tensor).precision;
    const OutputTile& output = operands.outputs[s];
    const std::int64_t pixel = pixel_bits(output.channels.size(), precision.bits);
    counts_.out_write_bits += static_cast<std::uint64_t>(tile.rows * count * precision.bits);
    for (std::int64_t i = 0; i < tile.rows; ++i) {
      const std::int32_t* codes = tile.outputs[s] + i * tile.output_stride;
      const std::uint64_t at = output.buffer_bit + static_cast<std::uint64_t>(i * pixel);
      const auto place = [&](std::int64_t channel) {
        return at + static_cast<std::uint64_t>((channel - output.channels.begin) * precision.bits);
      };
      if (neighbours) {
        pack_codes(codes, count, precision, operands.out, place(columns.channels.front()));
        continue;
      }
      for (std::int64_t j = 0; j < count; ++j) {
        pack_codes(codes + j, 1, precision, operands.out, place(columns.channels[size(j)]));
      }
    }
  }
}

void VectorMath::begin_record(const IntegerNetwork& network, const IntegerLayer& layer,
                              const VectorCommand& command, bool has_sums) {
  VectorJob& job = record_->job;
  job = VectorJob{};
  job.command = &command;
  job.layer = &layer;
  job.rounding = network.rounding;
  job.pixels = command.tile.m.size();
  record_->outcome = VectorOutcome{};
  record_->outcome.stores.resize(layer.stores.size());
  const auto elements = static_cast<std::size_t>(command.elements);
  for (std::vector<std::int32_t>& codes : record_->outcome.stores) codes.resize(elements);
  if (has_sums) record_->outcome.sums.resize(elements);
  if (layer.residual) job.identity.resize(elements);
  if (has_sums) return;
  const auto* op = std::get_if<PoolOp>(&layer.op);
  const Precision precision = tensor_of(network, input_of(layer)).precision;
  job.max_code = precision.is_signed ? -1 : (1 << precision.bits) - 1;
  job.windows = op != nullptr ? op->window.kernel_h * op->window.kernel_w : 1;
  job.codes.assign(elements * size(job.windows),
                   op != nullptr && op->is_max ? std::numeric_limits<std::int32_t>::min() : 0);
}

/// Columns come block by block; the record holds [pixel][column].
void VectorMath::record_columns(const Columns& columns, const EpilogueTile& tile) {
  VectorJob& job = record_->job;
  const std::size_t first = job.columns(), count = columns.channels.size();
  job.channels.insert(job.channels.end(), columns.channels.begin(), columns.channels.end());
  const std::size_t width = size(static_cast<std::int64_t>(job.command->elements) / job.pixels);
  const auto copy = [&](const std::int32_t* from, std::int64_t stride,
                        std::vector<std::int32_t>& to) {
    for (std::int64_t i = 0; i < job.pixels; ++i) {
      std::copy_n(from + i * stride, count, to.data() + size(i) * width + first);
    }
  };
  VectorOutcome& outcome = record_->outcome;
  if (!outcome.sums.empty()) copy(tile.values, tile.value_stride, outcome.sums);
  if (!job.identity.empty()) copy(tile.identity, tile.identity_stride, job.identity);
  for (std::size_t s = 0; s < tile.outputs.size(); ++s) {
    copy(tile.outputs[s], tile.output_stride, outcome.stores[s]);
  }
  outcome.saturations = counts_.saturations;
}

const Epilogue& VectorMath::epilogue(const IntegerNetwork& network, const LayerPlan& plan,
                                     const std::vector<std::int64_t>& channels) {
  if (!epilogues_.empty() && epilogues_.front().layer != plan.layer) epilogues_.clear();
  for (const Cached& cached : epilogues_) {
    if (cached.channels == channels) return *cached.epilogue;
  }
  const IntegerLayer& layer = network.layers[plan.layer];
  epilogues_.push_back(
      {plan.layer, channels, std::make_unique<Epilogue>(layer, network.rounding, channels)});
  return *epilogues_.back().epilogue;
}

/// Fills values_: exact window sums, maxima, or the codes themselves.
void VectorMath::pool(const IntegerNetwork& network, const IntegerLayer& layer,
                      const VectorCommand& command, const VectorOperands& operands,
                      std::int64_t stride) {
  const Region& region = command.input;
  const std::int64_t channels = region.channels.size();
  region_.resize(size(region.rows.size() * region.cols.size() * channels));
  unpack_region(operands.act, region, tensor_of(network, input_of(layer)).precision, 0,
                region_.data());

  const auto* op = std::get_if<PoolOp>(&layer.op);
  const Window window = op != nullptr ? op->window : Window{};
  const bool is_max = op != nullptr && op->is_max;
  const Shape &in = layer.in, &out = layer.out;
  const std::int64_t first = command.tile.n.begin - region.channels.begin;
  const std::int64_t count = command.tile.n.size();
  counts_.act_read_bits +=
      static_cast<std::uint64_t>(command.tile.m.size() * count * window.kernel_h * window.kernel_w *
                                 tensor_of(network, input_of(layer)).precision.bits);
  values_.assign(size(command.tile.m.size() * stride),
                 is_max ? std::numeric_limits<std::int32_t>::min() : 0);
  for (std::int64_t m = command.tile.m.begin; m < command.tile.m.end; ++m) {
    const std::int64_t image = m / out.pixels(), y = m / out.w % out.h, x = m % out.w;
    std::int32_t* to = values_.data() + (m - command.tile.m.begin) * stride;
    for (std::int64_t ky = 0; ky < window.kernel_h; ++ky) {
      const std::int64_t in_y = y * window.stride_h - window.pad_top + ky * window.dilation_h;
      if (in_y < 0 || in_y >= in.h) continue;
      for (std::int64_t kx = 0; kx < window.kernel_w; ++kx) {
        const std::int64_t in_x = x * window.stride_w - window.pad_left + kx * window.dilation_w;
        if (in_x < 0 || in_x >= in.w) continue;
        const std::int64_t pixel = (image * in.h + in_y - region.rows.begin) * region.cols.size() +
                                   in_x - region.cols.begin;
        const std::int32_t* from = region_.data() + pixel * channels + first;
        if (record_ != nullptr) {
          const std::int64_t at =
              (ky * window.kernel_w + kx) * command.tile.m.size() + m - command.tile.m.begin;
          std::copy_n(from, count, record_->job.codes.data() + at * count);
        }
        if (is_max) {
          for (std::int64_t c = 0; c < count; ++c) to[c] = std::max(to[c], from[c]);
        } else {
          for (std::int64_t c = 0; c < count; ++c) to[c] += from[c];
        }
      }
    }
    if (op != nullptr && op->floor_average) {
      const std::int64_t n = window.kernel_h * window.kernel_w;
      for (std::int64_t c = 0; c < count; ++c) {
        to[c] = static_cast<std::int32_t>(floor_div(to[c], n));
      }
    }
  }
}

/// Fills identity_ with the identity's code of every column; zero where the identity has none.
void VectorMath::read_identity(const IntegerNetwork& network, const IntegerLayer& layer,
                               const VectorCommand& command, const VectorOperands& operands,
                               const std::vector<std::int64_t>& channels, std::int64_t stride) {
  const Residual& residual = *layer.residual;
  const Precision precision = tensor_of(network, residual.identity).precision;
  const Range have = command.identity.channels;
  const std::int64_t pixel = pixel_bits(have.size(), precision.bits);
  const std::int64_t rows = command.tile.m.size();
  identity_.assign(size(rows * stride), 0);
  const auto count = static_cast<std::int64_t>(channels.size());
  const std::int64_t first = channels.front() - residual.channels_before;
  const bool plain = channels.back() - channels.front() + 1 == count && first >= have.begin &&
                     first + count <= have.end;
  for (const std::int64_t channel : channels) {
    const std::int64_t c = channel - residual.channels_before;
    if (c < have.begin || c >= have.end) continue;
    counts_.out_read_bits += static_cast<std::uint64_t>(rows * precision.bits);
  }
  for (std::int64_t i = 0; i < rows; ++i) {
    const std::uint64_t at = command.identity.buffer_bit + static_cast<std::uint64_t>(i * pixel);
    std::int32_t* to = identity_.data() + i * stride;
    const auto place = [&](std::int64_t channel) {
      return at + static_cast<std::uint64_t>((channel - have.begin) * precision.bits);
    };
    if (plain) {
      unpack_codes(operands.out, place(first), precision, count, to);
      continue;
    }
    for (std::int64_t j = 0; j < count; ++j) {
      const std::int64_t channel = channels[size(j)] - residual.channels_before;
      if (channel < have.begin || channel >= have.end) continue;
      unpack_codes(operands.out, place(channel), precision, 1, to + j);
    }
  }
}

}  // namespace bitpulse
