// SPDX-License-Identifier: Apache-2.0
#include "sim/rtl/edge_difference.h"

#include <vector>

namespace bitpulse::rtl {
namespace {

/// Clears the words of a beat that `keeps` does not keep.
template <class Keeps>
void clear_words(std::uint32_t* words, int lanes, int width, Keeps keeps) {
  const std::uint32_t mask = width == 32 ? ~0U : (1U << width) - 1U;
  for (int lane = 0; lane < lanes; ++lane) {
    if (!keeps(lane)) words[lane * width / 32] &= ~(mask << (lane * width % 32));
  }
}

/// A ws fold on an array and its reference, both new, with the operands of some rows of a column.
class Replay {
 public:
  Replay(const Fold& fold, int column, AccFormat format, ArrayModel& model, ArrayModel& reference)
      : fold_(fold), column_(column), format_(format), model_(model), reference_(reference) {}

  bool differs(int first_row, int last_row) {
    const ArrayShape& shape = model_.shape();
    const auto in_rows = [&](int row) { return row >= first_row && row <= last_row; };
    Fold fold = fold_;
    fold.ready = 0;
    for (int t = 0; t < fold.stream; ++t) {
      clear_words(&fold.acts[static_cast<std::size_t>(t) * shape.act_words()], shape.rows,
                  shape.operand_width(), in_rows);
    }
    for (int i = 0; i < fold.rows; ++i) {
      clear_words(&fold.weights[static_cast<std::size_t>(i) * shape.weight_words()], shape.cols,
                  shape.operand_width(), [&](int j) { return in_rows(i) && j == column_; });
    }
    ArrayDriver driver(model_);
    driver.set_reference(&reference_);
    driver.reset();
    driver.set_format(format_);
    try {
      driver.run({fold}, true);
    } catch (const EdgeDifferenceError& error) {
      return error.difference().column == column_;
    } catch (const Error&) {
      return true;  // an output too late or too many
    }
    return false;
  }

 private:
  const Fold& fold_;
  int column_;
  AccFormat format_;
  ArrayModel& model_;
  ArrayModel& reference_;
};

}  // namespace

const char* to_string(EdgeDifference::What what) {
  switch (what) {
    case EdgeDifference::What::kValid:
      return "valid";
    case EdgeDifference::What::kSum:
      return "sum";
    case EdgeDifference::What::kOverflows:
      return "overflows";
  }
  return "";
}

EdgeDifferenceError::EdgeDifferenceError(const EdgeDifference& d)
    : Error(ErrorKind::kCheckFailed, "rtl array: cycle " + std::to_string(d.cycle) + ", column " +
                                         std::to_string(d.column) + ", " + to_string(d.what) +
                                         ": found " + std::to_string(d.found) + ", expected " +
                                         std::to_string(d.expected)),
      difference_(d) {}

PeRange faulty_pes(const EdgeDifference& difference, const Fold& fold, AccFormat format,
                   ArrayModel& model, ArrayModel& reference) {
  const int last = model.shape().rows - 1;
  const PeRange all{0, last, difference.column};
  if (difference.what == EdgeDifference::What::kValid) return all;
  if (model.shape().output_stationary) {
    return {difference.line, difference.line, difference.column};
  }
  Replay replay(fold, difference.column, format, model, reference);
  if (replay.differs(0, -1) || !replay.differs(0, last)) return all;
  std::vector<int> alone;  // rows whose operands alone show the fault
  for (int i = 0; i < fold.rows; ++i) {
    if (replay.differs(i, i)) alone.push_back(i);
  }
  if (alone.size() == 1) return {alone.front(), alone.front(), difference.column};
  // The rows above give right sums; the fault is here or where these sums pass further down.
  int first = 0;
  while (first + 1 < fold.rows && !replay.differs(0, first)) ++first;
  return {first, last, difference.column};
}

}  // namespace bitpulse::rtl
