// SPDX-License-Identifier: Apache-2.0
#pragma once

// What all Verilated models need: a context, a reset, a clock.

#include <verilated.h>

namespace bitpulse::rtl {

/// The context of one model. Models run in the thread that calls them; by default a context would
/// keep a thread for every other processor waiting beside each of them.
class OwnContext : public VerilatedContext {
 public:
  OwnContext() { threads(1); }
};

/// Puts the registers of a model into their first state.
template <class Model>
void pulse_reset(Model& model) {
  for (const CData level : {CData{1}, CData{0}, CData{1}}) {
    model.rst_ni = level;
    model.eval();
  }
}

/// A model without waves, from its reset to its end, to be derived from. A cycle is fall(), inputs,
/// rise().
template <class Model>
class ClockedModel {
 protected:
  ClockedModel() { pulse_reset(model_); }
  ~ClockedModel() { model_.final(); }
  ClockedModel(const ClockedModel&) = delete;
  ClockedModel& operator=(const ClockedModel&) = delete;

  // Eval reads clock and reset as one word, which waits until a clock just written is in memory: so
  // both edges write it long before.
  void fall() {
    model_.eval();
    model_.clk_i = 1;
  }
  void rise() {
    model_.eval();
    model_.clk_i = 0;
  }

 private:
  OwnContext context_;

 protected:
  Model model_{&context_};
};

}  // namespace bitpulse::rtl
