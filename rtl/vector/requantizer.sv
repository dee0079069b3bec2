// SPDX-License-Identifier: Apache-2.0
`include "bitpulse_types.svh"

/// Lanes of the vector unit; each makes one pass over one element per cycle:
///
///   value   = feedback ? kept : value_i
///   operand = maximum ? max(value, addend_i) : saturate32(value + addend_i)
///   term    = operand * m_i, or operand * m_negative_i where leaky and operand * m_i < 0;
///             low_bit adds other_i * other_m_i
///   code    = clamp(round(term / 2^shift_i), min_i, max_i)
///   result  = code, or with branch code + clip16(round(other_i * other_m_i / 2^other_shift_i))
///
/// addend_i is the bias, or a window's next element; kept is what `keep` has kept of an earlier pass:
/// nothing new, its operand or its result. |m_i| < 2^31, shifts up to 62; ties as in rounding_e. Inputs
/// enter registers first: results of those of cycle t stand in cycle t + 2, with valid_o where they
/// `emit`. Beside them stand how many lanes saturated an addition, clamped a code or clipped another
/// operand, had an operand above or below 16 bits.
///
/// One loop per step of the pass over all lanes, as in the rolled arrays; lane l has the bits [l*32 +: 32]
/// of the wide ports (of shifts the low 6 are used, of other_i the low 17).
module requantizer #(
  parameter int Lanes = 16
) (
  input  logic                clk_i,
  input  logic                rst_ni,
  input  lane_ctrl_t          ctrl_i,
  input  logic [31:0]         min_i,
  input  logic [31:0]         max_i,
  input  logic [Lanes*32-1:0] value_i,
  input  logic [Lanes*32-1:0] addend_i,
  input  logic [Lanes*32-1:0] m_i,
  input  logic [Lanes*32-1:0] m_negative_i,
  input  logic [Lanes*32-1:0] shift_i,
  input  logic [Lanes*32-1:0] other_i,
  input  logic [Lanes*32-1:0] other_m_i,
  input  logic [Lanes*32-1:0] other_shift_i,
  output logic                valid_o,
  output logic [Lanes*32-1:0] code_o,
  output logic [31:0]         saturated_o,
  output logic [31:0]         clamped_o,
  output logic [31:0]         above_o,
  output logic [31:0]         below_o
);

  // Operand registers, and the same lane by lane.
  lane_ctrl_t          ctrl_q;
  logic signed [31:0]  min_q, max_q;
  logic [Lanes*32-1:0] value_q, addend_q, m_q, m_negative_q, shift_q, other_q, other_m_q, other_shift_q;
  logic signed [31:0]  value_in[Lanes], addend[Lanes], m[Lanes], m_negative[Lanes], other[Lanes];
  logic signed [31:0]  other_m[Lanes];
  logic        [63:0]  shift[Lanes], other_shift[Lanes];

  // Result registers.
  logic               valid_q;
  logic signed [31:0] kept_q[Lanes], result_q[Lanes];
  logic        [31:0] saturated_q, clamped_q, above_q, below_q;

  // Results within a cycle.
  logic signed [31:0] value[Lanes], sum[Lanes], operand[Lanes], over[Lanes];
  logic signed [63:0] term[Lanes], rounded[Lanes], code[Lanes], min, max;
  logic signed [63:0] other_term[Lanes], other_rounded[Lanes], other_code[Lanes];
  logic        [63:0] away, even;

  // round(exact / 2^by). Half up adds half and floors. Half away adds one less where the term is negative,
  // half even where the floor is even, so that a tie does not reach the next integer. Floors are those of
  // unsigned numbers, `Lowest` above.
  localparam logic [63:0] Lowest = 64'd1 << 63;
  function automatic logic [63:0] round(input logic [63:0] exact, input logic [63:0] by,
                                        input logic [63:0] if_away, input logic [63:0] if_even);
    round = ((exact + ((64'd1 << by[5:0]) >> 1) - (((if_away & (exact >> 63)) | (if_even & ~(exact >> by[5:0])))
        & {63'd0, by != 64'd0}) + Lowest) >> by[5:0]) - (Lowest >> by[5:0]);
  endfunction

  for (genvar l = 0; l < Lanes; l++) begin : gen_lane
    assign value_in[l]        = value_q[l*32 +: 32];
    assign addend[l]          = addend_q[l*32 +: 32];
    assign m[l]               = m_q[l*32 +: 32];
    assign m_negative[l]      = m_negative_q[l*32 +: 32];
    assign shift[l]           = {58'd0, shift_q[l*32 +: 6]};
    assign other[l]           = {{15{other_q[l*32+16]}}, other_q[l*32 +: 17]};
    assign other_m[l]         = other_m_q[l*32 +: 32];
    assign other_shift[l]     = {58'd0, other_shift_q[l*32 +: 6]};
    assign code_o[l*32 +: 32] = result_q[l];

    logic unused_bits;
    assign unused_bits = ^{shift_q[l*32+6 +: 26], other_q[l*32+17 +: 15], other_shift_q[l*32+6 +: 26],
                           code[l][63:32], other_code[l][63:32]};
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) ctrl_q <= '0;
    else ctrl_q <= ctrl_i;
  end

  always_ff @(posedge clk_i) begin
    if (ctrl_i.valid) begin
      min_q    <= min_i;
      max_q    <= max_i;
      value_q  <= value_i;
      addend_q <= addend_i;
      m_q      <= m_i;
      shift_q  <= shift_i;
      if (ctrl_i.leaky) m_negative_q <= m_negative_i;
      if (ctrl_i.low_bit || ctrl_i.branch) begin
        other_q       <= other_i;
        other_m_q     <= other_m_i;
        other_shift_q <= other_shift_i;
      end
    end
  end

  assign min  = 64'(min_q);
  assign max  = 64'(max_q);
  assign away = {63'd0, ctrl_q.rounding == HalfAway};
  assign even = {63'd0, ctrl_q.rounding == HalfEven};

  // verilator lint_off BLKSEQ
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      valid_q     = '0;
      saturated_q = '0;
      clamped_q   = '0;
      above_q     = '0;
      below_q     = '0;
      for (int unsigned l = 0; l < Lanes; l++) kept_q[l] = '0;
      for (int unsigned l = 0; l < Lanes; l++) result_q[l] = '0;
    end else begin
      valid_q = ctrl_q.valid && ctrl_q.emit;
      if (ctrl_q.valid) begin
        saturated_q = '0;
        clamped_q   = '0;
        above_q     = '0;
        below_q     = '0;

        for (int unsigned l = 0; l < Lanes; l++) value[l] = ctrl_q.feedback ? kept_q[l] : value_in[l];
        if (ctrl_q.maximum) begin
          for (int unsigned l = 0; l < Lanes; l++) begin
            operand[l] = value[l] > addend[l] ? value[l] : addend[l];
          end
        end else begin
          for (int unsigned l = 0; l < Lanes; l++) sum[l] = value[l] + addend[l];
          for (int unsigned l = 0; l < Lanes; l++) begin  // all ones where the signs say so
            over[l] = ((value[l] ^ sum[l]) & (addend[l] ^ sum[l])) >>> 31;
          end
          for (int unsigned l = 0; l < Lanes; l++) begin
            operand[l] = over[l] != 0 ? (value[l] >>> 31) ^ 32'sh7fffffff : sum[l];
          end
          for (int unsigned l = 0; l < Lanes; l++) saturated_q -= over[l];
        end
        for (int unsigned l = 0; l < Lanes; l++) above_q += 32'(operand[l] > 32'sd32767);
        for (int unsigned l = 0; l < Lanes; l++) below_q += 32'(operand[l] < -32'sd32768);

        for (int unsigned l = 0; l < Lanes; l++) term[l] = 64'(operand[l]) * 64'(m[l]);
        if (ctrl_q.leaky) begin
          for (int unsigned l = 0; l < Lanes; l++) begin
            term[l] = term[l] < 0 ? 64'(operand[l]) * 64'(m_negative[l]) : term[l];
          end
        end
        if (ctrl_q.low_bit) begin
          for (int unsigned l = 0; l < Lanes; l++) term[l] += 64'(other[l]) * 64'(other_m[l]);
        end
        for (int unsigned l = 0; l < Lanes; l++) rounded[l] = round(term[l], shift[l], away, even);
        for (int unsigned l = 0; l < Lanes; l++) code[l] = rounded[l] < min ? min : rounded[l];
        for (int unsigned l = 0; l < Lanes; l++) code[l] = code[l] > max ? max : code[l];
        for (int unsigned l = 0; l < Lanes; l++) clamped_q += 32'(code[l] != rounded[l]);
        for (int unsigned l = 0; l < Lanes; l++) result_q[l] = code[l][31:0];

        if (ctrl_q.branch) begin
          for (int unsigned l = 0; l < Lanes; l++) other_term[l] = 64'(other[l]) * 64'(other_m[l]);
          for (int unsigned l = 0; l < Lanes; l++) begin
            other_rounded[l] = round(other_term[l], other_shift[l], away, even);
          end
          for (int unsigned l = 0; l < Lanes; l++) begin
            other_code[l] = other_rounded[l] < -64'sd32768 ? -64'sd32768 : other_rounded[l];
          end
          for (int unsigned l = 0; l < Lanes; l++) begin
            other_code[l] = other_code[l] > 64'sd32767 ? 64'sd32767 : other_code[l];
          end
          for (int unsigned l = 0; l < Lanes; l++) clamped_q += 32'(other_code[l] != other_rounded[l]);
          for (int unsigned l = 0; l < Lanes; l++) result_q[l] += other_code[l][31:0];
        end

        if (ctrl_q.keep == KeepOperand) begin
          for (int unsigned l = 0; l < Lanes; l++) kept_q[l] = operand[l];
        end
        if (ctrl_q.keep == KeepResult) begin
          for (int unsigned l = 0; l < Lanes; l++) kept_q[l] = result_q[l];
        end
      end
    end
  end
  // verilator lint_on BLKSEQ

  assign valid_o     = valid_q;
  assign saturated_o = saturated_q;
  assign clamped_o   = clamped_q;
  assign above_o     = above_q;
  assign below_o     = below_q;

endmodule
