// SPDX-License-Identifier: Apache-2.0
`include "bitpulse_types.svh"

/// Multiply-accumulate of one fixed width; mac_int8, mac_int4 and mac_int2 are Width = 8, 4, 2.
///
/// Each operand is signed or unsigned by its own flag. Combinational: registers stand at the
/// boundaries of the PE. Shift and overflow are those of mac_accumulate.
module mac_int #(
  parameter int Width    = 8,
  parameter int AccWidth = 32
) (
  input  acc_format_t                acc_format_i,
  input  logic        [4:0]          shift_i,
  input  logic                       act_signed_i,
  input  logic        [Width-1:0]    act_i,
  input  logic                       weight_signed_i,
  input  logic        [Width-1:0]    weight_i,
  input  logic signed [AccWidth-1:0] psum_i,
  output logic signed [AccWidth-1:0] sum_o,
  output logic        [1:0]          overflow_o
);

  `BITPULSE_CHECK(Width == 8 || Width == 4 || Width == 2, "Width must be 8, 4 or 2")

  localparam int ProductWidth = 2 * Width + 2;

  logic signed [Width:0]          act, weight;
  logic signed [ProductWidth-1:0] product;

  assign act     = {act_signed_i & act_i[Width-1], act_i};
  assign weight  = {weight_signed_i & weight_i[Width-1], weight_i};
  assign product = ProductWidth'(act) * ProductWidth'(weight);

  mac_accumulate #(.ProductWidth(ProductWidth), .AccWidth(AccWidth)) u_accumulate (
    .acc_format_i,
    .shift_i,
    .product_i(product),
    .psum_i,
    .sum_o,
    .overflow_o
  );

endmodule
