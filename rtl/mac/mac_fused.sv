// SPDX-License-Identifier: Apache-2.0
`include "bitpulse_types.svh"

/// Multiply-accumulate of a fused PE: 64/(a*w) products of a-bit activations and w-bit weights enter
/// one accumulator per cycle. Combinational; lanes and formats are those of dot_fused, shift and
/// overflow those of mac_accumulate.
module mac_fused #(
  parameter int AccWidth = 32
) (
  input  acc_format_t                acc_format_i,
  input  logic        [4:0]          shift_i,
  input  format_t                    act_format_i,
  input  logic        [31:0]         act_i,
  input  format_t                    weight_format_i,
  input  logic        [31:0]         weight_i,
  input  logic signed [AccWidth-1:0] psum_i,
  output logic signed [AccWidth-1:0] sum_o,
  output logic        [1:0]          overflow_o
);

  logic signed [17:0] product;

  dot_fused u_dot (
    .act_format_i,
    .act_i,
    .weight_format_i,
    .weight_i,
    .product_o(product)
  );

  mac_accumulate #(.ProductWidth(18), .AccWidth(AccWidth)) u_accumulate (
    .acc_format_i,
    .shift_i,
    .product_i(product),
    .psum_i,
    .sum_o,
    .overflow_o
  );

endmodule
