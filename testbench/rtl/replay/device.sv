// SPDX-License-Identifier: Apache-2.0
`include "bitpulse_types.svh"

/// Any of the circuits that vectors are written for, its inputs in one vector and its outputs in one,
/// both in the order of its ports, the first in the top bits. testbench/rtl/vectors/ writes the same order.
module device #(
  parameter     Kind          = "mac",  // mac, pe_ws, pe_os, array_ws, array_os, acc_bank, requantizer
  parameter int InWidth       = 1,
  parameter int OutWidth      = 1,
  parameter int OperandWidth  = 8,
  parameter int Rows          = 1,
  parameter int Cols          = 1,
  parameter int OverflowWidth = 32,
  parameter int Rolled        = 0
) (
  input  logic                clk_i,
  input  logic                rst_ni,
  input  logic [InWidth-1:0]  in_i,
  output logic [OutWidth-1:0] out_o
);

  // Widths that are not used become 32: vectors do not hold them, proofs need not hold for them.
  function automatic logic [6:0] legal_acc_format(input logic [6:0] format);
    legal_acc_format = {format[6], (format[5:0] < 6'd2 || format[5:0] > 6'd32) ? 6'd32 : format[5:0]};
  endfunction

  localparam bit Pe    = Kind == "pe_ws" || Kind == "pe_os";
  localparam bit Array = Kind == "array_ws" || Kind == "array_os";

  if (Kind == "mac") begin : gen_mac
    logic [6:0]              acc_format;
    logic [4:0]              shift;
    logic [2:0]              act_format, weight_format;
    logic [OperandWidth-1:0] act, weight;
    logic [31:0]             psum;

    assign {acc_format, shift, act_format, act, weight_format, weight, psum} = in_i;

    mac #(.OperandWidth(OperandWidth)) u_mac (
      .acc_format_i   (legal_acc_format(acc_format)),
      .shift_i        (shift),
      .act_format_i   (act_format),
      .act_i          (act),
      .weight_format_i(weight_format),
      .weight_i       (weight),
      .psum_i         (psum),
      .sum_o          (out_o[33:2]),
      .overflow_o     (out_o[1:0])
    );
  end

  if (Pe) begin : gen_pe
    logic [6:0]               acc_format;
    logic [9:0]               act_ctrl, next_act_ctrl;
    logic [13:0]              weight_ctrl, next_weight_ctrl;
    logic [OperandWidth-1:0]  act, weight, next_act, next_weight;
    logic                     valid, next_valid;
    logic [31:0]              psum, next_psum;
    logic [OverflowWidth-1:0] overflow, next_overflow;

    assign {acc_format, act_ctrl, act, weight_ctrl, weight, valid, psum, overflow} = in_i;
    assign out_o = {next_act_ctrl, next_act, next_weight_ctrl, next_weight, next_valid, next_psum, next_overflow};

    if (Kind == "pe_ws") begin : gen_ws
      pe_ws #(.OperandWidth(OperandWidth), .OverflowWidth(OverflowWidth)) u_pe (
        .clk_i,
        .rst_ni,
        .acc_format_i (legal_acc_format(acc_format)),
        .act_ctrl_i   (act_ctrl),
        .act_i        (act),
        .act_ctrl_o   (next_act_ctrl),
        .act_o        (next_act),
        .weight_ctrl_i(weight_ctrl),
        .weight_i     (weight),
        .weight_ctrl_o(next_weight_ctrl),
        .weight_o     (next_weight),
        .psum_i       (psum),
        .overflow_i   (overflow),
        .psum_o       (next_psum),
        .overflow_o   (next_overflow)
      );
      assign next_valid = 1'b0;
    end else begin : gen_os
      pe_os #(.OperandWidth(OperandWidth), .OverflowWidth(OverflowWidth)) u_pe (
        .clk_i,
        .rst_ni,
        .acc_format_i (legal_acc_format(acc_format)),
        .act_ctrl_i   (act_ctrl),
        .act_i        (act),
        .act_ctrl_o   (next_act_ctrl),
        .act_o        (next_act),
        .weight_ctrl_i(weight_ctrl),
        .weight_i     (weight),
        .weight_ctrl_o(next_weight_ctrl),
        .weight_o     (next_weight),
        .valid_i      (valid),
        .psum_i       (psum),
        .overflow_i   (overflow),
        .valid_o      (next_valid),
        .psum_o       (next_psum),
        .overflow_o   (next_overflow)
      );
    end
  end

  if (Array) begin : gen_array
    logic [6:0]                    acc_format;
    logic [9:0]                    act_ctrl;
    logic [Rows*OperandWidth-1:0]  act;
    logic [13:0]                   weight_ctrl;
    logic [Cols*OperandWidth-1:0]  weight;
    logic [Cols-1:0]               valid;
    logic [Cols*32-1:0]            psum;
    logic [Cols*OverflowWidth-1:0] overflow;

    assign {acc_format, act_ctrl, act, weight_ctrl, weight} = in_i;
    assign out_o = {valid, psum, overflow};

    if (Kind == "array_ws" && Rolled == 1) begin : gen_ws_rolled
      array_top_ws #(
        .OperandWidth(OperandWidth), .Rows(Rows), .Cols(Cols)
      ) u_array (
        .clk_i,
        .rst_ni,
        .acc_format_i (legal_acc_format(acc_format)),
        .act_ctrl_i   (act_ctrl),
        .act_i        (act),
        .weight_ctrl_i(weight_ctrl),
        .weight_i     (weight),
        .valid_o      (valid),
        .psum_o       (psum),
        .overflow_o   (overflow)
      );
    end

    if (Kind == "array_ws" && Rolled == 0) begin : gen_ws
      array_ws #(
        .OperandWidth(OperandWidth), .Rows(Rows), .Cols(Cols), .OverflowWidth(OverflowWidth)
      ) u_array (
        .clk_i,
        .rst_ni,
        .acc_format_i (legal_acc_format(acc_format)),
        .act_ctrl_i   (act_ctrl),
        .act_i        (act),
        .weight_ctrl_i(weight_ctrl),
        .weight_i     (weight),
        .valid_o      (valid),
        .psum_o       (psum),
        .overflow_o   (overflow)
      );
    end

    if (Kind == "array_os" && Rolled == 1) begin : gen_os_rolled
      array_top_os #(
        .OperandWidth(OperandWidth), .Rows(Rows), .Cols(Cols)
      ) u_array (
        .clk_i,
        .rst_ni,
        .acc_format_i (legal_acc_format(acc_format)),
        .act_ctrl_i   (act_ctrl),
        .act_i        (act),
        .weight_ctrl_i(weight_ctrl),
        .weight_i     (weight),
        .valid_o      (valid),
        .psum_o       (psum),
        .overflow_o   (overflow)
      );
    end

    if (Kind == "array_os" && Rolled == 0) begin : gen_os
      array_os #(
        .OperandWidth(OperandWidth), .Rows(Rows), .Cols(Cols), .OverflowWidth(OverflowWidth)
      ) u_array (
        .clk_i,
        .rst_ni,
        .acc_format_i (legal_acc_format(acc_format)),
        .act_ctrl_i   (act_ctrl),
        .act_i        (act),
        .weight_ctrl_i(weight_ctrl),
        .weight_i     (weight),
        .valid_o      (valid),
        .psum_o       (psum),
        .overflow_o   (overflow)
      );
    end
  end

  if (Kind == "acc_bank") begin : gen_acc_bank
    logic [6:0]         acc_format;
    logic [31:0]        acc_ctrl;
    logic [Cols*32-1:0] psum, overflow;
    logic               enable, read;
    logic [14:0]        read_addr;

    assign {enable, acc_format, acc_ctrl, psum, overflow, read, read_addr} = in_i;

    acc_bank #(.Cols(Cols), .AddrWidth(3)) u_bank (
      .clk_i,
      .rst_ni,
      .enable_i    (enable),
      .acc_format_i(legal_acc_format(acc_format)),
      .acc_ctrl_i  (acc_ctrl),
      .acc_ctrl_o  (out_o[Cols*96+31:Cols*96]),
      .psum_i      (psum),
      .overflow_i  (overflow),
      .read_i      (read),
      .read_addr_i (read_addr),
      .sum_o       (out_o[Cols*96-1:Cols*64]),
      .overflow_o  (out_o[Cols*64-1:Cols*32]),
      .word_o      (out_o[Cols*32-1:0])
    );
  end

  if (Kind == "requantizer") begin : gen_requantizer
    logic [10:0]        ctrl;
    logic [31:0]        min, max;
    logic [Cols*32-1:0] value, addend, m, m_negative, shift, other, other_m, other_shift;

    assign {ctrl, min, max, value, addend, m, m_negative, shift, other, other_m, other_shift} = in_i;

    requantizer #(.Lanes(Cols)) u_requantizer (
      .clk_i,
      .rst_ni,
      .ctrl_i       (ctrl),
      .min_i        (min),
      .max_i        (max),
      .value_i      (value),
      .addend_i     (addend),
      .m_i          (m),
      .m_negative_i (m_negative),
      .shift_i      (shift),
      .other_i      (other),
      .other_m_i    (other_m),
      .other_shift_i(other_shift),
      .valid_o      (out_o[Cols*32+128]),
      .code_o       (out_o[Cols*32+127:128]),
      .saturated_o  (out_o[127:96]),
      .clamped_o    (out_o[95:64]),
      .above_o      (out_o[63:32]),
      .below_o      (out_o[31:0])
    );
  end

endmodule
