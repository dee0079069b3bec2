// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "quant/integer/layer_run.h"

namespace bitpulse {

namespace {

bool ascending_run(const std::vector<std::int64_t>& channels) {
  for (std::size_t j = 1; j < channels.size(); ++j)
    if (channels[j] != channels[j - 1] + 1) return false;
  return true;
}

}  // namespace

LayerTail::LayerTail(const LayerRun& run, std::vector<std::int64_t> channels)
    : run_(run),
      channels_(std::move(channels)),
      contiguous_(ascending_run(channels_)),
      epilogue_(run.layer, run.network.rounding, channels_, run.isa) {}

std::uint64_t LayerTail::finish(std::int64_t m_begin, std::int64_t m_end,
                                const std::int32_t* values, std::int64_t stride,
                                std::vector<std::int32_t>& workspace) const {
  const std::int64_t columns = epilogue_.columns(), rows = m_end - m_begin;
  const std::size_t block = static_cast<std::size_t>(rows * columns);
  const std::size_t stores = run_.layer.stores.size();
  workspace.resize((stores + 1) * block);
  EpilogueTile tile;
  tile.rows = rows;
  tile.values = values;
  tile.value_stride = stride;
  tile.output_stride = columns;
  for (std::size_t s = 0; s < stores; ++s) tile.outputs.push_back(workspace.data() + s * block);
  if (run_.layer.residual) {
    std::int32_t* identity = workspace.data() + stores * block;
    read_identity(m_begin, m_end, identity);
    tile.identity = identity;
    tile.identity_stride = columns;
  }
  const std::uint64_t saturations = epilogue_.run(tile);
  for (std::size_t s = 0; s < stores; ++s)
    write(run_.layer.stores[s], m_begin, m_end, tile.outputs[s]);
  return saturations;
}

void LayerTail::read_identity(std::int64_t m_begin, std::int64_t m_end, std::int32_t* rows) const {
  const Residual& residual = *run_.layer.residual;
  const WorkTensor& identity = run_.tensor(residual.identity);
  const Shape& out = run_.layer.out;
  const std::int64_t columns = epilogue_.columns();
  std::fill_n(rows, (m_end - m_begin) * columns, 0);
  const auto count = static_cast<std::int64_t>(channels_.size());
  std::visit(
      [&](const auto& codes) {
        for (std::int64_t m = m_begin; m < m_end; ++m, rows += columns) {
          const std::int64_t image = m / out.pixels(), pixel = m % out.pixels();
          const std::int64_t y = pixel / out.w * residual.stride;
          const std::int64_t x = pixel % out.w * residual.stride;
          const auto* from =
              codes.data() +
              ((image * identity.shape.h + y) * identity.shape.w + x) * identity.shape.c;
          if (contiguous_) {
            const std::int64_t shift = channels_[0] - residual.channels_before;
            const std::int64_t first = std::clamp<std::int64_t>(-shift, 0, count);
            const std::int64_t last =
                std::clamp<std::int64_t>(identity.shape.c - shift, first, count);
            for (std::int64_t j = first; j < last; ++j) rows[j] = from[shift + j];
            continue;
          }
          for (std::int64_t j = 0; j < count; ++j) {
            const std::int64_t c =
                channels_[static_cast<std::size_t>(j)] - residual.channels_before;
            if (c >= 0 && c < identity.shape.c) rows[j] = from[c];
          }
        }
      },
      identity.codes);
}

void LayerTail::write(const Store& store, std::int64_t m_begin, std::int64_t m_end,
                      const std::int32_t* rows) const {
  WorkTensor& tensor = run_.tensors[static_cast<std::size_t>(store.tensor)];
  const Shape& out = run_.layer.out;
  const Shape& to_shape = tensor.shape;
  const std::int64_t columns = epilogue_.columns(), block = store.reorg;
  const std::size_t count = channels_.size();
  std::visit(
      [&](auto& codes) {
        using Code = typename std::decay_t<decltype(codes)>::value_type;
        for (std::int64_t m = m_begin; m < m_end; ++m, rows += columns) {
          const std::int64_t image = m / out.pixels(), pixel = m % out.pixels();
          const std::int64_t y = pixel / out.w, x = pixel % out.w;
          const std::int64_t sub = (y % block * block + x % block) * out.c;
          Code* to = codes.data() +
                     ((image * to_shape.h + y / block) * to_shape.w + x / block) * to_shape.c +
                     store.channel_offset + sub;
          if (contiguous_) {
            to += channels_[0];
            for (std::size_t j = 0; j < count; ++j) to[j] = static_cast<Code>(rows[j]);
          } else {
            for (std::size_t j = 0; j < count; ++j) to[channels_[j]] = static_cast<Code>(rows[j]);
          }
        }
      },
      tensor.codes);
}

}  // namespace bitpulse
