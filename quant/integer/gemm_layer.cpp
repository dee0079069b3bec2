// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <utility>

#include "models/units.h"
#include "quant/integer/im2col.h"
#include "quant/integer/kernels.h"
#include "quant/integer/layer_run.h"
#include "quant/integer/parallel.h"

namespace bitpulse {

namespace {

constexpr std::int64_t kChunk = 64;            // output channels that share a pass over rows
constexpr std::int64_t kRowBytes = 192 << 10;  // of gathered activations: stays in L2
constexpr std::int64_t kMinRows = 24, kMaxRows = 192;  // output pixels of a tile

/// Output channels that are formed together: same convolution group (or depthwise run), same width.
struct Chunk {
  WeightTile weights;
  LayerTail tail;
};

/// Chunks that read the same rows.
struct Unit {
  RowRange rows;  // m to be filled in
  RowForm form = RowForm::kWords;
  int bias = 0;
  std::int64_t row_elements = 0;
  std::vector<std::unique_ptr<Chunk>> chunks;
};

/// What one thread needs for itself.
struct Workspace {
  std::vector<std::uint8_t> bytes;
  std::vector<std::int16_t> words;
  SumTile sums;
  std::vector<std::int32_t> tail;
  OverflowCounts overflow;
};

class GemmLayer {
 public:
  GemmLayer(const LayerRun& run, const GemmOp& op)
      : run_(run),
        op_(op),
        act_(run.network.tensors[static_cast<std::size_t>(op.input)].precision),
        cin_(run.layer.in.c / op.groups),
        cout_(run.layer.out.c / op.groups),
        positions_(op.window.kernel_h * op.window.kernel_w) {
    plan();
    pack();
  }

  OverflowCounts execute() {
    std::vector<Item> items = make_items();
    std::vector<Workspace> workspaces(static_cast<std::size_t>(std::max(1, run_.threads)));
    parallel_for(
        run_.threads, static_cast<std::int64_t>(items.size()), [&](std::int64_t i, int worker) {
          compute(items[static_cast<std::size_t>(i)], workspaces[static_cast<std::size_t>(worker)]);
        });
    OverflowCounts overflow;
    for (const Workspace& w : workspaces) overflow += w.overflow;
    return overflow;
  }

 private:
  struct Item {
    const Unit* unit;
    std::int64_t m_begin, m_end;
    std::size_t chunk_begin, chunk_end;
  };
  struct Pending {  // a chunk before its weights are packed
    std::size_t unit, slot;
    GemmSpec spec;
    std::vector<std::int64_t> channels;
  };

  bool is_depthwise() const { return cin_ == 1 && cout_ == 1; }
  int width(std::int64_t channel) const {
    return op_.weight_bits[static_cast<std::size_t>(channel)];
  }

  GemmSpec spec_for(int weight_bits) const {
    GemmSpec spec;
    spec.act = act_;
    spec.weight_bits = weight_bits;
    spec.positions = positions_;
    spec.cin = cin_;
    spec.depthwise = is_depthwise();
    for (const auto& [bits, order] : run_.accumulation)
      if (bits == weight_bits) spec.order = order;
    return spec;
  }

  /// Cuts the output channels into chunks of one width; depthwise: of neighbours.
  void plan() {
    if (is_depthwise()) {
      for (std::int64_t c = 0; c < cout_ * op_.groups;) {
        std::vector<std::int64_t> channels{c++};
        while (c < op_.groups && static_cast<std::int64_t>(channels.size()) < kChunk &&
               width(c) == width(channels[0]))
          channels.push_back(c++);
        const std::int64_t first = channels[0], count = static_cast<std::int64_t>(channels.size());
        add(spec_for(width(first)), first, count, std::move(channels));
      }
      return;
    }
    for (std::int64_t g = 0; g < op_.groups; ++g) {
      std::vector<std::vector<std::int64_t>> by_width(17);
      for (std::int64_t c = g * cout_; c < (g + 1) * cout_; ++c)
        by_width[static_cast<std::size_t>(width(c))].push_back(c);
      for (int bits = 1; bits <= 16; ++bits) {
        const auto& all = by_width[static_cast<std::size_t>(bits)];
        for (std::size_t i = 0; i < all.size(); i += kChunk) {
          const std::size_t end = std::min(all.size(), i + kChunk);
          add(spec_for(bits), g * cin_, cin_,
              {all.begin() + static_cast<std::ptrdiff_t>(i),
               all.begin() + static_cast<std::ptrdiff_t>(end)});
        }
      }
    }
  }

  void add(const GemmSpec& spec, std::int64_t first_input, std::int64_t inputs,
           std::vector<std::int64_t> channels) {
    const RowForm form = row_form(spec, run_.isa);
    if (units_.empty() || units_.back().rows.channel != first_input || units_.back().form != form ||
        is_depthwise()) {
      Unit unit;
      unit.rows.channel = first_input;
      unit.rows.cin = inputs;
      unit.rows.end = unit.row_elements = positions_ * inputs;
      unit.form = form;
      unit.bias = row_bias(form, act_);
      units_.push_back(std::move(unit));
    }
    pending_.push_back({units_.size() - 1, units_.back().chunks.size(), spec, std::move(channels)});
    units_.back().chunks.emplace_back();
  }

  void pack() {
    for (const Pending& p : pending_) check(p.spec);
    parallel_for(run_.threads, static_cast<std::int64_t>(pending_.size()),
                 [this](std::int64_t i, int) {
                   const Pending& p = pending_[static_cast<std::size_t>(i)];
                   auto& chunk = units_[p.unit].chunks[p.slot];
                   chunk = op_.weights.narrow.empty() ? make_chunk(p, op_.weights.wide)
                                                      : make_chunk(p, op_.weights.narrow);
                 });
  }

  template <class Code>
  std::unique_ptr<Chunk> make_chunk(const Pending& p, const std::vector<Code>& weights) const {
    const std::int64_t k = positions_ * cin_, n = static_cast<std::int64_t>(p.channels.size());
    std::vector<Code> copy;
    const Code* codes = weights.data() + p.channels[0] * k;
    if (p.channels.back() - p.channels[0] + 1 != n) {  // other widths stand between
      for (const std::int64_t c : p.channels)
        copy.insert(copy.end(), weights.begin() + c * k, weights.begin() + (c + 1) * k);
      codes = copy.data();
    }
    return std::make_unique<Chunk>(Chunk{
        WeightTile(p.spec, 0, p.spec.packed_k(), n, codes, run_.isa), LayerTail(run_, p.channels)});
  }

  /// Tiles of pixels times chunks: at least four per thread where the layer has as many.
  std::vector<Item> make_items() const {
    const std::int64_t m = run_.pixels();
    std::vector<Item> items;
    for (const Unit& unit : units_) {
      const std::int64_t bytes = unit.row_elements * (unit.form == RowForm::kBytes ? 1 : 2);
      std::int64_t rows = std::clamp(kRowBytes / bytes, kMinRows, kMaxRows);
      const std::int64_t wanted =
          run_.threads > 1 ? ceil_div(4 * run_.threads, static_cast<std::int64_t>(units_.size()))
                           : 1;
      rows = std::min(rows, std::max(kMinRows, ceil_div(m, wanted)));
      const std::int64_t tiles = ceil_div(m, rows);
      const auto chunks = static_cast<std::int64_t>(unit.chunks.size());
      const std::int64_t parts = std::min(chunks, ceil_div(wanted, tiles));
      for (std::int64_t t = 0; t < tiles; ++t) {
        for (std::int64_t p = 0; p < parts; ++p)
          items.push_back({&unit, m * t / tiles, m * (t + 1) / tiles,
                           static_cast<std::size_t>(chunks * p / parts),
                           static_cast<std::size_t>(chunks * (p + 1) / parts)});
      }
    }
    return items;
  }

  void compute(const Item& item, Workspace& work) const {
    const Unit& unit = *item.unit;
    const ActRows rows = item_rows(item, work);
    for (std::size_t i = item.chunk_begin; i < item.chunk_end; ++i) {
      const Chunk& chunk = *unit.chunks[i];
      work.sums.reset(rows.count, chunk.weights.n());
      work.sums.accumulate(chunk.weights, rows);
      work.overflow.intermediate += work.sums.intermediate_overflows();
      work.overflow.final_sum += work.sums.final_overflows();
      work.overflow.saturations += chunk.tail.finish(item.m_begin, item.m_end, work.sums.row(0),
                                                     work.sums.stride(), work.tail);
    }
  }

  ActRows item_rows(const Item& item, Workspace& work) const {
    const Unit& unit = *item.unit;
    RowRange range = unit.rows;
    range.m_begin = item.m_begin;
    range.m_end = item.m_end;
    ActRows rows{nullptr, unit.row_elements, item.m_end - item.m_begin};
    const auto size = static_cast<std::size_t>(rows.count * rows.stride + kRowSlack);
    const WorkTensor& input = run_.tensor(op_.input);
    std::visit(
        [&](const auto& codes) {
          using Code = typename std::decay_t<decltype(codes)>::value_type;
          if constexpr (sizeof(Code) <= 2) {
            const CodeBox<Code> box{codes.data(), 0, 0, 0, run_.layer.in.w, run_.layer.in.c};
            const auto gather = [&](auto& to) {
              to.resize(std::max(to.size(), size));
              gather_rows(box, op_.window, run_.layer.in, run_.layer.out, range, unit.bias,
                          to.data(), rows.stride);
              rows.data = to.data();
            };
            unit.form == RowForm::kBytes ? gather(work.bytes) : gather(work.words);
          }
        },
        input.codes);
    return rows;
  }

  const LayerRun& run_;
  const GemmOp& op_;
  Precision act_;
  std::int64_t cin_, cout_, positions_;
  std::vector<Unit> units_;
  std::vector<Pending> pending_;
};

}  // namespace

OverflowCounts run_gemm(const LayerRun& run, const GemmOp& op) {
  return GemmLayer(run, op).execute();
}

}  // namespace bitpulse
