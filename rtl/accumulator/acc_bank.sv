// SPDX-License-Identifier: Apache-2.0
`include "bitpulse_types.svh"

/// Accumulator memory below an array: one acc_lane per column. acc_ctrl_i comes in the cycle in which
/// column 0 has its sum and reaches column j, as the sums do, j cycles later.
module acc_bank #(
  parameter int Cols      = 16,
  parameter int AddrWidth = 12
) (
  input  logic               clk_i,
  input  logic               rst_ni,
  input  acc_format_t        acc_format_i,
  input  acc_ctrl_t          acc_ctrl_i,
  input  logic [Cols*32-1:0] psum_i,
  input  logic [Cols*32-1:0] overflow_i,
  input  logic               read_i,
  input  logic [14:0]        read_addr_i,
  output logic [Cols*32-1:0] sum_o,
  output logic [Cols*32-1:0] events_o
);

  logic [`ACC_CTRL_WIDTH-1:0] acc_ctrl[Cols+1];

  assign acc_ctrl[0] = acc_ctrl_i;

  for (genvar j = 0; j < Cols; j++) begin : gen_lane
    acc_lane #(.AddrWidth(AddrWidth)) u_lane (
      .clk_i,
      .rst_ni,
      .acc_format_i,
      .acc_ctrl_i(acc_ctrl[j]),
      .acc_ctrl_o(acc_ctrl[j+1]),
      .psum_i    (psum_i[j*32 +: 32]),
      .overflow_i(overflow_i[j*32 +: 32]),
      .read_i,
      .read_addr_i,
      .sum_o     (sum_o[j*32 +: 32]),
      .events_o  (events_o[j*32 +: 32])
    );
  end

  logic unused_ctrl;
  assign unused_ctrl = ^acc_ctrl[Cols];

endmodule
