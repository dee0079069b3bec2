// SPDX-License-Identifier: Apache-2.0
#include "sim/rtl/accumulator_memory.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "models/error.h"
#include "sim/rtl/ports.h"
#ifdef BITPULSE_VERILATED_OUTPUT
#include "Vacc_bank_16.h"
#include "sim/rtl/clocked_model.h"
#endif

namespace bitpulse::rtl {
namespace {

constexpr std::size_t kBankCols = 16;
constexpr std::uint32_t kMacroWords = 4096;

}  // namespace

#ifdef BITPULSE_VERILATED_OUTPUT

class AccumulatorMemory::Bank : ClockedModel<Vacc_bank_16> {
 public:
  explicit Bank(AccFormat format) { set_format(format); }

  void set_format(AccFormat format) { model_.acc_format_i = static_cast<CData>(format.pack()); }
  void step(std::uint32_t ctrl, const std::uint32_t* psums, const std::uint32_t* overflows) {
    fall();
    model_.acc_ctrl_i = ctrl;
    std::memcpy(&model_.psum_i, psums, sizeof model_.psum_i);
    std::memcpy(&model_.overflow_i, overflows, sizeof model_.overflow_i);
    model_.enable_i = 1;
    rise();
    model_.enable_i = 0;
  }
  void read(std::uint32_t addr, std::int32_t* words) {
    fall();
    model_.read_i = 1;
    model_.read_addr_i = static_cast<SData>(addr);
    rise();
    model_.read_i = 0;
    std::memcpy(words, &model_.word_o, sizeof model_.word_o);
  }
  std::uint32_t next_ctrl() const { return model_.acc_ctrl_o; }
  std::uint32_t sum(std::size_t col) const { return model_.sum_o[col]; }
  std::uint32_t overflows(std::size_t col) const { return model_.overflow_o[col]; }
};

#else

class AccumulatorMemory::Bank {
 public:
  explicit Bank(AccFormat) {
    throw Error(
        ErrorKind::kInvalidInput,
        "no Verilated accumulator memory in this program, which was built without Verilator");
  }
  void step(std::uint32_t, const std::uint32_t*, const std::uint32_t*) {}
  void read(std::uint32_t, std::int32_t*) {}
  std::uint32_t next_ctrl() const { return 0; }
  std::uint32_t sum(std::size_t) const { return 0; }
  std::uint32_t overflows(std::size_t) const { return 0; }
};

#endif

AccumulatorMemory::AccumulatorMemory() = default;
AccumulatorMemory::~AccumulatorMemory() = default;

void AccumulatorMemory::reset(int cols, AccFormat format) {
  cols_ = static_cast<std::size_t>(cols);
  format_ = format;
  live_.clear();
  macros_.clear();
  const std::size_t banks = (cols_ + kBankCols - 1) / kBankCols;
  psums_.assign(banks * kBankCols, 0);
  overflows_.assign(banks * kBankCols, 0);
}

AccumulatorMemory::Macro* AccumulatorMemory::find(std::uint32_t addr) const {
  const std::size_t index = addr / kMacroWords;
  return index < macros_.size() ? macros_[index].get() : nullptr;
}

AccumulatorMemory::Macro& AccumulatorMemory::enter(const SumAccess& access) {
  const std::size_t index = access.addr / kMacroWords;
  if (index >= macros_.size()) macros_.resize(index + 1);
  if (macros_[index] == nullptr) {
    macros_[index] = std::make_unique<Macro>();
    for (std::size_t col = 0; col < cols_; col += kBankCols) {
      macros_[index]->banks.push_back(std::make_unique<Bank>(format_));
    }
  }
  Macro& macro = *macros_[index];
  if (macro.live == 0) live_.push_back(&macro);
  macro.live = std::max(macro.live, access.cols);
  return macro;
}

void AccumulatorMemory::step(const EdgeOutputs& edge, const std::optional<SumAccess>& access) {
  std::memcpy(psums_.data(), edge.psum.data(), cols_ * sizeof psums_[0]);
  std::memcpy(overflows_.data(), edge.overflow.data(), cols_ * sizeof overflows_[0]);
  std::uint32_t ctrl = 0;
  const Macro* entered = nullptr;
  if (access) {
    entered = &enter(*access);
    ctrl = AccCtrl{true, access->accumulate, access->shift, access->cols - 1,
                   access->addr % kMacroWords}
               .pack();
  }
  for (Macro* macro : live_) {
    --macro->live;
    for (std::size_t b = macro->banks.size(); b-- > 0;) {  // the left neighbour's old output
      const std::uint32_t in = b > 0              ? macro->banks[b - 1]->next_ctrl()
                               : macro == entered ? ctrl
                                                  : 0;
      macro->banks[b]->step(in, psums_.data() + b * kBankCols, overflows_.data() + b * kBankCols);
    }
  }
  live_.erase(std::remove_if(live_.begin(), live_.end(), [](Macro* m) { return m->live == 0; }),
              live_.end());
}

std::int32_t AccumulatorMemory::sum(std::size_t col, std::uint32_t addr) const {
  return static_cast<std::int32_t>(find(addr)->banks[col / kBankCols]->sum(col % kBankCols));
}

std::uint32_t AccumulatorMemory::overflows(std::size_t col, std::uint32_t addr) const {
  return find(addr)->banks[col / kBankCols]->overflows(col % kBankCols);
}

void AccumulatorMemory::read(std::uint32_t addr, std::vector<std::int32_t>& words) {
  const Macro* const macro = find(addr);
  if (macro == nullptr) {
    throw Error(ErrorKind::kInternal, "rtl accumulator memory: word " + std::to_string(addr) +
                                          " is read, and nothing near it was ever written");
  }
  words.resize(psums_.size());
  std::int32_t* to = words.data();
  for (const auto& bank : macro->banks) {
    bank->read(addr % kMacroWords, to);
    to += kBankCols;
  }
}

}  // namespace bitpulse::rtl
