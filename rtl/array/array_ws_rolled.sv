// SPDX-License-Identifier: Apache-2.0
`include "bitpulse_types.svh"

/// The same array as array_ws, written for simulation: the registers of all PEs in flat arrays, and
/// one loop per step of the cycle over all PEs k = row * Cols + col.
///
/// Verilator keeps such loops and the C++ compiler turns them into vector instructions, while array_ws
/// becomes straight code per PE. Registers are written in place (blocking), in an order in which each
/// loop still reads old values. A sum enters PE k at psum_q[k] and leaves it at psum_q[k+Cols]. The
/// skews at the edges are circular histories of the inputs. Waves that are mostly absent (swaps,
/// preload) are passed over while none is in flight.
module array_ws_rolled #(
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

  localparam int Pes         = Rows * Cols;
  localparam int Waves       = Rows + Cols - 1;  // diagonals row + col
  localparam int RowSlots    = 1 << $clog2(Rows);
  localparam int ColSlots    = 1 << $clog2(Cols);
  localparam bit Fused       = OperandWidth == 32;
  localparam int InFlight    = Rows + Cols;      // cycles after which a wave has left the array

  // Edges: inputs of the last cycles, this one's at slot time_q; control per diagonal.
  logic [31:0]      time_q;
  logic [31:0]      act_history_q        [RowSlots*Rows];
  logic [2:0]       act_format_history_q [RowSlots];
  logic [31:0]      weight_history_q     [ColSlots*Cols];
  logic [13:0]      weight_ctrl_history_q[ColSlots];
  logic [Waves-1:0] valid_wave_q, first_wave_q;
  logic [31:0]      load_live_q, act_width_live[3], weight_width_live[3];

  // PEs.
  logic [31:0] act_q   [Pes], act_width_q   [Pes], act_signed_q   [Pes], first_q[Pes];
  logic [31:0] weight_q[Pes], weight_width_q[Pes], weight_signed_q[Pes];
  logic [31:0] load_q  [Pes], load_width_q  [Pes], load_signed_q  [Pes], load_count_q[Pes];
  logic [31:0] psum_q  [Pes+Cols], overflow_q[Pes+Cols];

  // Results within a cycle.
  logic [31:0]  dot[Pes], product[Pes], exact[Pes], over[Pes], load[Pes];
  logic [31:0]  limit, field;  // accumulator format: -limit .. limit - 1 in the bits of `field`
  logic [31:0]  slot, sign;
  format_t      format;
  weight_ctrl_t entering;

  assign limit = 32'd1 << (acc_format_i.bits - 6'd1);
  assign field = limit | (limit - 32'd1);

  logic unused_shift;
  assign unused_shift = ^act_ctrl_i.shift;

  // verilator lint_off BLKSEQ
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      time_q       = '0;
      valid_wave_q = '0;
      first_wave_q = '0;
      load_live_q  = '0;
      for (int unsigned n = 0; n < RowSlots * Rows; n++) act_history_q[n] = '0;
      for (int unsigned n = 0; n < RowSlots; n++) act_format_history_q[n] = '0;
      for (int unsigned n = 0; n < ColSlots * Cols; n++) weight_history_q[n] = '0;
      for (int unsigned n = 0; n < ColSlots; n++) weight_ctrl_history_q[n] = '0;
      for (int unsigned n = 0; n < 3; n++) act_width_live[n] = (n == 0) ? InFlight : 32'd0;
      for (int unsigned n = 0; n < 3; n++) weight_width_live[n] = (n == 0) ? 32'd1 : 32'd0;
      for (int unsigned k = 0; k < Pes; k++) act_q[k] = '0;
      for (int unsigned k = 0; k < Pes; k++) act_width_q[k] = '0;
      for (int unsigned k = 0; k < Pes; k++) act_signed_q[k] = '0;
      for (int unsigned k = 0; k < Pes; k++) first_q[k] = '0;
      for (int unsigned k = 0; k < Pes; k++) weight_q[k] = '0;
      for (int unsigned k = 0; k < Pes; k++) weight_width_q[k] = '0;
      for (int unsigned k = 0; k < Pes; k++) weight_signed_q[k] = '0;
      for (int unsigned k = 0; k < Pes; k++) load_q[k] = '0;
      for (int unsigned k = 0; k < Pes; k++) load_width_q[k] = '0;
      for (int unsigned k = 0; k < Pes; k++) load_signed_q[k] = '0;
      for (int unsigned k = 0; k < Pes; k++) load_count_q[k] = '0;
      for (int unsigned k = 0; k < Pes + Cols; k++) psum_q[k] = '0;
      for (int unsigned k = 0; k < Pes + Cols; k++) overflow_q[k] = '0;
    end else begin
      // Edge inputs enter their histories, fixed operands sign-extended.
      slot = time_q & (RowSlots - 1);
      sign = Fused ? 32'd0 : {31'd0, act_ctrl_i.format.is_signed} << (OperandWidth - 1);
      act_format_history_q[slot] = act_ctrl_i.format;
      for (int unsigned i = 0; i < Rows; i++) begin
        act_history_q[slot*Rows+i] = (32'(act_i[i*OperandWidth +: OperandWidth]) ^ sign) - sign;
      end
      slot = time_q & (ColSlots - 1);
      sign = Fused ? 32'd0 : {31'd0, weight_ctrl_i.format.is_signed} << (OperandWidth - 1);
      weight_ctrl_history_q[slot] = weight_ctrl_i;
      for (int unsigned j = 0; j < Cols; j++) begin
        weight_history_q[slot*Cols+j] = (32'(weight_i[j*OperandWidth +: OperandWidth]) ^ sign) - sign;
      end

      // Activations move right.
      for (int unsigned k = Pes - 1; k >= 1 && k < Pes; k--) act_q[k] = act_q[k-1];
      for (int unsigned i = 0; i < Rows; i++) begin
        act_q[i*Cols] = act_history_q[((time_q - i) & (RowSlots - 1))*Rows+i];
      end
      if (Fused) begin
        for (int unsigned k = Pes - 1; k >= 1 && k < Pes; k--) act_width_q[k] = act_width_q[k-1];
        for (int unsigned k = Pes - 1; k >= 1 && k < Pes; k--) act_signed_q[k] = act_signed_q[k-1];
        for (int unsigned i = 0; i < Rows; i++) begin
          format               = act_format_history_q[(time_q - i) & (RowSlots - 1)];
          act_width_q[i*Cols]  = {30'd0, format.width};
          act_signed_q[i*Cols] = {31'd0, format.is_signed};
        end
        for (int unsigned n = 0; n < 3; n++) begin
          if (act_ctrl_i.format.width == 2'(n)) act_width_live[n] = InFlight;
          else if (act_width_live[n] != '0) act_width_live[n] -= 32'd1;
        end
      end

      // Weights that have waited become current where `first` passes.
      valid_wave_q = Waves'({valid_wave_q, act_ctrl_i.valid});
      first_wave_q = Waves'({first_wave_q, act_ctrl_i.first});
      if (first_wave_q != '0) begin
        for (int unsigned k = Pes - 1; k >= 1 && k < Pes; k--) first_q[k] = first_q[k-1];
        for (int unsigned i = 0; i < Rows; i++) first_q[i*Cols] = 32'(first_wave_q[i]);
        for (int unsigned k = 0; k < Pes; k++) weight_q[k] = first_q[k] != 0 ? load_q[k] : weight_q[k];
        if (Fused) begin
          for (int unsigned k = 0; k < Pes; k++) begin
            weight_width_q[k] = first_q[k] != 0 ? load_width_q[k] : weight_width_q[k];
          end
          for (int unsigned k = 0; k < Pes; k++) begin
            weight_signed_q[k] = first_q[k] != 0 ? load_signed_q[k] : weight_signed_q[k];
          end
          for (int unsigned n = 0; n < 3; n++) begin
            weight_width_live[n] = '0;
            for (int unsigned k = 0; k < Pes; k++) weight_width_live[n] |= 32'(weight_width_q[k] == n);
          end
        end
      end

      // Multiply, add, fit.
      `include "array/rolled_dot.svh"
      for (int unsigned k = 0; k < Pes; k++) exact[k] = psum_q[k] + product[k];
      for (int unsigned k = 0; k < Pes; k++) begin
        over[k] = 32'(((exact[k] + limit) & ~field) != 0)
            | (((psum_q[k] ^ exact[k]) & (product[k] ^ exact[k])) >> 31);
      end
      for (int unsigned k = 0; k < Pes; k++) begin
        psum_q[k+Cols] = (over[k] != 0 && acc_format_i.saturate)
            ? (limit - 32'd1) ^ (32'd0 - (product[k] >> 31))
            : ((exact[k] + limit) & field) - limit;
      end
      for (int unsigned k = Pes - 1; k < Pes; k--) overflow_q[k+Cols] = overflow_q[k] + over[k];

      // Weights of the next fold move down.
      if (weight_ctrl_i.valid) load_live_q = InFlight;
      if (load_live_q != '0) begin
        load_live_q -= 32'd1;
        for (int unsigned k = Cols; k < Pes; k++) load[k] = load_count_q[k-Cols] != 0 ? load_q[k-Cols] : load_q[k];
        for (int unsigned k = Cols; k < Pes; k++) load_q[k] = load[k];
        if (Fused) begin
          for (int unsigned k = Cols; k < Pes; k++) begin
            load[k] = load_count_q[k-Cols] != 0 ? load_width_q[k-Cols] : load_width_q[k];
          end
          for (int unsigned k = Cols; k < Pes; k++) load_width_q[k] = load[k];
          for (int unsigned k = Cols; k < Pes; k++) begin
            load[k] = load_count_q[k-Cols] != 0 ? load_signed_q[k-Cols] : load_signed_q[k];
          end
          for (int unsigned k = Cols; k < Pes; k++) load_signed_q[k] = load[k];
        end
        for (int unsigned k = Cols; k < Pes; k++) begin
          load[k] = load_count_q[k-Cols] != 0 ? load_count_q[k-Cols] - 32'd1 : load_count_q[k];
        end
        for (int unsigned k = Cols; k < Pes; k++) load_count_q[k] = load[k];
        for (int unsigned j = 0; j < Cols; j++) begin
          slot     = (time_q - j) & (ColSlots - 1);
          entering = weight_ctrl_history_q[slot];
          if (entering.valid) begin
            load_q[j]        = weight_history_q[slot*Cols+j];
            load_count_q[j]  = {22'd0, entering.count};
            load_width_q[j]  = {30'd0, entering.format.width};
            load_signed_q[j] = {31'd0, entering.format.is_signed};
          end
        end
      end

      time_q += 32'd1;
    end
  end
  // verilator lint_on BLKSEQ

  for (genvar j = 0; j < Cols; j++) begin : gen_bottom
    assign valid_o[j]             = valid_wave_q[Rows-1+j];
    assign psum_o[j*32 +: 32]     = psum_q[Pes+j];
    assign overflow_o[j*32 +: 32] = overflow_q[Pes+j];
  end

endmodule
