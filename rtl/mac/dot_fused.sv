// SPDX-License-Identifier: Apache-2.0
`include "bitpulse_types.svh"

/// Sum of the lane products of a fused PE, made of sixteen 2-bit bricks.
///
/// With a-bit activations and w-bit weights (2, 4 or 8 each) there are 64/(a*w) lanes; lane l holds
/// bits [l*a +: a] of act_i and [l*w +: w] of weight_i, so 64/w bits of act_i and 64/a of weight_i
/// are in use. Brick b multiplies digit i of the activation by digit j of the weight of lane l, where
/// b = (l * (w/2) + j) * (a/2) + i, and its product counts 4^(i+j). Only the top digit of a signed
/// operand is signed. Widths and signedness may change every cycle.
module dot_fused (
  input  format_t            act_format_i,
  input  logic        [31:0] act_i,
  input  format_t            weight_format_i,
  input  logic        [31:0] weight_i,
  output logic signed [17:0] product_o
);

  logic [1:0] act_log, weight_log;  // log2 of the digits of an operand
  logic [3:0] act_last, weight_last;  // index of its top digit

  // Code 3, which is not used, reads as Width8: no lane or digit is outside its word.
  assign act_log     = (act_format_i.width == 2'd3) ? 2'd2 : act_format_i.width;
  assign weight_log  = (weight_format_i.width == 2'd3) ? 2'd2 : weight_format_i.width;
  assign act_last    = (4'd1 << act_log) - 4'd1;
  assign weight_last = (4'd1 << weight_log) - 4'd1;

  logic signed [17:0] partial[16];

  for (genvar b = 0; b < 16; b++) begin : gen_brick
    logic [3:0] act_digit, weight_digit;  // within the lane
    logic [3:0] act_index, weight_index;  // within the word
    logic [3:0] lane;
    logic signed [4:0] product;

    assign lane         = 4'(b) >> ({1'b0, act_log} + {1'b0, weight_log});
    assign act_digit    = 4'(b) & act_last;
    assign weight_digit = (4'(b) >> act_log) & weight_last;
    assign act_index    = (lane << act_log) | act_digit;
    assign weight_index = (lane << weight_log) | weight_digit;

    brick u_brick (
      .act_signed_i   (act_format_i.is_signed && act_digit == act_last),
      .act_i          (act_i[{act_index, 1'b0} +: 2]),
      .weight_signed_i(weight_format_i.is_signed && weight_digit == weight_last),
      .weight_i       (weight_i[{weight_index, 1'b0} +: 2]),
      .product_o      (product)
    );

    assign partial[b] = 18'(product) <<< {act_digit + weight_digit, 1'b0};
  end

  always_comb begin
    product_o = '0;
    for (int b = 0; b < 16; b++) product_o += partial[b];
  end

endmodule
