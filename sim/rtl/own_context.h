// SPDX-License-Identifier: Apache-2.0
#pragma once

// The Verilator context of one model. The models run in the thread that calls them; by default a
// context would keep a thread for every other processor waiting beside each of them.

#include <verilated.h>

namespace bitpulse::rtl {

class OwnContext : public VerilatedContext {
 public:
  OwnContext() { threads(1); }
};

}  // namespace bitpulse::rtl
