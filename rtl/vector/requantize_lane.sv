// SPDX-License-Identifier: Apache-2.0
`include "bitpulse_types.svh"

/// One pass of the vector unit over one element, combinational:
///
///   value  = saturate32(value_i + addend_i)
///   term   = value * m_i, or value * m_negative_i where leaky_i and value * m_i < 0
///   code_o = clamp(round((term + other_i * other_m_i) / 2^shift_i), min_i, max_i)
///
/// addend_i is the bias, or the other branch of a 16-bit residual stream; other_i and other_m_i are
/// the identity of a low-bit residual (else zero). copy_i takes value itself for the rounded term.
/// |m_i| < 2^31, shift_i <= 62; ties as in rounding_e. saturated_o: the addition left 32 bits;
/// clamped_o: the code is not the rounded term.
module requantize_lane (
  input  logic signed [31:0] value_i,
  input  logic signed [31:0] addend_i,
  input  logic               copy_i,
  input  logic signed [31:0] m_i,
  input  logic               leaky_i,
  input  logic signed [31:0] m_negative_i,
  input  logic signed [16:0] other_i,
  input  logic signed [31:0] other_m_i,
  input  logic        [5:0]  shift_i,
  input  rounding_e          rounding_i,
  input  logic signed [31:0] min_i,
  input  logic signed [31:0] max_i,
  output logic signed [31:0] code_o,
  output logic               saturated_o,
  output logic               clamped_o
);

  logic signed [32:0] sum;
  logic signed [31:0] value;
  logic signed [63:0] term_positive, term, quotient, rounded;
  logic        [63:0] half, below;
  logic               tie_up, round_up;

  assign sum         = 33'(value_i) + 33'(addend_i);
  assign saturated_o = sum[32] != sum[31];
  assign value       = saturated_o ? {sum[32], {31{!sum[32]}}} : sum[31:0];

  assign term_positive = 64'(value) * 64'(m_i);
  assign term = ((leaky_i && term_positive[63]) ? 64'(value) * 64'(m_negative_i) : term_positive)
      + 64'(other_i) * 64'(other_m_i);

  // Of the bits that the shift takes away: `half` is the value of the first of them.
  assign half     = (shift_i == 6'd0) ? 64'd0 : 64'd1 << (shift_i - 6'd1);
  assign below    = half - 64'd1;
  assign quotient = term >>> shift_i;

  always_comb begin
    case (rounding_i)
      HalfEven: tie_up = quotient[0];
      HalfAway: tie_up = !term[63];
      default:  tie_up = 1'b1;
    endcase
  end

  assign round_up = (term & half) != 64'd0 && (tie_up || (term & below) != 64'd0);
  assign rounded  = copy_i ? 64'(value) : quotient + {63'd0, round_up};

  always_comb begin
    code_o = rounded[31:0];
    if (rounded < 64'(min_i)) code_o = min_i;
    else if (rounded > 64'(max_i)) code_o = max_i;
  end

  assign clamped_o = 64'(code_o) != rounded;

endmodule
