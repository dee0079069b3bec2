// SPDX-License-Identifier: Apache-2.0

/// A weight-stationary array of another style behind the port contract of rtl/README.md, as an example
/// of an array of one's own: nothing in it is systolic.
///
/// A stream element is broadcast to all columns, recoded once per row, and a column forms its whole sum
/// in that cycle; a delay line then holds it back until the cycle in which the contract wants it. The
/// word of the next weights that comes with count i is written to row i directly. Ports are plain
/// vectors: this file needs none of ours.
module booth_array #(
  parameter int Rows = 4,
  parameter int Cols = 3
) (
  input  logic               clk_i,
  input  logic               rst_ni,
  input  logic [6:0]         acc_format_i,   // saturate, bits
  input  logic [9:0]         act_ctrl_i,     // valid, first, shift (5), signed, width (2)
  input  logic [Rows*8-1:0]  act_i,
  input  logic [13:0]        weight_ctrl_i,  // valid, count (10), signed, width (2)
  input  logic [Cols*8-1:0]  weight_i,
  output logic [Cols-1:0]    valid_o,
  output logic [Cols*32-1:0] psum_o,
  output logic [Cols*32-1:0] overflow_o
);

  localparam int Digits = 5;

  logic unused_ctrl;
  assign unused_ctrl = ^{act_ctrl_i[7:3], act_ctrl_i[1:0], weight_ctrl_i[1:0]};

  // Weights: the next ones, and those in use, which `first` replaces from its own cycle on.
  logic [Rows*Cols*8-1:0] next_q, weight_d, weight_q;
  logic [Rows-1:0]        next_signed_q, weight_signed_d, weight_signed_q;

  assign weight_d        = act_ctrl_i[8] ? next_q : weight_q;
  assign weight_signed_d = act_ctrl_i[8] ? next_signed_q : weight_signed_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      next_q          <= '0;
      next_signed_q   <= '0;
      weight_q        <= '0;
      weight_signed_q <= '0;
    end else begin
      weight_q        <= weight_d;
      weight_signed_q <= weight_signed_d;
      for (int i = 0; i < Rows; i++) begin
        if (weight_ctrl_i[13] && weight_ctrl_i[12:3] == 10'(i)) begin
          next_q[i*Cols*8 +: Cols*8] <= weight_i;
          next_signed_q[i]           <= weight_ctrl_i[2];
        end
      end
    end
  end

  logic [Rows*Digits*3-1:0] digits;

  for (genvar i = 0; i < Rows; i++) begin : gen_row
    booth_digits #(.Digits(Digits)) u_digits (
      .is_signed_i(act_ctrl_i[2]),
      .operand_i  (act_i[i*8 +: 8]),
      .digits_o   (digits[i*Digits*3 +: Digits*3])
    );
  end

  for (genvar j = 0; j < Cols; j++) begin : gen_col
    localparam int Delay = Rows + j;

    logic [Rows*8-1:0]   weights;
    logic [31:0]         sum, overflow;
    logic [Delay-1:0]    valid_q;
    logic [Delay*32-1:0] sum_q, overflow_q;

    for (genvar i = 0; i < Rows; i++) begin : gen_weight
      assign weights[i*8 +: 8] = weight_d[(i*Cols+j)*8 +: 8];
    end

    booth_column #(.Rows(Rows), .Digits(Digits)) u_column (
      .saturate_i     (acc_format_i[6]),
      .acc_bits_i     (acc_format_i[5:0]),
      .act_digits_i   (digits),
      .weight_signed_i(weight_signed_d),
      .weight_i       (weights),
      .sum_o          (sum),
      .overflow_o     (overflow)
    );

    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) begin
        valid_q    <= '0;
        sum_q      <= '0;
        overflow_q <= '0;
      end else begin
        valid_q    <= Delay'({valid_q, act_ctrl_i[9]});
        sum_q      <= (Delay * 32)'({sum_q, sum});
        overflow_q <= (Delay * 32)'({overflow_q, overflow});
      end
    end

    assign valid_o[j]             = valid_q[Delay-1];
    assign psum_o[j*32 +: 32]     = sum_q[Delay*32-1 -: 32];
    assign overflow_o[j*32 +: 32] = overflow_q[Delay*32-1 -: 32];
  end

endmodule
