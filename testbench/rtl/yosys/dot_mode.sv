// SPDX-License-Identifier: Apache-2.0
`include "bitpulse_types.svh"

/// dot_fused at one pair of widths; operands and signedness stay free.
module dot_mode #(
  parameter int ActWidth    = 8,
  parameter int WeightWidth = 8
) (
  input  logic               act_signed_i,
  input  logic        [31:0] act_i,
  input  logic               weight_signed_i,
  input  logic        [31:0] weight_i,
  output logic signed [17:0] product_o
);

  dot_fused u_dot (
    .act_format_i   ({act_signed_i, 2'(ActWidth / 4)}),
    .act_i,
    .weight_format_i({weight_signed_i, 2'(WeightWidth / 4)}),
    .weight_i,
    .product_o
  );

endmodule
