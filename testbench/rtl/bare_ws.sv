// SPDX-License-Identifier: Apache-2.0

/// What a weight-stationary int8 array cannot do without: the yardstick of bench_rtl for the cost of
/// formats, overflow counts, skews and control. Two weight registers per PE, wrapping 32-bit sums, rolled
/// as array_ws_rolled is.
module bare_ws #(
  parameter int Rows = 16,
  parameter int Cols = 16
) (
  input  logic               clk_i,
  input  logic               load_i,  // weights move down by a row
  input  logic               swap_i,  // the second weights become current
  input  logic [Rows*8-1:0]  act_i,
  input  logic [Cols*8-1:0]  weight_i,
  output logic [Cols*32-1:0] psum_o
);

  localparam int Pes = Rows * Cols;

  logic signed [31:0] act_q[Pes], weight_q[Pes], load_q[Pes], psum_q[Pes+Cols];

  // verilator lint_off BLKSEQ
  always_ff @(posedge clk_i) begin
    for (int unsigned k = Pes - 1; k > 0; k--) act_q[k] = act_q[k-1];
    for (int unsigned i = 0; i < Rows; i++) act_q[i*Cols] = 32'($signed(act_i[i*8 +: 8]));
    if (swap_i) for (int unsigned k = 0; k < Pes; k++) weight_q[k] = load_q[k];
    if (load_i) begin
      for (int unsigned k = Pes - 1; k >= Cols && k < Pes; k--) load_q[k] = load_q[k-Cols];
      for (int unsigned j = 0; j < Cols; j++) load_q[j] = 32'($signed(weight_i[j*8 +: 8]));
    end
    for (int unsigned k = Pes - 1; k < Pes; k--) psum_q[k+Cols] = psum_q[k] + act_q[k] * weight_q[k];
  end
  // verilator lint_on BLKSEQ

  for (genvar j = 0; j < Cols; j++) begin : gen_bottom
    assign psum_o[j*32 +: 32] = psum_q[Pes+j];
  end

endmodule
