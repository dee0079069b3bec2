// SPDX-License-Identifier: Apache-2.0
#include "quant/integer/epilogue.h"

#include <cassert>

#include "quant/integer/kernel_table.h"

namespace bitpulse {

namespace {

constexpr CodeRange kClip16{-32768, 32767};

/// Whether a sum copied to a 16-bit stream saturates; what an activation takes away does not.
bool leaves_stream(std::int32_t sum, CodeRange clamp) {
  return (sum > kClip16.max && clamp.max <= kClip16.max) ||
         (sum < kClip16.min && clamp.min < 0 && clamp.min >= kClip16.min);
}

}  // namespace

Epilogue::Epilogue(const IntegerLayer& layer, Rounding rounding, std::vector<std::int64_t> channels,
                   Isa isa)
    : isa_(isa),
      rounding_(rounding),
      columns_(padded_columns(static_cast<std::int64_t>(channels.size()))) {
  if (const auto* gemm = std::get_if<GemmOp>(&layer.op)) {
    bias_.assign(static_cast<std::size_t>(columns_), 0);
    for (std::size_t j = 0; j < channels.size(); ++j)
      bias_[j] = gemm->bias[static_cast<std::size_t>(channels[j])];
  }
  if (layer.residual) {
    const Residual& residual = *layer.residual;
    has_residual_ = true;
    kind_ = residual.kind;
    const bool stream = kind_ == Residual::Kind::kStream16;
    main_ = stage(residual.main, stream ? kClip16 : residual.main_clamp, channels);
    if (stream) identity_ = stage(residual.identity_requantizer, kClip16, channels);
  }
  for (const Store& store : layer.stores) {
    stores_.push_back(stage(store.requantizer, store.clamp, channels));
    if (has_residual_ && kind_ == Residual::Kind::kLowBit)
      stores_.back().other_m.assign(static_cast<std::size_t>(columns_), store.identity_m);
  }
}

Epilogue::Stage Epilogue::stage(const Requantizer& requantizer, CodeRange clamp,
                                const std::vector<std::int64_t>& channels) const {
  const auto size = static_cast<std::size_t>(columns_);
  Stage stage;
  stage.clamp = clamp;
  stage.copies = requantizer.empty();
  stage.m.assign(size, 0);
  stage.shift.assign(size, 0);
  stage.half.assign(size, 0);
  if (!requantizer.negative.empty()) stage.negative.assign(size, 0);
  for (std::size_t j = 0; j < channels.size(); ++j) {
    Multiplier multiplier{1, 0};
    if (!requantizer.empty()) {
      const auto i = requantizer.positive.size() == 1 ? 0 : static_cast<std::size_t>(channels[j]);
      multiplier = requantizer.positive[i];
      if (!requantizer.negative.empty()) stage.negative[j] = requantizer.negative[i];
    }
    stage.m[j] = multiplier.m;
    stage.shift[j] = multiplier.shift;
    stage.half[j] = multiplier.shift == 0 ? 0 : std::int64_t{1} << (multiplier.shift - 1);
  }
  return stage;
}

std::uint64_t Epilogue::apply(const Stage& stage, const std::int32_t* values,
                              std::int64_t value_stride, std::int64_t rows,
                              const std::int32_t* other, std::int64_t other_stride,
                              std::int32_t* out, std::int64_t out_stride) const {
  return detail::kernels(isa_).requantize(
      {values, value_stride, rows, columns_, stage.m.data(), stage.shift.data(), stage.half.data(),
       stage.negative.empty() ? nullptr : stage.negative.data(), other, other_stride,
       other == nullptr ? nullptr : stage.other_m.data(), stage.clamp.min, stage.clamp.max,
       rounding_, out, out_stride});
}

/// sum + bias, saturated to 32 bits, without a branch: `over` is all ones where the signs of both
/// terms differ from the sum's.
std::uint64_t Epilogue::add_bias(const EpilogueTile& tile, std::int32_t* out) const {
  std::uint64_t saturated = 0;
  for (std::int64_t i = 0; i < tile.rows; ++i, out += columns_) {
    const std::int32_t* values = tile.values + i * tile.value_stride;
    const std::int32_t* bias = bias_.data();
    std::uint32_t in_row = 0;
    for (std::int64_t j = 0; j < columns_; ++j) {
      const auto a = static_cast<std::uint32_t>(values[j]), b = static_cast<std::uint32_t>(bias[j]);
      const std::uint32_t sum = a + b;
      const std::uint32_t over = 0u - (((sum ^ a) & (sum ^ b)) >> 31);
      const std::uint32_t end = 0x7fffffffu + (a >> 31);
      out[j] = static_cast<std::int32_t>((sum & ~over) | (end & over));
      in_row += over & 1u;
    }
    saturated += in_row;
  }
  return saturated;
}

/// The 17-bit sums of two 16-bit branches.
std::uint64_t Epilogue::add_streams(const EpilogueTile& tile, const std::int32_t* values,
                                    std::int64_t value_stride, std::int32_t* sums) const {
  std::vector<std::int32_t> other(static_cast<std::size_t>(tile.rows * columns_));
  const std::uint64_t clipped =
      apply(main_, values, value_stride, tile.rows, nullptr, 0, sums, columns_) +
      apply(identity_, tile.identity, tile.identity_stride, tile.rows, nullptr, 0, other.data(),
            columns_);
  for (std::size_t i = 0; i < other.size(); ++i) sums[i] += other[i];
  return clipped;
}

std::uint64_t Epilogue::run(const EpilogueTile& tile) const {
  assert(tile.outputs.size() == stores_.size());
  assert(!has_residual_ || tile.identity != nullptr);
  const auto size = static_cast<std::size_t>(tile.rows * columns_);
  std::vector<std::int32_t> with_bias, summed;
  std::uint64_t saturations = 0;
  const std::int32_t* values = tile.values;
  std::int64_t stride = tile.value_stride;
  if (!bias_.empty()) {
    with_bias.resize(size);
    saturations += add_bias(tile, with_bias.data());
    values = with_bias.data(), stride = columns_;
  }
  const bool stream = has_residual_ && kind_ == Residual::Kind::kStream16;
  if (has_residual_) {
    summed.resize(size);
    if (stream)
      saturations += add_streams(tile, values, stride, summed.data());
    else
      apply(main_, values, stride, tile.rows, nullptr, 0, summed.data(), columns_);
    values = summed.data(), stride = columns_;
  }
  for (std::size_t s = 0; s < stores_.size(); ++s) {
    const Stage& store = stores_[s];
    const std::int32_t* other = has_residual_ && !stream ? tile.identity : nullptr;
    apply(store, values, stride, tile.rows, other, tile.identity_stride, tile.outputs[s],
          tile.output_stride);
    if (stream && store.copies) {
      for (const std::int32_t sum : summed) saturations += leaves_stream(sum, store.clamp) ? 1 : 0;
    }
  }
  return saturations;
}

}  // namespace bitpulse
