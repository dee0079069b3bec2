// SPDX-License-Identifier: Apache-2.0
#include "sim/rtl/fold_packer.h"

#include <cassert>
#include <utility>

#include "models/units.h"
#include "sim/systemc/folds.h"

namespace bitpulse::rtl {
namespace {

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

/// One operand of a command: which digits its codes are cut into, and where they stand.
struct Operand {
  const std::int32_t* codes = nullptr;  // [line][codes of the tile]
  Precision precision;
  int digit_bits = 8;
  int digits = 1;

  Format format(int digit) const {
    return {precision.is_signed && digit == digits - 1, digit_bits};
  }
  std::uint32_t digit(std::int32_t code, int d) const {
    const std::uint32_t mask = (1U << digit_bits) - 1U;
    return static_cast<std::uint32_t>(code >> (d * digit_bits)) & mask;
  }
};

/// Writes operand words of `width` bits into 32-bit words.
class PortWriter {
 public:
  PortWriter(std::vector<std::uint32_t>& words, std::size_t stride, int width)
      : words_(words), stride_(stride), width_(size(width)) {}
  void put(std::int64_t beat, std::int64_t port, std::uint32_t word) {
    const std::size_t bit = size(port) * width_;
    words_[size(beat) * stride_ + bit / 32] |= word << (bit % 32);
  }

 private:
  std::vector<std::uint32_t>& words_;
  std::size_t stride_, width_;
};

class Packer {
 public:
  Packer(const ArrayJob& job, const ArraySpec& spec, const ArrayShape& shape)
      : job_(job),
        spec_(spec),
        shape_(shape),
        mode_(job.group->mode),
        places_(job.command->acc_offset, job.command->tile, spec) {
    const GemmTile& tile = job.command->tile;
    // A fixed PE multiplies its own width whatever the operands have.
    act_ = {nullptr, job.spec.act, mode_.act_digit_bits, mode_.act_digits};
    weight_ = {nullptr, Precision{static_cast<std::uint8_t>(job.spec.weight_bits), true},
               mode_.weight_digit_bits, mode_.weight_digits};
    first_code_ = job.spec.first_code(tile.k.begin);
  }

  PackedFold pack(const bitpulse::Fold& nest_fold) {
    const GemmTile& tile = job_.command->tile;
    const auto g = static_cast<std::int64_t>(nest_fold.repeat);
    act_.codes = job_.acts.data() + g * tile.m.size() * job_.codes;
    weight_.codes = job_.weights.data() + g * tile.n.size() * job_.codes;

    PackedFold packed;
    packed.group = g;
    packed.row0 = static_cast<std::int64_t>(nest_fold.row0);
    packed.col0 = static_cast<std::int64_t>(nest_fold.col0);
    Fold& fold = packed.fold;
    fold.rows = static_cast<int>(nest_fold.rows);
    fold.cols = static_cast<int>(nest_fold.cols);
    fold.stream = static_cast<int>(nest_fold.stream);
    fold.acts.resize(size(fold.stream) * shape_.act_words());
    fold.acc_addr = places_.word(g, packed.col0);
    if (spec_.dataflow == Dataflow::kOs) fold.acc_addr += static_cast<std::uint32_t>(packed.row0);
    fold.accumulate = job_.command->accumulate || !nest_fold.opens_sums;
    switch (spec_.dataflow) {
      case Dataflow::kWs:
        pack_stationary(act_, weight_, nest_fold.pass, packed);
        break;
      case Dataflow::kIs:
        pack_stationary(weight_, act_, nest_fold.pass, packed);
        break;
      case Dataflow::kOs:
        pack_output(packed);
        break;
    }
    return packed;
  }

 private:
  /// The lanes of K' element `k` of the tile, of one line of an operand, as a port word.
  std::uint32_t word(const Operand& operand, std::int64_t line, std::int64_t k, int digit) const {
    const std::int64_t k_packed = job_.command->tile.k.begin + k;
    const std::int64_t begin = job_.spec.first_code(k_packed) - first_code_;
    const std::int64_t end = job_.spec.first_code(k_packed + 1) - first_code_;
    const std::int32_t* codes = operand.codes + line * job_.codes;
    std::uint32_t bits = 0;
    for (std::int64_t i = begin; i < end; ++i) {
      bits |= operand.digit(codes[i], digit) << ((i - begin) * operand.digit_bits);
    }
    return bits;
  }

  /// Rows hold K', columns the stationary operand's lines; the other's lines stream.
  void pack_stationary(const Operand& streamed, const Operand& stationary, std::uint32_t pass,
                       PackedFold& packed) const {
    const int stationary_digit = static_cast<int>(pass) / streamed.digits;
    const int streamed_digit = static_cast<int>(pass) % streamed.digits;
    Fold& fold = packed.fold;
    fold.act_format = streamed.format(streamed_digit);
    fold.weight_format = stationary.format(stationary_digit);
    fold.acc_shift =
        stationary_digit * stationary.digit_bits + streamed_digit * streamed.digit_bits;

    fold.weights.resize(size(fold.rows) * shape_.weight_words());
    PortWriter left(fold.acts, shape_.act_words(), shape_.operand_width());
    PortWriter top(fold.weights, shape_.weight_words(), shape_.operand_width());
    for (std::int64_t i = 0; i < fold.rows; ++i) {
      for (std::int64_t t = 0; t < fold.stream; ++t) {
        left.put(t, i, word(streamed, t, packed.row0 + i, streamed_digit));
      }
      for (std::int64_t j = 0; j < fold.cols; ++j) {
        top.put(i, j, word(stationary, packed.col0 + j, packed.row0 + i, stationary_digit));
      }
    }
  }

  /// Rows hold output pixels, columns channels; K' streams, its digit pairs innermost.
  void pack_output(PackedFold& packed) const {
    Fold& fold = packed.fold;
    fold.act_format = act_.format(0);
    fold.weight_format = weight_.format(0);
    fold.weights.resize(size(fold.stream) * shape_.weight_words());
    fold.elements.resize(size(fold.stream));
    PortWriter left(fold.acts, shape_.act_words(), shape_.operand_width());
    PortWriter top(fold.weights, shape_.weight_words(), shape_.operand_width());
    const int passes = act_.digits * weight_.digits;
    for (std::int64_t t = 0; t < fold.stream; ++t) {
      const int pass = static_cast<int>(t % passes);
      const int weight_digit = pass / act_.digits, act_digit = pass % act_.digits;
      fold.elements[size(t)] = {act_.format(act_digit), weight_.format(weight_digit),
                                weight_digit * weight_.digit_bits + act_digit * act_.digit_bits};
      for (std::int64_t i = 0; i < fold.rows; ++i) {
        left.put(t, i, word(act_, packed.row0 + i, t / passes, act_digit));
      }
      for (std::int64_t j = 0; j < fold.cols; ++j) {
        top.put(t, j, word(weight_, packed.col0 + j, t / passes, weight_digit));
      }
    }
  }

  const ArrayJob& job_;
  const ArraySpec& spec_;
  const ArrayShape& shape_;
  PeMode mode_;
  SumPlaces places_;
  Operand act_, weight_;
  std::int64_t first_code_ = 0;
};

}  // namespace

SumPlaces::SumPlaces(std::uint64_t acc_offset, const GemmTile& tile, const ArraySpec& spec)
    : base(static_cast<std::uint32_t>(acc_offset)),
      lines(tile.m.size()),
      columns(tile.n.size()),
      cols(spec.cols),
      columns_are_pixels(spec.dataflow == Dataflow::kIs) {
  if (columns_are_pixels) std::swap(lines, columns);
}

std::vector<PackedFold> pack_folds(const ArrayJob& job, const ArraySpec& spec,
                                   const ArrayShape& shape) {
  Packer packer(job, spec, shape);
  std::vector<PackedFold> folds;
  for_each_fold(job.command->nest, spec,
                [&](const bitpulse::Fold& fold) { folds.push_back(packer.pack(fold)); });
  return folds;
}

}  // namespace bitpulse::rtl
