// SPDX-License-Identifier: Apache-2.0

/// Radix-4 Booth recoding of an 8-bit operand, signed or unsigned: digits of -2 .. 2, the lowest in
/// the lowest bits.
///
/// A digit is {zero, double, negative}. Five are needed: an unsigned operand has a ninth bit, its sign.
module booth_digits #(
  parameter int Digits = 5
) (
  input  logic                is_signed_i,
  input  logic [7:0]          operand_i,
  output logic [Digits*3-1:0] digits_o
);

  // Extended by its sign; at the right, the bit below the lowest.
  logic [10:0] bits;
  assign bits = {{2{is_signed_i & operand_i[7]}}, operand_i, 1'b0};

  for (genvar k = 0; k < Digits; k++) begin : gen_digit
    logic [2:0] window;
    assign window             = bits[2*k +: 3];
    assign digits_o[3*k +: 3] = {window == 3'b000 || window == 3'b111,
                                 window == 3'b011 || window == 3'b100,
                                 window[2]};
  end

endmodule
