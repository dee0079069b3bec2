// SPDX-License-Identifier: Apache-2.0
`include "bitpulse_types.svh"

/// The same array as array_os, written for simulation in the manner of array_ws_rolled: the registers
/// of all PEs in flat arrays, one loop per step of the cycle over all PEs k = row * Cols + col,
/// registers written in place in an order in which each loop still reads old values. A drained sum
/// enters PE k at drain_q[k] and leaves it at drain_q[k+Cols].
module array_os_rolled #(
  parameter int OperandWidth = 8,
  parameter int Rows         = 4,
  parameter int Cols         = 4
) (
  input  logic                         clk_i,
  input  logic                         rst_ni,
  input  acc_format_t                  acc_format_i,
  input  act_ctrl_t                    act_ctrl_i,
  input  logic [Rows*OperandWidth-1:0] act_i,
  input  weight_ctrl_t                 weight_ctrl_i,
  input  logic [Cols*OperandWidth-1:0] weight_i,
  output logic [Cols-1:0]              valid_o,
  output logic [Cols*32-1:0]           psum_o,
  output logic [Cols*32-1:0]           overflow_o
);

  localparam int Pes      = Rows * Cols;
  localparam int RowSlots = 1 << $clog2(Rows);
  localparam int ColSlots = 1 << $clog2(Cols);
  localparam bit Fused    = OperandWidth == 32;
  localparam int InFlight = Rows + Cols;             // cycles after which a wave has left the array
  localparam int Draining = 2 * Rows + Cols + 1;     // ... after which all it captured has left

  // Edges: inputs of the last cycles, this one's at slot time_q.
  logic [31:0]  time_q;
  logic [31:0]  act_history_q        [RowSlots*Rows];
  logic [9:0]   act_ctrl_history_q   [RowSlots];
  logic [31:0]  weight_history_q     [ColSlots*Cols];
  logic [13:0]  weight_ctrl_history_q[ColSlots];
  logic [31:0]  shift_live_q, drain_live_q, act_width_live[3], weight_width_live[3];

  // PEs. ctrl_q: {shift, first, valid}; capture_q: {count, valid}.
  logic [31:0] act_q   [Pes], act_width_q   [Pes], act_signed_q   [Pes], ctrl_q   [Pes];
  logic [31:0] weight_q[Pes], weight_width_q[Pes], weight_signed_q[Pes], capture_q[Pes];
  logic [31:0] sum_q   [Pes], sum_overflow_q[Pes], hold_q[Pes];
  logic [31:0] drain_q [Pes+Cols], drain_overflow_q[Pes+Cols], drain_valid_q[Pes+Cols];

  // Results within a cycle.
  logic [31:0]  dot[Pes], product[Pes], base[Pes], exact[Pes], over[Pes], shift_over[Pes];
  logic [63:0]  shifted[Pes];
  logic [31:0]  limit, field;  // accumulator format: -limit .. limit - 1 in the bits of `field`
  logic [31:0]  slot, sign;
  act_ctrl_t    act_entering;
  weight_ctrl_t weight_entering;

  assign limit = 32'd1 << (acc_format_i.bits - 6'd1);
  assign field = limit | (limit - 32'd1);

  // verilator lint_off BLKSEQ
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      time_q       = '0;
      shift_live_q = '0;
      drain_live_q = '0;
      for (int unsigned n = 0; n < RowSlots * Rows; n++) act_history_q[n] = '0;
      for (int unsigned n = 0; n < RowSlots; n++) act_ctrl_history_q[n] = '0;
      for (int unsigned n = 0; n < ColSlots * Cols; n++) weight_history_q[n] = '0;
      for (int unsigned n = 0; n < ColSlots; n++) weight_ctrl_history_q[n] = '0;
      for (int unsigned n = 0; n < 3; n++) act_width_live[n] = (n == 0) ? InFlight : 32'd0;
      for (int unsigned n = 0; n < 3; n++) weight_width_live[n] = (n == 0) ? InFlight : 32'd0;
      for (int unsigned k = 0; k < Pes; k++) act_q[k] = '0;
      for (int unsigned k = 0; k < Pes; k++) act_width_q[k] = '0;
      for (int unsigned k = 0; k < Pes; k++) act_signed_q[k] = '0;
      for (int unsigned k = 0; k < Pes; k++) ctrl_q[k] = '0;
      for (int unsigned k = 0; k < Pes; k++) weight_q[k] = '0;
      for (int unsigned k = 0; k < Pes; k++) weight_width_q[k] = '0;
      for (int unsigned k = 0; k < Pes; k++) weight_signed_q[k] = '0;
      for (int unsigned k = 0; k < Pes; k++) capture_q[k] = '0;
      for (int unsigned k = 0; k < Pes; k++) sum_q[k] = '0;
      for (int unsigned k = 0; k < Pes; k++) sum_overflow_q[k] = '0;
      for (int unsigned k = 0; k < Pes; k++) hold_q[k] = '0;
      for (int unsigned k = 0; k < Pes; k++) shift_over[k] = '0;
      for (int unsigned k = 0; k < Pes + Cols; k++) drain_q[k] = '0;
      for (int unsigned k = 0; k < Pes + Cols; k++) drain_overflow_q[k] = '0;
      for (int unsigned k = 0; k < Pes + Cols; k++) drain_valid_q[k] = '0;
    end else begin
      // Edge inputs enter their histories, fixed operands sign-extended.
      slot = time_q & (RowSlots - 1);
      sign = Fused ? 32'd0 : {31'd0, act_ctrl_i.format.is_signed} << (OperandWidth - 1);
      act_ctrl_history_q[slot] = act_ctrl_i;
      for (int unsigned i = 0; i < Rows; i++) begin
        act_history_q[slot*Rows+i] = (32'(act_i[i*OperandWidth +: OperandWidth]) ^ sign) - sign;
      end
      slot = time_q & (ColSlots - 1);
      sign = Fused ? 32'd0 : {31'd0, weight_ctrl_i.format.is_signed} << (OperandWidth - 1);
      weight_ctrl_history_q[slot] = weight_ctrl_i;
      for (int unsigned j = 0; j < Cols; j++) begin
        weight_history_q[slot*Cols+j] = (32'(weight_i[j*OperandWidth +: OperandWidth]) ^ sign) - sign;
      end

      // Activations move right, weights down.
      for (int unsigned k = Pes - 1; k >= 1 && k < Pes; k--) act_q[k] = act_q[k-1];
      for (int unsigned k = Pes - 1; k >= 1 && k < Pes; k--) ctrl_q[k] = ctrl_q[k-1];
      for (int unsigned k = Pes - 1; k >= Cols && k < Pes; k--) weight_q[k] = weight_q[k-Cols];
      if (Fused) begin
        for (int unsigned k = Pes - 1; k >= 1 && k < Pes; k--) act_width_q[k] = act_width_q[k-1];
        for (int unsigned k = Pes - 1; k >= 1 && k < Pes; k--) act_signed_q[k] = act_signed_q[k-1];
        for (int unsigned k = Pes - 1; k >= Cols && k < Pes; k--) weight_width_q[k] = weight_width_q[k-Cols];
        for (int unsigned k = Pes - 1; k >= Cols && k < Pes; k--) weight_signed_q[k] = weight_signed_q[k-Cols];
        for (int unsigned n = 0; n < 3; n++) begin
          if (act_ctrl_i.format.width == 2'(n)) act_width_live[n] = InFlight;
          else if (act_width_live[n] != '0) act_width_live[n] -= 32'd1;
          if (weight_ctrl_i.format.width == 2'(n)) weight_width_live[n] = InFlight;
          else if (weight_width_live[n] != '0) weight_width_live[n] -= 32'd1;
        end
      end
      for (int unsigned i = 0; i < Rows; i++) begin
        slot                 = (time_q - i) & (RowSlots - 1);
        act_entering         = act_ctrl_history_q[slot];
        act_q[i*Cols]        = act_history_q[slot*Rows+i];
        act_width_q[i*Cols]  = {30'd0, act_entering.format.width};
        act_signed_q[i*Cols] = {31'd0, act_entering.format.is_signed};
        ctrl_q[i*Cols]       = {25'd0, act_entering.shift, act_entering.first, act_entering.valid};
      end
      for (int unsigned j = 0; j < Cols; j++) begin
        slot               = (time_q - j) & (ColSlots - 1);
        weight_entering    = weight_ctrl_history_q[slot];
        weight_q[j]        = weight_history_q[slot*Cols+j];
        weight_width_q[j]  = {30'd0, weight_entering.format.width};
        weight_signed_q[j] = {31'd0, weight_entering.format.is_signed};
      end

      // Drain registers take the sums of the last cycle, hold still, or move down.
      if (weight_ctrl_i.valid) drain_live_q = Draining;
      if (drain_live_q != '0) begin
        drain_live_q -= 32'd1;
        for (int unsigned k = Pes - 1; k >= Cols && k < Pes; k--) begin
          capture_q[k] = capture_q[k-Cols] > 32'd1 ? capture_q[k-Cols] - 32'd2 : 32'd0;
        end
        for (int unsigned j = 0; j < Cols; j++) begin
          weight_entering = weight_ctrl_history_q[(time_q - j) & (ColSlots - 1)];
          capture_q[j]    = weight_entering.valid ? {21'd0, weight_entering.count, 1'b1} : 32'd0;
        end
        for (int unsigned k = Pes - 1; k < Pes; k--) begin
          drain_q[k+Cols] = capture_q[k] != 0 ? sum_q[k] : hold_q[k] != 0 ? drain_q[k+Cols] : drain_q[k];
        end
        for (int unsigned k = Pes - 1; k < Pes; k--) begin
          drain_overflow_q[k+Cols] = capture_q[k] != 0 ? sum_overflow_q[k]
              : hold_q[k] != 0 ? drain_overflow_q[k+Cols] : drain_overflow_q[k];
        end
        for (int unsigned k = Pes - 1; k < Pes; k--) begin
          drain_valid_q[k+Cols] = capture_q[k] != 0 ? 32'd1
              : hold_q[k] != 0 ? drain_valid_q[k+Cols] : drain_valid_q[k];
        end
        for (int unsigned k = 0; k < Pes; k++) begin
          hold_q[k] = capture_q[k] != 0 ? capture_q[k] >> 1 : hold_q[k] != 0 ? hold_q[k] - 32'd1 : 32'd0;
        end
      end

      // Multiply.
      `include "array/rolled_dot.svh"

      // Shift, in 64 bits, while any product in flight is shifted.
      if (act_ctrl_i.shift != '0) shift_live_q = InFlight;
      if (shift_live_q != '0) begin
        shift_live_q -= 32'd1;
        for (int unsigned k = 0; k < Pes; k++) begin
          shifted[k] = ({{32{product[k][31]}}, product[k]} << ctrl_q[k][6:2]) + {32'd0, limit};
        end
        for (int unsigned k = 0; k < Pes; k++) begin
          shift_over[k] = 32'(ctrl_q[k][6:2] != 0 && (shifted[k] & ~{32'd0, field}) != 0);
        end
        for (int unsigned k = 0; k < Pes; k++) begin
          product[k] = ctrl_q[k][6:2] == 0 ? product[k]
              : (shift_over[k] != 0 && acc_format_i.saturate)
              ? (limit - 32'd1) ^ (32'd0 - (product[k] >> 31))
              : (shifted[k][31:0] & field) - limit;
        end
      end

      // Add, fit.
      for (int unsigned k = 0; k < Pes; k++) base[k] = ctrl_q[k][1] ? 32'd0 : sum_q[k];
      for (int unsigned k = 0; k < Pes; k++) exact[k] = base[k] + product[k];
      for (int unsigned k = 0; k < Pes; k++) begin
        over[k] = 32'(((exact[k] + limit) & ~field) != 0)
            | (((base[k] ^ exact[k]) & (product[k] ^ exact[k])) >> 31);
      end
      for (int unsigned k = 0; k < Pes; k++) begin
        sum_q[k] = !ctrl_q[k][0] ? sum_q[k]
            : (over[k] != 0 && acc_format_i.saturate)
            ? (limit - 32'd1) ^ (32'd0 - (product[k] >> 31))
            : ((exact[k] + limit) & field) - limit;
      end
      for (int unsigned k = 0; k < Pes; k++) begin
        sum_overflow_q[k] = !ctrl_q[k][0] ? sum_overflow_q[k]
            : (ctrl_q[k][1] ? 32'd0 : sum_overflow_q[k]) + over[k] + shift_over[k];
      end

      time_q += 32'd1;
    end
  end
  // verilator lint_on BLKSEQ

  for (genvar j = 0; j < Cols; j++) begin : gen_bottom
    assign valid_o[j]             = drain_valid_q[Pes+j][0];
    assign psum_o[j*32 +: 32]     = drain_q[Pes+j];
    assign overflow_o[j*32 +: 32] = drain_overflow_q[Pes+j];
  end

endmodule
