// SPDX-License-Identifier: Apache-2.0
`include "bitpulse_types.svh"

/// Output-stationary processing element.
///
/// Activations pass to the right and weights pass down, one PE per cycle; their shifted product enters
/// the sum, which starts over with `first`. A weight_ctrl that is valid, in the cycle after the last
/// product, copies the sum into the drain register; drained sums move down, one row per cycle, from
/// the cycle on in which the capture has passed the bottom used row: the register holds still for
/// `count` cycles. (The row below captures in the first of them and holds still in the others, so it
/// takes nothing from here meanwhile.)
module pe_os #(
  parameter int OperandWidth  = 8,
  parameter int AccWidth      = 32,
  parameter int OverflowWidth = 32
) (
  input  logic                            clk_i,
  input  logic                            rst_ni,
  input  acc_format_t                     acc_format_i,

  input  act_ctrl_t                       act_ctrl_i,
  input  logic        [OperandWidth-1:0]  act_i,
  output act_ctrl_t                       act_ctrl_o,
  output logic        [OperandWidth-1:0]  act_o,

  input  weight_ctrl_t                    weight_ctrl_i,
  input  logic        [OperandWidth-1:0]  weight_i,
  output weight_ctrl_t                    weight_ctrl_o,
  output logic        [OperandWidth-1:0]  weight_o,

  input  logic                            valid_i,
  input  logic        [AccWidth-1:0]      psum_i,
  input  logic        [OverflowWidth-1:0] overflow_i,
  output logic                            valid_o,
  output logic        [AccWidth-1:0]      psum_o,
  output logic        [OverflowWidth-1:0] overflow_o
);

  logic signed [AccWidth-1:0]      sum_d, sum_q;
  logic        [OverflowWidth-1:0] sum_overflow_d, sum_overflow_q;
  logic        [1:0]               overflow;
  logic        [9:0]               hold_q;

  mac #(.OperandWidth(OperandWidth), .AccWidth(AccWidth)) u_mac (
    .acc_format_i,
    .shift_i        (act_ctrl_i.shift),
    .act_format_i   (act_ctrl_i.format),
    .act_i,
    .weight_format_i(weight_ctrl_i.format),
    .weight_i,
    .psum_i         (act_ctrl_i.first ? '0 : sum_q),
    .sum_o          (sum_d),
    .overflow_o     (overflow)
  );

  assign sum_overflow_d = (act_ctrl_i.first ? '0 : sum_overflow_q) + OverflowWidth'(overflow);

  // Operands and the sum. The control of a capture goes as far as `count` rows.
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      act_ctrl_o           <= '0;
      act_o                <= '0;
      weight_ctrl_o        <= '0;
      weight_o             <= '0;
      sum_q                <= '0;
      sum_overflow_q       <= '0;
    end else begin
      act_ctrl_o           <= act_ctrl_i;
      act_o                <= act_i;
      weight_ctrl_o.valid  <= weight_ctrl_i.valid && weight_ctrl_i.count != 10'd0;
      weight_ctrl_o.count  <= weight_ctrl_i.count - 10'd1;
      weight_ctrl_o.format <= weight_ctrl_i.format;
      weight_o             <= weight_i;
      if (act_ctrl_i.valid) begin
        sum_q          <= sum_d;
        sum_overflow_q <= sum_overflow_d;
      end
    end
  end

  // The drain register.
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      valid_o    <= 1'b0;
      hold_q     <= '0;
      psum_o     <= '0;
      overflow_o <= '0;
    end else if (weight_ctrl_i.valid) begin
      valid_o    <= 1'b1;
      hold_q     <= weight_ctrl_i.count;
      psum_o     <= sum_q;
      overflow_o <= sum_overflow_q;
    end else if (hold_q != 10'd0) begin
      hold_q     <= hold_q - 10'd1;
    end else begin
      valid_o    <= valid_i;
      psum_o     <= psum_i;
      overflow_o <= overflow_i;
    end
  end

endmodule
