// SPDX-License-Identifier: Apache-2.0
`include "bitpulse_types.svh"

/// Accumulator memory of one column.
///
/// With acc_ctrl_i.valid the word at its address becomes psum_i, shifted and fitted to the accumulator
/// format, or with `accumulate` the fitted sum of both. Control goes on to the next column as far as
/// its count says. events_o counts, since reset, the overflows that came with the sums taken and those
/// of the shifts and additions here. sum_o holds the word at read_addr_i one cycle after read_i.
module acc_lane #(
  parameter int AddrWidth = 12,  // 2^AddrWidth words; 1 .. 15
  parameter int AccWidth  = 32
) (
  input  logic                       clk_i,
  input  logic                       rst_ni,
  input  acc_format_t                acc_format_i,
  input  acc_ctrl_t                  acc_ctrl_i,
  output acc_ctrl_t                  acc_ctrl_o,
  input  logic signed [AccWidth-1:0] psum_i,
  input  logic        [31:0]         overflow_i,
  input  logic                       read_i,
  input  logic        [14:0]         read_addr_i,
  output logic        [AccWidth-1:0] sum_o,
  output logic        [31:0]         events_o
);

  `BITPULSE_CHECK(AddrWidth >= 1 && AddrWidth <= 15, "AddrWidth must be 1 .. 15")

  logic        [AccWidth-1:0] memory_q[1<<AddrWidth];
  logic signed [AccWidth-1:0] sum;
  logic        [1:0]          overflow;

  mac_accumulate #(.ProductWidth(AccWidth), .AccWidth(AccWidth)) u_accumulate (
    .acc_format_i,
    .shift_i   (acc_ctrl_i.shift),
    .product_i (psum_i),
    .psum_i    (acc_ctrl_i.accumulate ? memory_q[acc_ctrl_i.addr[AddrWidth-1:0]] : '0),
    .sum_o     (sum),
    .overflow_o(overflow)
  );

  logic unused_addr;
  assign unused_addr = ^{acc_ctrl_i.addr, read_addr_i};

  always_ff @(posedge clk_i) begin
    if (acc_ctrl_i.valid) memory_q[acc_ctrl_i.addr[AddrWidth-1:0]] <= sum;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      acc_ctrl_o <= '0;
      sum_o      <= '0;
      events_o   <= '0;
    end else begin
      acc_ctrl_o       <= acc_ctrl_i;
      acc_ctrl_o.valid <= acc_ctrl_i.valid && acc_ctrl_i.count != 10'd0;
      acc_ctrl_o.count <= acc_ctrl_i.count - 10'd1;
      if (acc_ctrl_i.valid) events_o <= events_o + overflow_i + {30'd0, overflow};
      if (read_i) sum_o <= memory_q[read_addr_i[AddrWidth-1:0]];
    end
  end

endmodule
