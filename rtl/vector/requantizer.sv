// SPDX-License-Identifier: Apache-2.0
`include "bitpulse_types.svh"

/// Lanes of requantize_lane with a register behind them: codes of the elements that enter in cycle t
/// stand at the outputs in cycle t + 1, with valid_o. Lane l has the bits [l*32 +: 32] (and likewise)
/// of the wide ports; rounding, clamp and the kind of pass are common to all lanes.
module requantizer #(
  parameter int Lanes = 16
) (
  input  logic                clk_i,
  input  logic                rst_ni,
  input  logic                valid_i,
  input  logic                copy_i,
  input  logic                leaky_i,
  input  rounding_e           rounding_i,
  input  logic signed [31:0]  min_i,
  input  logic signed [31:0]  max_i,
  input  logic [Lanes*32-1:0] value_i,
  input  logic [Lanes*32-1:0] addend_i,
  input  logic [Lanes*32-1:0] m_i,
  input  logic [Lanes*32-1:0] m_negative_i,
  input  logic [Lanes*32-1:0] other_i,       // the low 17 bits of each
  input  logic [Lanes*32-1:0] other_m_i,
  input  logic [Lanes*8-1:0]  shift_i,       // the low 6 bits of each
  output logic                valid_o,
  output logic [Lanes*32-1:0] code_o,
  output logic [Lanes-1:0]    saturated_o,
  output logic [Lanes-1:0]    clamped_o
);

  logic [Lanes*32-1:0] code;
  logic [Lanes-1:0]    saturated, clamped;

  for (genvar l = 0; l < Lanes; l++) begin : gen_lane
    requantize_lane u_lane (
      .value_i     (value_i[l*32 +: 32]),
      .addend_i    (addend_i[l*32 +: 32]),
      .copy_i,
      .m_i         (m_i[l*32 +: 32]),
      .leaky_i,
      .m_negative_i(m_negative_i[l*32 +: 32]),
      .other_i     (other_i[l*32 +: 17]),
      .other_m_i   (other_m_i[l*32 +: 32]),
      .shift_i     (shift_i[l*8 +: 6]),
      .rounding_i,
      .min_i,
      .max_i,
      .code_o      (code[l*32 +: 32]),
      .saturated_o (saturated[l]),
      .clamped_o   (clamped[l])
    );

    logic unused_bits;
    assign unused_bits = ^{other_i[l*32+17 +: 15], shift_i[l*8+6 +: 2]};
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      valid_o     <= 1'b0;
      code_o      <= '0;
      saturated_o <= '0;
      clamped_o   <= '0;
    end else begin
      valid_o <= valid_i;
      if (valid_i) begin
        code_o      <= code;
        saturated_o <= saturated;
        clamped_o   <= clamped;
      end
    end
  end

endmodule
