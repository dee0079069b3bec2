// SPDX-License-Identifier: Apache-2.0
`include "bitpulse_types.svh"

/// Weight-stationary processing element.
///
/// Activations pass to the right and sums pass down, one PE per cycle: psum_o(t+1) = fit(psum_i(t) +
/// act_i(t) * weight), and overflow_o counts the overflows of that sum so far. The next fold's
/// weights come down through load_q, the second weight register, while weight_q is in use: a word
/// whose count is not zero moves on, the others stay. An activation that comes with `first` uses,
/// and makes current, the word in load_q.
module pe_ws #(
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

  input  logic signed [AccWidth-1:0]      psum_i,
  input  logic        [OverflowWidth-1:0] overflow_i,
  output logic signed [AccWidth-1:0]      psum_o,
  output logic        [OverflowWidth-1:0] overflow_o
);

  logic    [OperandWidth-1:0] load_q, weight_d, weight_q;
  logic    [9:0]              load_count_q;
  format_t                    load_format_q, weight_format_d, weight_format_q;

  logic signed [AccWidth-1:0] sum;
  logic        [1:0]          sum_overflow;

  assign weight_d        = act_ctrl_i.first ? load_q : weight_q;
  assign weight_format_d = act_ctrl_i.first ? load_format_q : weight_format_q;

  mac #(.OperandWidth(OperandWidth), .AccWidth(AccWidth)) u_mac (
    .acc_format_i,
    .shift_i        (5'd0),
    .act_format_i   (act_ctrl_i.format),
    .act_i,
    .weight_format_i(weight_format_d),
    .weight_i       (weight_d),
    .psum_i,
    .sum_o          (sum),
    .overflow_o     (sum_overflow)
  );

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      act_ctrl_o      <= '0;
      act_o           <= '0;
      weight_q        <= '0;
      weight_format_q <= '0;
      psum_o          <= '0;
      overflow_o      <= '0;
    end else begin
      act_ctrl_o      <= act_ctrl_i;
      act_o           <= act_i;
      weight_q        <= weight_d;
      weight_format_q <= weight_format_d;
      psum_o          <= sum;
      overflow_o      <= overflow_i + OverflowWidth'(sum_overflow);
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      load_q        <= '0;
      load_count_q  <= '0;
      load_format_q <= '0;
    end else if (weight_ctrl_i.valid) begin
      load_q        <= weight_i;
      load_count_q  <= weight_ctrl_i.count;
      load_format_q <= weight_ctrl_i.format;
    end
  end

  assign weight_ctrl_o.valid  = load_count_q != 10'd0;
  assign weight_ctrl_o.count  = load_count_q - 10'd1;
  assign weight_ctrl_o.format = load_format_q;
  assign weight_o             = load_q;

endmodule
