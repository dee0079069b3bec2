// SPDX-License-Identifier: Apache-2.0
#include "sim/schedule/width_groups.h"

#include <algorithm>
#include <numeric>

#include "models/units.h"

namespace bitpulse {

namespace {

/// Everything of a width group but its members.
WidthGroup make_group(const LayerShape& shape, std::uint8_t bits, const ArraySpec& array) {
  WidthGroup group;
  group.weight_bits = bits;
  group.mode = pe_mode(array.pe, static_cast<int>(shape.in.bits), bits);
  group.k_packed =
      shape.window.kernel_h * shape.window.kernel_w * ceil_div(shape.cin, group.mode.lanes);
  group.order.dataflow = array.dataflow;
  group.order.overflow = array.overflow;
  group.order.acc_bits = array.acc_bits;
  group.order.lanes = group.mode.lanes;
  group.order.act_digits = group.mode.act_digits;
  group.order.weight_digits = group.mode.weight_digits;
  if (group.mode.passes() > 1) {
    group.order.digit_bits = std::max(group.mode.act_digit_bits, group.mode.weight_digit_bits);
  }
  return group;
}

/// The one width group of a layer whose weights all have one width.
WidthGroup uniform_group(const LayerShape& shape, std::uint8_t bits, const ArraySpec& array) {
  WidthGroup group = make_group(shape, bits, array);
  group.groups.resize(static_cast<std::size_t>(shape.groups));
  std::iota(group.groups.begin(), group.groups.end(), 0);
  group.channels.resize(group.groups.size());
  std::int64_t next = 0;
  for (auto& channels : group.channels) {
    channels.resize(static_cast<std::size_t>(shape.cout));
    std::iota(channels.begin(), channels.end(), next);
    next += shape.cout;
  }
  return group;
}

}  // namespace

std::vector<WidthGroup> width_groups(const LayerShape& shape,
                                     const std::vector<std::uint8_t>& weight_bits,
                                     const ArraySpec& array) {
  std::vector<WidthGroup> result;
  const std::uint8_t first = weight_bits.front();
  if (std::all_of(weight_bits.begin(), weight_bits.end(),
                  [first](std::uint8_t bits) { return bits == first; })) {
    result.push_back(uniform_group(shape, first, array));
    return result;
  }
  for (std::uint8_t bits = 1; bits <= 16; ++bits) {
    const std::size_t first_of_width = result.size();
    for (std::int64_t g = 0; g < shape.groups; ++g) {
      std::vector<std::int64_t> channels;
      for (std::int64_t c = g * shape.cout; c < (g + 1) * shape.cout; ++c) {
        if (weight_bits[static_cast<std::size_t>(c)] == bits) channels.push_back(c);
      }
      if (channels.empty()) continue;
      auto same_size = std::find_if(
          result.begin() + static_cast<std::ptrdiff_t>(first_of_width), result.end(),
          [&](const WidthGroup& w) { return w.channels.front().size() == channels.size(); });
      if (same_size == result.end()) {
        result.push_back(make_group(shape, bits, array));
        same_size = result.end() - 1;
      }
      same_size->groups.push_back(g);
      same_size->channels.push_back(std::move(channels));
    }
  }
  return result;
}

std::vector<std::int64_t> k_segments(const ArraySpec& array, std::int64_t k_packed,
                                     std::int64_t k_tile) {
  const std::int64_t step = array.dataflow == Dataflow::kOs ? k_tile : array.rows;
  std::vector<std::int64_t> ends;
  ends.reserve(static_cast<std::size_t>(ceil_div(k_packed, step)));
  for (std::int64_t end = step; end < k_packed; end += step) ends.push_back(end);
  ends.push_back(k_packed);
  return ends;
}

}  // namespace bitpulse
