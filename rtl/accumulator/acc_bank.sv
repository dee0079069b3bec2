// SPDX-License-Identifier: Apache-2.0
`include "bitpulse_types.svh"

/// Accumulator memory below Cols columns of an array: 2^AddrWidth words of each.
///
/// acc_ctrl_i comes in the cycle in which column 0 has its sum and reaches column j, as the sums do, j
/// cycles later, as far as its count says. Where it is valid the word at its address becomes psum_i,
/// shifted and fitted to the accumulator format, or with `accumulate` the fitted sum of both; from the
/// next cycle on sum_o shows what was written, overflow_o how many overflows it came with: overflow_i
/// and those of the shift and the addition here. acc_ctrl_o continues in the bank of the next columns.
/// While enable_i is low all this stands still. word_o holds the words at read_addr_i after read_i.
///
/// One loop per step of the cycle over all columns, as in the rolled arrays.
module acc_bank #(
  parameter int Cols      = 16,
  parameter int AddrWidth = 12  // 1 .. 15
) (
  input  logic               clk_i,
  input  logic               rst_ni,
  input  logic               enable_i,
  input  acc_format_t        acc_format_i,
  input  acc_ctrl_t          acc_ctrl_i,
  output acc_ctrl_t          acc_ctrl_o,
  input  logic [Cols*32-1:0] psum_i,
  input  logic [Cols*32-1:0] overflow_i,
  output logic [Cols*32-1:0] sum_o,
  output logic [Cols*32-1:0] overflow_o,
  input  logic               read_i,
  input  logic [14:0]        read_addr_i,
  output logic [Cols*32-1:0] word_o
);

  `BITPULSE_CHECK(AddrWidth >= 1 && AddrWidth <= 15, "AddrWidth must be 1 .. 15")

  localparam int AddrMask = (1 << AddrWidth) - 1;

  logic [31:0] memory_q[1<<AddrWidth][Cols];
  logic [31:0] ctrl_q[Cols];  // acc_ctrl_t, as it is at each column
  logic [31:0] sum_q[Cols], overflow_q[Cols], word_q[Cols];

  // Inputs column by column, and results within a cycle.
  logic [31:0] psum[Cols], array_overflow[Cols];
  logic [31:0] ctrl_next[Cols], overflow[Cols], word[Cols], term[Cols], exact[Cols], carry[Cols], over[Cols];
  logic [63:0] shifted[Cols];
  logic [31:0] limit, field, shifts;  // -limit .. limit - 1 in the bits of `field`

  assign limit = 32'd1 << (acc_format_i.bits - 6'd1);
  assign field = limit | (limit - 32'd1);

  for (genvar j = 0; j < Cols; j++) begin : gen_inputs
    assign psum[j]           = psum_i[j*32 +: 32];
    assign array_overflow[j] = overflow_i[j*32 +: 32];
  end

  // ctrl[31] valid, [30] accumulate, [29:25] shift, [24:15] count, [14:0] addr
  function automatic logic [31:0] next_column(input logic [31:0] ctrl);
    next_column = {ctrl[31] && ctrl[24:15] != 10'd0, ctrl[30:25], ctrl[24:15] - 10'd1, ctrl[14:0]};
  endfunction

  // verilator lint_off BLKSEQ
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      for (int unsigned j = 0; j < Cols; j++) ctrl_q[j] = '0;
      for (int unsigned j = 0; j < Cols; j++) sum_q[j] = '0;
      for (int unsigned j = 0; j < Cols; j++) overflow_q[j] = '0;
      for (int unsigned j = 0; j < Cols; j++) word_q[j] = '0;
    end else begin
      if (enable_i) begin
        for (int unsigned j = 0; j < Cols; j++) ctrl_next[j] = next_column(ctrl_q[j]);
        for (int unsigned j = 1; j < Cols; j++) ctrl_q[j] = ctrl_next[j-1];
        ctrl_q[0] = acc_ctrl_i;

        for (int unsigned j = 0; j < Cols; j++) begin
          word[j] = memory_q[ctrl_q[j] & AddrMask][j] & (32'd0 - ((ctrl_q[j] >> 30) & 32'd1));
        end

        // Sums of digit passes are shifted, and fitted, first.
        shifts = '0;
        for (int unsigned j = 0; j < Cols; j++) shifts |= ctrl_q[j];
        for (int unsigned j = 0; j < Cols; j++) term[j] = psum[j];
        for (int unsigned j = 0; j < Cols; j++) overflow[j] = array_overflow[j];
        if (shifts[29:25] != 5'd0) begin
          for (int unsigned j = 0; j < Cols; j++) begin
            shifted[j] = {{32{psum[j][31]}}, psum[j]} << ((ctrl_q[j] >> 25) & 32'd31);
          end
          for (int unsigned j = 0; j < Cols; j++) begin
            over[j] = 32'(((shifted[j] + {32'd0, limit}) & ~{32'd0, field}) != 64'd0 && ctrl_q[j][29:25] != 5'd0);
          end
          for (int unsigned j = 0; j < Cols; j++) begin
            if (ctrl_q[j][29:25] != 5'd0) begin
              term[j] = (over[j] != 0 && acc_format_i.saturate)
                  ? (limit - 32'd1) ^ (32'd0 - (psum[j] >> 31))
                  : ((shifted[j][31:0] + limit) & field) - limit;
            end
          end
          for (int unsigned j = 0; j < Cols; j++) overflow[j] += over[j];
        end

        for (int unsigned j = 0; j < Cols; j++) exact[j] = word[j] + term[j];
        for (int unsigned j = 0; j < Cols; j++) begin
          carry[j] = ((word[j] ^ exact[j]) & (term[j] ^ exact[j])) >> 31;
        end
        for (int unsigned j = 0; j < Cols; j++) begin
          over[j] = 32'(((exact[j] + limit) & ~field) != 0) | carry[j];
        end
        for (int unsigned j = 0; j < Cols; j++) begin
          exact[j] = (over[j] != 0 && acc_format_i.saturate)
              ? (limit - 32'd1) ^ (32'd0 - ((exact[j] >> 31) ^ carry[j]))
              : ((exact[j] + limit) & field) - limit;
        end

        for (int unsigned j = 0; j < Cols; j++) begin
          if (ctrl_q[j][31]) memory_q[ctrl_q[j] & AddrMask][j] = exact[j];
        end
        for (int unsigned j = 0; j < Cols; j++) sum_q[j] = ctrl_q[j][31] ? exact[j] : sum_q[j];
        for (int unsigned j = 0; j < Cols; j++) begin
          overflow_q[j] = ctrl_q[j][31] ? overflow[j] + over[j] : overflow_q[j];
        end
      end
      if (read_i) begin
        for (int unsigned j = 0; j < Cols; j++) begin
          word_q[j] = memory_q[{17'd0, read_addr_i} & AddrMask][j];
        end
      end
    end
  end
  // verilator lint_on BLKSEQ

  assign acc_ctrl_o = next_column(ctrl_q[Cols-1]);
  for (genvar j = 0; j < Cols; j++) begin : gen_outputs
    assign sum_o[j*32 +: 32]      = sum_q[j];
    assign overflow_o[j*32 +: 32] = overflow_q[j];
    assign word_o[j*32 +: 32]     = word_q[j];
  end

endmodule
