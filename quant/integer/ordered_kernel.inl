// SPDX-License-Identifier: Apache-2.0
// Sums in AccumulationOrder's order, for one block of 16 output channels and any number of rows.
// Included by each instruction-set file inside its own namespace, with kVectorBytes defined:
// written with GCC's vector types, it becomes that instruction set's code.
//
// A lane holds one output element. Lanes are 32 bits wide where acc_bits < 32 and no single
// addition can leave 32 bits, 64 otherwise.

template <class T, int kLanes>
struct VectorOf {
  typedef T type __attribute__((vector_size(sizeof(T) * kLanes)));
};

enum class Check { kWrap, kSaturate, kNone };

/// What becomes of an exact result at acc_bits.
template <class Lane, int kLanes, Check kCheck>
struct Accumulator {
  using Vector = typename VectorOf<Lane, kLanes>::type;
  using Unsigned =
      typename VectorOf<std::conditional_t<sizeof(Lane) == 4, std::uint32_t, std::uint64_t>,
                        kLanes>::type;

  explicit Accumulator(int acc_bits)
      : spare(static_cast<int>(sizeof(Lane) * 8) - acc_bits),
        min(Vector{} - (Lane{1} << (acc_bits - 1))),
        max(Vector{} + ((Lane{1} << (acc_bits - 1)) - 1)) {}

  Vector wrap(Vector v) const { return reinterpret_cast<Vector>(Unsigned(v) << spare) >> spare; }

  Vector limit(Vector exact) const {
    if constexpr (kCheck == Check::kWrap) return wrap(exact);
    if constexpr (kCheck == Check::kSaturate) {
      const Vector below = exact > max ? max : exact;
      return below < min ? min : below;
    }
    return exact;
  }

  /// An addition's result; counts where it does not fit.
  Vector add(Vector exact) {
    const Vector fit = limit(exact);
    if constexpr (kCheck != Check::kNone) count -= fit != exact;
    return fit;
  }

  /// v << shift; counts where that does not fit. (Bits beyond the lane are lost by the shift and
  /// seen when shifting back.)
  Vector shifted(Vector v, int shift) {
    if (shift == 0) return v;
    Vector fit = wrap(reinterpret_cast<Vector>(Unsigned(v) << shift));
    const Vector lost = (fit >> shift) != v;
    count -= lost;
    if constexpr (kCheck == Check::kSaturate) fit = lost ? (v < 0 ? min : max) : fit;
    return fit;
  }

  int spare;
  Vector min, max;
  Vector count{};
};

template <class Lane, Check kCheck, bool kDepthwise, int kRows>
class OrderedSum {
  static constexpr int kLanes = kVectorBytes / static_cast<int>(sizeof(Lane));
  using Acc = Accumulator<Lane, kLanes, kCheck>;
  using Vector = typename Acc::Vector;
  using Product = typename VectorOf<std::int32_t, kLanes>::type;
  using Word = typename VectorOf<std::uint32_t, kLanes>::type;

 public:
  OrderedSum(const OrderedArgs& args, std::int64_t row, int channel)
      : a_(args),
        acts_(args.acts + row * args.act_row + (kDepthwise ? channel : 0)),
        weights_(static_cast<const std::int32_t*>(args.weights) + channel),
        code_bits_(32 / args.step_codes),
        step_log2_(args.step_codes == 4 ? 2 : 1),
        acc_(args.acc_bits) {}

  /// Adds all segments to total[row].
  void run(Vector* total) {
    std::int64_t begin = 0, code = 0, channel = a_.lane_begin;
    for (std::int64_t s = 0; s < a_.segments; ++s) {
      const std::int64_t end = a_.ends[s];
      if (a_.dataflow == Dataflow::kOs) {
        Cursor at{code, channel};
        Vector sum[kRows] = {};
        stream(begin, end, at, sum);
        add(total, sum);
        code = at.code, channel = at.channel;
      } else {
        Cursor at{code, channel};
        fold_pairs(begin, end, at, total);
        code = at.code, channel = at.channel;
      }
      begin = end;
    }
  }

  std::uint64_t overflows() const {
    std::uint64_t n = 0;
    for (int i = 0; i < kLanes; ++i) n += static_cast<std::uint64_t>(acc_.count[i]);
    return n;
  }

 private:
  struct Cursor {
    std::int64_t code, channel;
  };

  /// ws, is: the segment once per digit pair, stationary digit outer.
  void fold_pairs(std::int64_t begin, std::int64_t end, Cursor& at, Vector* total) {
    const bool acts_stay = a_.dataflow == Dataflow::kIs;
    const int outer = acts_stay ? a_.act_digits : a_.weight_digits;
    const int inner = acts_stay ? a_.weight_digits : a_.act_digits;
    const Cursor start = at;
    for (int o = 0; o < outer; ++o) {
      for (int i = 0; i < inner; ++i) {
        at = start;
        Vector sum[kRows] = {};
        fold(begin, end, acts_stay ? o : i, acts_stay ? i : o, at, sum);
        for (int r = 0; r < kRows; ++r) sum[r] = acc_.shifted(sum[r], (o + i) * a_.digit_bits);
        add(total, sum);
      }
    }
  }

  void fold(std::int64_t begin, std::int64_t end, int act_digit, int weight_digit, Cursor& at,
            Vector* sum) {
    Vector element[kRows];
    for (std::int64_t k = begin; k < end; ++k) {
      next(act_digit, weight_digit, at, element);
      for (int r = 0; r < kRows; ++r) sum[r] = acc_.add(sum[r] + element[r]);
    }
  }

  /// os: all digit pairs of one K' element follow one another.
  void stream(std::int64_t begin, std::int64_t end, Cursor& at, Vector* sum) {
    for (std::int64_t k = begin; k < end; ++k) {
      const Cursor start = at;
      for (int w = 0; w < a_.weight_digits; ++w) {
        for (int d = 0; d < a_.act_digits; ++d) {
          at = start;
          Vector element[kRows];
          next(d, w, at, element);
          for (int r = 0; r < kRows; ++r) {
            const Vector product = acc_.shifted(element[r], (w + d) * a_.digit_bits);
            sum[r] = acc_.add(sum[r] + product);
          }
        }
      }
    }
  }

  void add(Vector* total, const Vector* sum) {
    for (int r = 0; r < kRows; ++r) total[r] = acc_.add(total[r] + sum[r]);
  }

  /// The exact value of one K' element (all its lanes) for each row; moves `at` behind it.
  void next(int act_digit, int weight_digit, Cursor& at, Vector* element) const {
    Product sum[kRows];
    multiply(act_digit, weight_digit, at.code++, sum);
    if (a_.lanes > 1) {
      const std::int64_t end = at.channel + a_.lanes < a_.cin ? at.channel + a_.lanes : a_.cin;
      while (++at.channel < end) {
        Product more[kRows];
        multiply(act_digit, weight_digit, at.code++, more);
        for (int r = 0; r < kRows; ++r) sum[r] += more[r];
      }
      if (end == a_.cin) at.channel = 0;
    }
    for (int r = 0; r < kRows; ++r) element[r] = __builtin_convertvector(sum[r], Vector);
  }

  void multiply(int act_digit, int weight_digit, std::int64_t code, Product* product) const {
    Word word;
    __builtin_memcpy(&word, weights_ + (code >> step_log2_) * kBlock, sizeof word);
    const int position = static_cast<int>(code & (a_.step_codes - 1));
    Product w =
        reinterpret_cast<Product>(word << (32 - code_bits_ * (position + 1))) >> (32 - code_bits_);
    if (a_.weight_digits > 1) {
      w >>= weight_digit * a_.digit_bits;
      if (weight_digit + 1 < a_.weight_digits) w &= (1 << a_.digit_bits) - 1;
    }
    const std::int32_t* x = acts_ + act_digit * a_.act_digit + code * a_.act_step;
    for (int r = 0; r < kRows; ++r, x += a_.act_row) {
      if constexpr (kDepthwise) {
        Product mine;
        __builtin_memcpy(&mine, x, sizeof mine);
        product[r] = mine * w;
      } else {
        product[r] = *x * w;
      }
    }
  }

  const OrderedArgs& a_;
  const std::int32_t* acts_;
  const std::int32_t* weights_;
  int code_bits_, step_log2_;
  Acc acc_;
};

template <class Lane, Check kCheck, bool kDepthwise, int kRows>
std::uint64_t ordered_rows(const OrderedArgs& args, std::int64_t row) {
  constexpr int kLanes = kVectorBytes / static_cast<int>(sizeof(Lane));
  using Vector = typename VectorOf<Lane, kLanes>::type;
  using Stored = typename VectorOf<std::int32_t, kLanes>::type;
  std::uint64_t overflows = 0;
  for (int channel = 0; channel < kBlock; channel += kLanes) {
    std::int32_t* sums = args.sums + row * args.sums_stride + channel;
    Vector total[kRows];
    for (int r = 0; r < kRows; ++r) {
      Stored stored;
      __builtin_memcpy(&stored, sums + r * args.sums_stride, sizeof stored);
      total[r] = __builtin_convertvector(stored, Vector);
    }
    OrderedSum<Lane, kCheck, kDepthwise, kRows> sum(args, row, channel);
    sum.run(total);
    overflows += sum.overflows();
    for (int r = 0; r < kRows; ++r) {
      const Stored stored = __builtin_convertvector(total[r], Stored);
      __builtin_memcpy(sums + r * args.sums_stride, &stored, sizeof stored);
    }
  }
  return overflows;
}

template <class Lane, Check kCheck, bool kDepthwise>
std::uint64_t ordered_all(const OrderedArgs& args) {
  std::uint64_t overflows = 0;
  std::int64_t row = 0;
  for (; row + 4 <= args.row_count; row += 4)
    overflows += ordered_rows<Lane, kCheck, kDepthwise, 4>(args, row);
  for (; row < args.row_count; ++row)
    overflows += ordered_rows<Lane, kCheck, kDepthwise, 1>(args, row);
  return overflows;
}

template <class Lane, bool kDepthwise>
std::uint64_t ordered_checked(const OrderedArgs& args) {
  return args.overflow == Overflow::kWrap ? ordered_all<Lane, Check::kWrap, kDepthwise>(args)
                                          : ordered_all<Lane, Check::kSaturate, kDepthwise>(args);
}

std::uint64_t ordered(const OrderedArgs& args, bool depthwise) {
  if (args.narrow_lanes)
    return depthwise ? ordered_checked<std::int32_t, true>(args)
                     : ordered_checked<std::int32_t, false>(args);
  return depthwise ? ordered_checked<std::int64_t, true>(args)
                   : ordered_checked<std::int64_t, false>(args);
}

template <bool kDepthwise>
void exact_all(const OrderedArgs& args, std::int64_t* exact, std::int64_t stride) {
  constexpr int kLanes = kVectorBytes / 8;
  using Vector = typename VectorOf<std::int64_t, kLanes>::type;
  for (std::int64_t row = 0; row < args.row_count; ++row) {
    for (int channel = 0; channel < kBlock; channel += kLanes) {
      std::int64_t* to = exact + row * stride + channel;
      Vector total;
      __builtin_memcpy(&total, to, sizeof total);
      OrderedSum<std::int64_t, Check::kNone, kDepthwise, 1>(args, row, channel).run(&total);
      __builtin_memcpy(to, &total, sizeof total);
    }
  }
}

void exact(const OrderedArgs& args, bool depthwise, std::int64_t* sums, std::int64_t stride) {
  depthwise ? exact_all<true>(args, sums, stride) : exact_all<false>(args, sums, stride);
}

/// Sums of one depthwise block mod 2^32, unordered.
void dot_depthwise(const DepthwiseArgs& args) {
  constexpr int kLanes = kVectorBytes / 4;
  using Vector = typename VectorOf<std::uint32_t, kLanes>::type;
  using Signed = typename VectorOf<std::int32_t, kLanes>::type;
  using Half = typename VectorOf<std::int16_t, kLanes>::type;
  for (std::int64_t row = 0; row < args.row_count; ++row) {
    for (int channel = 0; channel < kBlock; channel += kLanes) {
      std::uint32_t* to =
          reinterpret_cast<std::uint32_t*>(args.sums + row * args.sums_stride + channel);
      Vector sum, old;
      __builtin_memcpy(&sum, args.start + channel, sizeof sum);
      if (args.accumulate) {
        __builtin_memcpy(&old, to, sizeof old);
        sum += old;
      }
      const std::int16_t* x = args.rows + row * args.row_stride + channel;
      const std::int32_t* weights = static_cast<const std::int32_t*>(args.weights) + channel;
      for (std::int64_t p = 0; p < args.positions; ++p, x += args.channels) {
        Half codes;
        Vector words;
        __builtin_memcpy(&codes, x, sizeof codes);
        __builtin_memcpy(&words, weights + (p >> 1) * kBlock, sizeof words);
        const Signed w = reinterpret_cast<Signed>(words << (p & 1 ? 0 : 16)) >> 16;
        sum += reinterpret_cast<Vector>(__builtin_convertvector(codes, Signed) * w);
      }
      __builtin_memcpy(to, &sum, sizeof sum);
    }
  }
}
