// SPDX-License-Identifier: Apache-2.0
`include "bitpulse_types.svh"

/// Brings an exact integer into the accumulator format: wraps or saturates at acc_format_i.bits.
module acc_fit #(
  parameter int InWidth  = 33,
  parameter int AccWidth = 32
) (
  input  acc_format_t                acc_format_i,
  input  logic signed [InWidth-1:0]  exact_i,
  output logic signed [AccWidth-1:0] value_o,
  output logic                       overflow_o
);

  // One bit more than either side, so that the limits and their sum with exact_i are exact.
  localparam int Width = ((InWidth > AccWidth) ? InWidth : AccWidth) + 1;

  logic signed [Width-1:0] exact, limit, wrapped, saturated;

  assign exact      = Width'(exact_i);
  assign limit      = Width'(1) << (acc_format_i.bits - 6'd1);
  assign overflow_o = (exact >= limit) || (exact < -limit);
  assign wrapped    = ((exact + limit) & (2 * limit - 1)) - limit;
  assign saturated  = exact[Width-1] ? -limit : limit - 1;
  assign value_o    = AccWidth'((overflow_o && acc_format_i.saturate) ? saturated : wrapped);

endmodule
