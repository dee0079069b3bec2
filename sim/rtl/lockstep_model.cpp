// SPDX-License-Identifier: Apache-2.0
#include "sim/rtl/lockstep_model.h"

namespace bitpulse::rtl {
namespace {

constexpr std::uint32_t kFormatMask = 7;

ArraySpec spec_of(const ArrayShape& shape) {
  ArraySpec spec;
  spec.rows = static_cast<std::uint32_t>(shape.rows);
  spec.cols = static_cast<std::uint32_t>(shape.cols);
  spec.pe = shape.pe;
  spec.dataflow = shape.output_stationary ? Dataflow::kOs : Dataflow::kWs;
  return spec;
}

bool is_signed(std::uint32_t format) { return (format >> 2 & 1U) != 0; }
int bits(std::uint32_t format) { return 2 << (format & 3U); }

}  // namespace

LockstepModel::LockstepModel(const ArrayShape& shape)
    : shape_(shape), spec_(spec_of(shape)), array_(spec_) {
  const auto cols = static_cast<std::size_t>(shape.cols);
  outputs_.psum.resize(cols);
  outputs_.overflow.resize(cols);
  reset();
}

void LockstepModel::set_format(AccFormat format) {
  spec_.acc_bits = format.bits;
  spec_.overflow = format.saturate ? Overflow::kSaturate : Overflow::kWrap;
  reset();
}

void LockstepModel::reset() {
  array_ = LockstepArray(spec_);
  elements_.assign(spec_.rows, {{}, std::vector<std::uint32_t>(shape_.act_words())});
  weights_.assign(spec_.cols, Weights(shape_.weight_words()));
  left_.assign(spec_.rows, {});
  top_.assign(spec_.cols, 0);
  outputs_.valid.assign(spec_.cols, 0);
  now_ = 0;
  wave_start_ = wave_rows_ = 0;
}

WordFormat LockstepModel::word_format(std::uint32_t act, std::uint32_t weight) const {
  WordFormat format;
  format.left_signed = is_signed(act);
  format.top_signed = is_signed(weight);
  const bool fused = shape_.pe == PeKind::kFused;
  format.left_bits = static_cast<std::uint8_t>(fused ? bits(act) : shape_.operand_width());
  format.top_bits = static_cast<std::uint8_t>(fused ? bits(weight) : shape_.operand_width());
  format.lanes = static_cast<std::uint8_t>(fused ? 64 / (format.left_bits * format.top_bits) : 1);
  return format;
}

std::uint32_t LockstepModel::word(const std::vector<std::uint32_t>& words, std::size_t lane) const {
  const auto width = static_cast<std::size_t>(shape_.operand_width());
  const std::uint32_t mask = width == 32 ? ~0U : (1U << width) - 1U;
  return words[lane * width / 32] >> (lane * width % 32) & mask;
}

void LockstepModel::note_weights(std::uint32_t control) {
  if ((control >> 13 & 1U) == 0) return;
  const std::size_t count = control >> 3 & 1023U;
  if (now_ < wave_start_ + wave_rows_ && !shape_.output_stationary) return;  // a later row of it
  wave_start_ = now_;
  wave_rows_ = count + 1;
  loaded_format_ = control & kFormatMask;
}

void LockstepModel::step(const EdgeInputs& inputs) {
  const std::uint32_t act = inputs.act_ctrl;
  Element& element = elements_[now_ % spec_.rows];
  element.control = {};
  element.control.valid = (act >> 9 & 1U) != 0;
  element.control.first = element.control.valid && (act >> 8 & 1U) != 0;
  element.words.assign(inputs.act, inputs.act + shape_.act_words());
  weights_[now_ % spec_.cols].assign(inputs.weight, inputs.weight + shape_.weight_words());
  if (element.control.first) weight_format_ = loaded_format_;  // before this cycle's preload
  note_weights(inputs.weight_ctrl);
  element.control.format =
      word_format(act & kFormatMask,
                  shape_.output_stationary ? inputs.weight_ctrl & kFormatMask : weight_format_);
  element.control.format.shift = static_cast<std::uint8_t>(act >> 3 & 31U);

  for (std::size_t i = 0; i < spec_.rows; ++i) {
    const Element& from = elements_[(now_ + spec_.rows - i) % spec_.rows];
    left_[i] = from.control;
    left_[i].word = word(from.words, i);
    if (i >= wave_rows_ || now_ >= wave_start_ + wave_rows_) continue;
    const bool begins = now_ == wave_start_ + i;
    left_[i].capture = shape_.output_stationary && begins;
    left_[i].second = now_ > wave_start_ + i || (begins && !shape_.output_stationary);
  }
  for (std::size_t j = 0; j < spec_.cols; ++j) {
    top_[j] = word(weights_[(now_ + spec_.cols - j) % spec_.cols], j);
  }
  array_.step(left_, top_);
  ++now_;

  for (std::size_t j = 0; j < spec_.cols; ++j) {
    const BottomPort& bottom = array_.bottom()[j];
    outputs_.valid[j] = bottom.valid ? 1 : 0;
    outputs_.psum[j] = bottom.sum;
    outputs_.overflow[j] = bottom.overflows;
  }
}

}  // namespace bitpulse::rtl
