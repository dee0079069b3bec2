// SPDX-License-Identifier: Apache-2.0
`include "bitpulse_types.svh"

/// Weight-stationary array behind the port contract of rtl/README.md: the rolled form, which
/// simulates fastest, or the structural one. Both behave the same in every cycle.
module array_top_ws #(
  parameter int OperandWidth = 8,   // 8, 4, 2: fixed PEs; 32: fused
  parameter int Rows         = 16,
  parameter int Cols         = 16,
  parameter bit Rolled       = 1'b1
) (
  input  logic                         clk_i,
  input  logic                         rst_ni,
  input  acc_format_t                  acc_format_i,
  input  act_ctrl_t                    act_ctrl_i,
  input  logic [Rows*OperandWidth-1:0] act_i,
  input  weight_ctrl_t                 weight_ctrl_i,
  input  logic [Cols*OperandWidth-1:0] weight_i,
  output logic [Cols-1:0]              valid_o,
  output logic [Cols*32-1:0]           psum_o,
  output logic [Cols*32-1:0]           overflow_o
);

  if (Rolled) begin : gen_rolled
    array_ws_rolled #(.OperandWidth(OperandWidth), .Rows(Rows), .Cols(Cols)) u_array (
      .clk_i,
      .rst_ni,
      .acc_format_i,
      .act_ctrl_i,
      .act_i,
      .weight_ctrl_i,
      .weight_i,
      .valid_o,
      .psum_o,
      .overflow_o
    );
  end else begin : gen_structural
    array_ws #(.OperandWidth(OperandWidth), .Rows(Rows), .Cols(Cols)) u_array (
      .clk_i,
      .rst_ni,
      .acc_format_i,
      .act_ctrl_i,
      .act_i,
      .weight_ctrl_i,
      .weight_i,
      .valid_o,
      .psum_o,
      .overflow_o
    );
  end

endmodule
