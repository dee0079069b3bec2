// SPDX-License-Identifier: Apache-2.0

/// Sum of Rows products in row order, each addition wrapping or saturating at AccBits; counts those
/// that leave them. Purely combinational.
module booth_column #(
  parameter int Rows   = 4,
  parameter int Digits = 5
) (
  input  logic                     saturate_i,
  input  logic [5:0]               acc_bits_i,       // 2 .. 32
  input  logic [Rows*Digits*3-1:0] act_digits_i,
  input  logic [Rows-1:0]          weight_signed_i,
  input  logic [Rows*8-1:0]        weight_i,
  output logic [31:0]              sum_o,
  output logic [31:0]              overflow_o
);

  logic signed [9:0]  weight;
  logic signed [17:0] multiple, product;
  logic signed [33:0] limit, exact, sum;
  logic        [2:0]  digit;

  always_comb begin
    limit      = 34'sd1 <<< (acc_bits_i - 6'd1);
    sum        = '0;
    overflow_o = '0;
    for (int i = 0; i < Rows; i++) begin
      weight  = {{2{weight_signed_i[i] & weight_i[i*8+7]}}, weight_i[i*8 +: 8]};
      product = '0;
      for (int k = 0; k < Digits; k++) begin
        digit    = act_digits_i[(i*Digits+k)*3 +: 3];
        multiple = digit[2] ? 18'sd0 : 18'(weight) <<< (2 * k + 32'(digit[1]));
        product  = digit[0] ? product - multiple : product + multiple;
      end
      exact = sum + 34'(product);
      sum   = exact;
      if (exact < -limit || exact >= limit) begin
        overflow_o = overflow_o + 32'd1;
        if (!saturate_i) sum = ((exact + limit) & (2 * limit - 34'sd1)) - limit;
        else if (exact < 0) sum = -limit;
        else sum = limit - 34'sd1;
      end
    end
    sum_o = sum[31:0];
  end

endmodule
