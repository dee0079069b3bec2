// SPDX-License-Identifier: Apache-2.0
`include "bitpulse_types.svh"

/// Replays vectors on mac: one line of +vectors=FILE each, {acc_format, shift, act_format, act, weight_format,
/// weight, psum, expected sum, expected overflow}.
module mac_replay;

  parameter int OperandWidth = 8;
  parameter int Vectors      = 1;
  localparam int Width       = 7 + 5 + 2 * (3 + OperandWidth) + 32 + 32 + 2;

  logic        [Width-1:0]        vectors[0:Vectors-1];
  logic        [6:0]              acc_format;
  logic        [4:0]              shift;
  logic        [2:0]              act_format, weight_format;
  logic        [OperandWidth-1:0] act, weight;
  logic signed [31:0]             psum, sum, expected_sum;
  logic        [1:0]              overflow, expected_overflow;
  logic        [8*256-1:0]        path;
  integer                         mismatches;

  mac #(.OperandWidth(OperandWidth)) u_mac (
    .acc_format_i   (acc_format),
    .shift_i        (shift),
    .act_format_i   (act_format),
    .act_i          (act),
    .weight_format_i(weight_format),
    .weight_i       (weight),
    .psum_i         (psum),
    .sum_o          (sum),
    .overflow_o     (overflow)
  );

  initial begin
    if (!$value$plusargs("vectors=%s", path)) $finish;
    $readmemh(path, vectors);
    mismatches = 0;
    for (int n = 0; n < Vectors; n++) begin
      {acc_format, shift, act_format, act, weight_format, weight, psum, expected_sum,
       expected_overflow} = vectors[n];
      #1;
      if (sum !== expected_sum || overflow !== expected_overflow) begin
        mismatches = mismatches + 1;
        if ($test$plusargs("stop")) n = Vectors;  // the first is enough
        if (mismatches < 10) $display("vector %0d: sum %0d overflow %0d", n, sum, overflow);
      end
    end
    $display("%0d vectors, %0d mismatches", Vectors, mismatches);
    $finish;
  end

endmodule
