// SPDX-License-Identifier: Apache-2.0
`include "bitpulse_types.svh"

/// array_ws, made of the mutated netlist; +mutant=N chooses the mutation, 0 none.
module array_ws #(
  parameter int OperandWidth = 8,
  parameter int Rows         = 4,
  parameter int Cols         = 4,
  parameter int AccWidth     = 32
) (
  input  logic                         clk_i,
  input  logic                         rst_ni,
  input  acc_format_t                  acc_format_i,
  input  act_ctrl_t                    act_ctrl_i,
  input  logic [Rows*OperandWidth-1:0] act_i,
  input  weight_ctrl_t                 weight_ctrl_i,
  input  logic [Cols*OperandWidth-1:0] weight_i,
  output logic [Cols-1:0]              valid_o,
  output logic [Cols*AccWidth-1:0]     psum_o,
  output logic [Cols*32-1:0]           overflow_o
);

  logic [9:0] mutation;
  initial if (!$value$plusargs("mutant=%d", mutation)) mutation = 10'd0;

  mutant u_mutant (
    .mutation,
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

endmodule
