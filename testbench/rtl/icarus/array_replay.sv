// SPDX-License-Identifier: Apache-2.0
`include "bitpulse_types.svh"

/// Replays clock cycles on array_ws or array_os: one line of +vectors=FILE each, {reset, acc_format,
/// act_ctrl, act, weight_ctrl, weight, expected valid, psum and overflow after the edge}.
module array_replay;

  parameter int OutputStationary = 0;
  parameter int OperandWidth     = 8;
  parameter int Rows             = 4;
  parameter int Cols             = 4;
  parameter int Vectors          = 1;
  localparam int Width = 1 + 7 + `ACT_CTRL_WIDTH + Rows * OperandWidth + `WEIGHT_CTRL_WIDTH
      + Cols * OperandWidth + Cols + Cols * 64;

  logic [Width-1:0]              vectors[0:Vectors-1];
  logic                          clk, reset;
  logic [6:0]                    acc_format;
  logic [`ACT_CTRL_WIDTH-1:0]    act_ctrl;
  logic [Rows*OperandWidth-1:0]  act;
  logic [`WEIGHT_CTRL_WIDTH-1:0] weight_ctrl;
  logic [Cols*OperandWidth-1:0]  weight;
  logic [Cols-1:0]               valid, expected_valid;
  logic [Cols*32-1:0]            psum, overflow, expected_psum, expected_overflow;
  logic [8*256-1:0]              path;
  integer                        mismatches;

  if (OutputStationary != 0) begin : gen_os
    array_os #(.OperandWidth(OperandWidth), .Rows(Rows), .Cols(Cols)) u_array (
      .clk_i        (clk),
      .rst_ni       (!reset),
      .acc_format_i (acc_format),
      .act_ctrl_i   (act_ctrl),
      .act_i        (act),
      .weight_ctrl_i(weight_ctrl),
      .weight_i     (weight),
      .valid_o      (valid),
      .psum_o       (psum),
      .overflow_o   (overflow)
    );
  end else begin : gen_ws
    array_ws #(.OperandWidth(OperandWidth), .Rows(Rows), .Cols(Cols)) u_array (
      .clk_i        (clk),
      .rst_ni       (!reset),
      .acc_format_i (acc_format),
      .act_ctrl_i   (act_ctrl),
      .act_i        (act),
      .weight_ctrl_i(weight_ctrl),
      .weight_i     (weight),
      .valid_o      (valid),
      .psum_o       (psum),
      .overflow_o   (overflow)
    );
  end

  initial begin
    if (!$value$plusargs("vectors=%s", path)) $finish;
    $readmemh(path, vectors);
    mismatches = 0;
    clk = 1'b0;
    reset = 1'b1;
    for (int n = 0; n < Vectors; n++) begin
      {reset, acc_format, act_ctrl, act, weight_ctrl, weight, expected_valid, expected_psum,
       expected_overflow} = vectors[n];
      #1 reset = 1'b0;
      #1 clk = 1'b1;
      #1;
      if (valid !== expected_valid || psum !== expected_psum || overflow !== expected_overflow) begin
        mismatches = mismatches + 1;
        if ($test$plusargs("stop")) n = Vectors;  // the first is enough
        if (mismatches < 10) $display("cycle %0d: valid %b psum %h", n, valid, psum);
      end
      clk = 1'b0;
    end
    $display("%0d vectors, %0d mismatches", Vectors, mismatches);
    $finish;
  end

endmodule
