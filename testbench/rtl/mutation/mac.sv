// SPDX-License-Identifier: Apache-2.0
`include "bitpulse_types.svh"

/// mac, made of the mutated netlist; +mutant=N chooses the mutation, 0 none.
module mac #(
  parameter int OperandWidth = 8,
  parameter int AccWidth     = 32
) (
  input  acc_format_t                    acc_format_i,
  input  logic        [4:0]              shift_i,
  input  format_t                        act_format_i,
  input  logic        [OperandWidth-1:0] act_i,
  input  format_t                        weight_format_i,
  input  logic        [OperandWidth-1:0] weight_i,
  input  logic signed [AccWidth-1:0]     psum_i,
  output logic signed [AccWidth-1:0]     sum_o,
  output logic        [1:0]              overflow_o
);

  logic [9:0] mutation;
  initial if (!$value$plusargs("mutant=%d", mutation)) mutation = 10'd0;

  mutant u_mutant (
    .mutation,
    .acc_format_i,
    .shift_i,
    .act_format_i,
    .act_i,
    .weight_format_i,
    .weight_i,
    .psum_i,
    .sum_o,
    .overflow_o
  );

endmodule
