// SPDX-License-Identifier: Apache-2.0

/// Delays a word by Depth cycles; Depth 0 is a wire.
module delay #(
  parameter int Width = 8,
  parameter int Depth = 1
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic [Width-1:0] data_i,
  output logic [Width-1:0] data_o
);

  if (Depth == 0) begin : gen_wire
    logic unused_clock;
    assign unused_clock = clk_i ^ rst_ni;
    assign data_o       = data_i;
  end else begin : gen_registers
    logic [Depth*Width-1:0] data_q;

    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) data_q <= '0;
      else data_q <= (Depth * Width)'({data_q, data_i});
    end

    assign data_o = data_q[Depth*Width-1 -: Width];
  end

endmodule
