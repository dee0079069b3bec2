// SPDX-License-Identifier: Apache-2.0
`include "bitpulse_types.svh"

/// Output-stationary array: Rows x Cols of pe_os with the delays at its edges.
///
/// Inputs are not skewed: act_i holds the words of all rows, weight_i those of all columns for one
/// stream element; row i (column j) is delayed by i (j) cycles here, with its control. Outputs are:
/// the sums of column j leave through its bottom row, the bottom used row first, as soon as the
/// capture that entered in cycle t has passed it: from cycle t + Rows + j on.
module array_os #(
  parameter int OperandWidth  = 8,
  parameter int Rows          = 4,
  parameter int Cols          = 4,
  parameter int AccWidth      = 32,
  parameter int OverflowWidth = 32
) (
  input  logic                          clk_i,
  input  logic                          rst_ni,
  input  acc_format_t                   acc_format_i,
  input  act_ctrl_t                     act_ctrl_i,
  input  logic [Rows*OperandWidth-1:0]  act_i,
  input  weight_ctrl_t                  weight_ctrl_i,
  input  logic [Cols*OperandWidth-1:0]  weight_i,
  output logic [Cols-1:0]               valid_o,
  output logic [Cols*AccWidth-1:0]      psum_o,
  output logic [Cols*OverflowWidth-1:0] overflow_o
);

  // Wires between PEs, at the index of the PE that they enter. (Control as plain vectors: Icarus and
  // Yosys have no arrays of structs.)
  logic [`ACT_CTRL_WIDTH-1:0]    act_ctrl   [Rows*(Cols+1)];
  logic [OperandWidth-1:0]       act        [Rows*(Cols+1)];
  logic [`WEIGHT_CTRL_WIDTH-1:0] weight_ctrl[(Rows+1)*Cols];
  logic [OperandWidth-1:0]       weight     [(Rows+1)*Cols];
  logic                          valid      [(Rows+1)*Cols];
  logic [AccWidth-1:0]           psum       [(Rows+1)*Cols];
  logic [OverflowWidth-1:0]      overflow   [(Rows+1)*Cols];

  for (genvar i = 0; i < Rows; i++) begin : gen_left
    delay #(.Width(OperandWidth + `ACT_CTRL_WIDTH), .Depth(i)) u_delay (
      .clk_i,
      .rst_ni,
      .data_i({act_ctrl_i, act_i[i*OperandWidth +: OperandWidth]}),
      .data_o({act_ctrl[i*(Cols+1)], act[i*(Cols+1)]})
    );
  end

  for (genvar j = 0; j < Cols; j++) begin : gen_top
    delay #(.Width(OperandWidth + `WEIGHT_CTRL_WIDTH), .Depth(j)) u_delay (
      .clk_i,
      .rst_ni,
      .data_i({weight_ctrl_i, weight_i[j*OperandWidth +: OperandWidth]}),
      .data_o({weight_ctrl[j], weight[j]})
    );
    assign valid[j]    = 1'b0;
    assign psum[j]     = '0;
    assign overflow[j] = '0;
  end

  for (genvar i = 0; i < Rows; i++) begin : gen_row
    for (genvar j = 0; j < Cols; j++) begin : gen_col
      pe_os #(
        .OperandWidth(OperandWidth), .AccWidth(AccWidth), .OverflowWidth(OverflowWidth)
      ) u_pe (
        .clk_i,
        .rst_ni,
        .acc_format_i,
        .act_ctrl_i   (act_ctrl[i*(Cols+1)+j]),
        .act_i        (act[i*(Cols+1)+j]),
        .act_ctrl_o   (act_ctrl[i*(Cols+1)+j+1]),
        .act_o        (act[i*(Cols+1)+j+1]),
        .weight_ctrl_i(weight_ctrl[i*Cols+j]),
        .weight_i     (weight[i*Cols+j]),
        .weight_ctrl_o(weight_ctrl[(i+1)*Cols+j]),
        .weight_o     (weight[(i+1)*Cols+j]),
        .valid_i      (valid[i*Cols+j]),
        .psum_i       (psum[i*Cols+j]),
        .overflow_i   (overflow[i*Cols+j]),
        .valid_o      (valid[(i+1)*Cols+j]),
        .psum_o       (psum[(i+1)*Cols+j]),
        .overflow_o   (overflow[(i+1)*Cols+j])
      );
    end
  end

  for (genvar j = 0; j < Cols; j++) begin : gen_bottom
    assign valid_o[j]                                   = valid[Rows*Cols+j];
    assign psum_o[j*AccWidth +: AccWidth]               = psum[Rows*Cols+j];
    assign overflow_o[j*OverflowWidth +: OverflowWidth] = overflow[Rows*Cols+j];
  end

endmodule
