// SPDX-License-Identifier: Apache-2.0

/// Product of two 2-bit digits, each signed or unsigned: both become 3-bit signed, as in Sharma et
/// al., "Bit Fusion", ISCA 2018.
module brick (
  input  logic              act_signed_i,
  input  logic        [1:0] act_i,
  input  logic              weight_signed_i,
  input  logic        [1:0] weight_i,
  output logic signed [4:0] product_o  // -6 .. 9
);

  logic signed [2:0] act, weight;

  assign act       = {act_signed_i & act_i[1], act_i};
  assign weight    = {weight_signed_i & weight_i[1], weight_i};
  assign product_o = 5'(act) * 5'(weight);

endmodule
