// SPDX-License-Identifier: Apache-2.0
// Requantization of rows of values: included by each instruction-set file as ordered_kernel.inl is.

/// out = clamp(round((value * m + other * other_m) / 2^shift)); returns how many were clamped.
///
/// Half up adds half and floors. Half away takes one off first where the product is negative; half
/// even takes one off where the floor is even, so that a tie does not reach the next integer.
template <Rounding kRounding>
std::uint64_t requantize_rows(const RequantizeArgs& a) {
  constexpr int kLanes = kVectorBytes / 8;
  using Vector = typename VectorOf<std::int64_t, kLanes>::type;
  using Narrow = typename VectorOf<std::int32_t, kLanes>::type;
  const Vector min = Vector{} + a.min, max = Vector{} + a.max;
  Vector clamped{};
  for (std::int64_t row = 0; row < a.rows; ++row) {
    for (std::int64_t n = 0; n < a.columns; n += kLanes) {
      const auto load = [n](const std::int64_t* from) {
        Vector v;
        __builtin_memcpy(&v, from + n, sizeof v);
        return v;
      };
      const auto widen = [n](const std::int32_t* from) {
        Narrow v;
        __builtin_memcpy(&v, from + n, sizeof v);
        return __builtin_convertvector(v, Vector);
      };
      const Vector value = widen(a.values + row * a.value_stride);
      Vector product = value * load(a.m);
      if (a.negative != nullptr) product = product < 0 ? value * load(a.negative) : product;
      if (a.other != nullptr) product += widen(a.other + row * a.other_stride) * load(a.other_m);
      const Vector shift = load(a.shift), half = load(a.half);
      Vector add = half;
      if constexpr (kRounding == Rounding::kHalfAway) add += (product < 0) & (half > 0);
      if constexpr (kRounding == Rounding::kHalfEven)
        add += (((product >> shift) & 1) - 1) & (half > 0);
      const Vector rounded = (product + add) >> shift;
      Vector y = rounded < min ? min : rounded;
      y = y > max ? max : y;
      clamped -= y != rounded;
      const Narrow out = __builtin_convertvector(y, Narrow);
      __builtin_memcpy(a.out + row * a.out_stride + n, &out, sizeof out);
    }
  }
  std::uint64_t count = 0;
  for (int i = 0; i < kLanes; ++i) count += static_cast<std::uint64_t>(clamped[i]);
  return count;
}

std::uint64_t requantize(const RequantizeArgs& a) {
  switch (a.rounding) {
    case Rounding::kHalfUp:
      return requantize_rows<Rounding::kHalfUp>(a);
    case Rounding::kHalfEven:
      return requantize_rows<Rounding::kHalfEven>(a);
    case Rounding::kHalfAway:
      return requantize_rows<Rounding::kHalfAway>(a);
  }
  return 0;
}
