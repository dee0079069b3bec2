// SPDX-License-Identifier: Apache-2.0
// Types that travel through the arrays; C++ packs them in sim/rtl/ports.h. A header of typedefs and
// not a package, and sizes as `int` parameters, because Icarus 11 and Yosys 0.23 have no form of
// package type in common.
`ifndef BITPULSE_TYPES_SVH
`define BITPULSE_TYPES_SVH

// Width of an operand of a fused PE; the code is log2 of its number of 2-bit digits.
typedef enum logic [1:0] {
  Width2 = 2'd0,
  Width4 = 2'd1,
  Width8 = 2'd2
} width_e;

// How the bits of an operand word are read. Fixed PEs ignore the width.
typedef struct packed {
  logic   is_signed;
  width_e width;
} format_t;

// Width of accumulators, and what leaving it does. Constant while sums are in flight; tied to
// constants, synthesis reduces it to an adder of that width.
typedef struct packed {
  logic       saturate;
  logic [5:0] bits;  // 2 .. 32
} acc_format_t;

// Travels right, with the activations.
//   ws  first: the weight of the second register is in use from this element on
//   os  first: the sum starts over with this element; shift: of the product, before the addition
typedef struct packed {
  logic       valid;
  logic       first;
  logic [4:0] shift;
  format_t    format;
} act_ctrl_t;

// Travels down, with the weights.
//   ws  valid: a weight for the second register; count: rows that it moves further down
//   os  valid: the drain register takes the sum; count: rows below that take theirs, one per cycle,
//       until when the drain register holds still
typedef struct packed {
  logic       valid;
  logic [9:0] count;
  format_t    format;
} weight_ctrl_t;

`define ACT_CTRL_WIDTH 10     // $bits(act_ctrl_t)
`define WEIGHT_CTRL_WIDTH 14  // $bits(weight_ctrl_t)
`define ACC_CTRL_WIDTH 32     // $bits(acc_ctrl_t)

// One access to the word `addr` of every accumulator lane; enters column 0 and travels right.
typedef struct packed {
  logic        valid;
  logic        accumulate;  // add to the word; else replace it
  logic [4:0]  shift;       // of the incoming sum (digit passes)
  logic [9:0]  count;       // columns to the right that take part
  logic [14:0] addr;
} acc_ctrl_t;

// Tie rule of a requantization, numbered as in models/precision.h.
typedef enum logic [1:0] {
  HalfUp   = 2'd0,
  HalfEven = 2'd1,
  HalfAway = 2'd2
} rounding_e;

// What a lane of the requantizer keeps of a pass.
typedef enum logic [1:0] {
  KeepOld     = 2'd0,
  KeepOperand = 2'd1,
  KeepResult  = 2'd2
} keep_e;

// One pass over an element in every lane; requantizer.sv says what each does.
typedef struct packed {
  logic      valid;
  logic      emit;      // the codes leave
  logic      feedback;  // the value is the one kept, not value_i
  logic      maximum;   // the operand is the larger of value and addend, not their sum
  logic      leaky;
  rounding_e rounding;
  logic      low_bit;   // the other operand's product is added before rounding
  logic      branch;    // the other operand is requantized on its own and added
  keep_e     keep;
} lane_ctrl_t;

// Elaboration-time check of a parameter. Icarus 11 knows no $error outside processes.
`ifdef __ICARUS__
`define BITPULSE_CHECK(condition, text)
`else
`define BITPULSE_CHECK(condition, text) if (!(condition)) begin : gen_check $error(text); end
`endif

`endif
