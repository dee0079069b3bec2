// SPDX-License-Identifier: Apache-2.0
`include "bitpulse_types.svh"

/// Adds a shifted product to a sum and brings the result back to the accumulator format.
///
/// sum_o = fit(psum_i + fit(product_i << shift_i)); fit() wraps or saturates at acc_format_i.bits. A
/// shift by zero leaves the product exact. overflow_o counts which of shift and addition left the
/// format.
module mac_accumulate #(
  parameter int ProductWidth = 18,
  parameter int AccWidth     = 32
) (
  input  acc_format_t                     acc_format_i,
  input  logic        [4:0]               shift_i,
  input  logic signed [ProductWidth-1:0]  product_i,
  input  logic signed [AccWidth-1:0]      psum_i,
  output logic signed [AccWidth-1:0]      sum_o,
  output logic        [1:0]               overflow_o
);

  localparam int ShiftedWidth = ProductWidth + 31;
  localparam int TermWidth    = (AccWidth > ProductWidth) ? AccWidth : ProductWidth;

  logic signed [ShiftedWidth-1:0] shifted;
  logic signed [AccWidth-1:0]     shifted_fit;
  logic signed [TermWidth-1:0]    term;
  logic signed [TermWidth:0]      exact;
  logic                           shift_overflow, sum_overflow;

  assign shifted = ShiftedWidth'(product_i) <<< shift_i;

  acc_fit #(.InWidth(ShiftedWidth), .AccWidth(AccWidth)) u_fit_shift (
    .acc_format_i,
    .exact_i   (shifted),
    .value_o   (shifted_fit),
    .overflow_o(shift_overflow)
  );

  assign term  = (shift_i == 5'd0) ? TermWidth'(product_i) : TermWidth'(shifted_fit);
  assign exact = (TermWidth + 1)'(psum_i) + (TermWidth + 1)'(term);

  acc_fit #(.InWidth(TermWidth + 1), .AccWidth(AccWidth)) u_fit_sum (
    .acc_format_i,
    .exact_i   (exact),
    .value_o   (sum_o),
    .overflow_o(sum_overflow)
  );

  assign overflow_o = {1'b0, shift_overflow && shift_i != 5'd0} + {1'b0, sum_overflow};

endmodule
