// SPDX-License-Identifier: Apache-2.0

/// Replays vectors on a device: one line of +vectors=FILE per clock cycle, {reset, inputs, outputs
/// after the edge}; with +stop to the first mismatch. With the macro MUTANTS the device is a netlist
/// with many faults in it, of which +mutant=N puts one in force (0: none).
module replay;

  parameter int Vectors       = 1;
  parameter int InWidth       = 1;
  parameter int OutWidth      = 1;
  // Of the device:
  parameter     Kind          = "mac";
  parameter int OperandWidth  = 8;
  parameter int Rows          = 1;
  parameter int Cols          = 1;
  parameter int OverflowWidth = 32;
  parameter int Rolled        = 0;

  logic [InWidth+OutWidth:0] vectors[0:Vectors-1];
  logic [InWidth-1:0]        inputs;
  logic [OutWidth-1:0]       outputs, expected;
  logic                      clk, reset;
  logic [8*256-1:0]          path;
  int                        mismatches;

`ifdef MUTANTS
  logic [15:0] mutant;
  initial if ($value$plusargs("mutant=%d", mutant) == 0) mutant = 16'd0;

  mutated_device u_device (
    .mutant(mutant),
`else
  device #(
    .Kind         (Kind),
    .InWidth      (InWidth),
    .OutWidth     (OutWidth),
    .OperandWidth (OperandWidth),
    .Rows         (Rows),
    .Cols         (Cols),
    .OverflowWidth(OverflowWidth),
    .Rolled       (Rolled)
  ) u_device (
`endif
    .clk_i (clk),
    .rst_ni(!reset),
    .in_i  (inputs),
    .out_o (outputs)
  );

  initial begin
    if ($value$plusargs("vectors=%s", path) == 0) $finish;
    $readmemh(path, vectors);
    mismatches = 0;
    clk = 1'b0;
    for (int n = 0; n < Vectors; n++) begin
      {reset, inputs, expected} = vectors[n];
      #1 reset = 1'b0;
      #1 clk = 1'b1;
      #1;
      if (outputs !== expected) begin
        mismatches = mismatches + 1;
        if (mismatches < 10) $display("vector %0d: %h, not %h", n, outputs, expected);
        if ($test$plusargs("stop") != 0) n = Vectors;
      end
      clk = 1'b0;
    end
    $display("%0d vectors, %0d mismatches", Vectors, mismatches);
`ifdef VERILATOR
    $c("Verilated::threadContextp()->coveragep()->write();");
`endif
    $finish;
  end

endmodule
