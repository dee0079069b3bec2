// SPDX-License-Identifier: Apache-2.0
`include "bitpulse_types.svh"

/// The MAC of a processing element: mac_int of OperandWidth 8, 4 or 2, or mac_fused for 32.
module mac #(
  parameter int OperandWidth = 8,
  parameter int AccWidth     = 32
) (
  input  acc_format_t                    acc_format_i,
  input  logic        [4:0]              shift_i,
  input  format_t                        act_format_i,
  input  logic        [OperandWidth-1:0] act_i,
  input  format_t                        weight_format_i,
  input  logic        [OperandWidth-1:0] weight_i,
  input  logic signed [AccWidth-1:0]     psum_i,
  output logic signed [AccWidth-1:0]     sum_o,
  output logic        [1:0]              overflow_o
);

  if (OperandWidth == 32) begin : gen_fused
    mac_fused #(.AccWidth(AccWidth)) u_mac (
      .acc_format_i,
      .shift_i,
      .act_format_i,
      .act_i,
      .weight_format_i,
      .weight_i,
      .psum_i,
      .sum_o,
      .overflow_o
    );
  end else begin : gen_int
    mac_int #(.Width(OperandWidth), .AccWidth(AccWidth)) u_mac (
      .acc_format_i,
      .shift_i,
      .act_signed_i   (act_format_i.is_signed),
      .act_i,
      .weight_signed_i(weight_format_i.is_signed),
      .weight_i,
      .psum_i,
      .sum_o,
      .overflow_o
    );

    logic unused_formats;
    assign unused_formats = ^{act_format_i.width, weight_format_i.width};
  end

endmodule
