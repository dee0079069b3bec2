// SPDX-License-Identifier: Apache-2.0

/// What dot_mode must equal: the sum of the lanes' products, each made with `*`.
module dot_products #(
  parameter int ActWidth    = 8,
  parameter int WeightWidth = 8
) (
  input  logic               act_signed_i,
  input  logic        [31:0] act_i,
  input  logic               weight_signed_i,
  input  logic        [31:0] weight_i,
  output logic signed [17:0] product_o
);

  localparam int Lanes = 64 / (ActWidth * WeightWidth);

  logic signed [17:0] product[Lanes];

  for (genvar l = 0; l < Lanes; l++) begin : gen_lane
    logic signed [ActWidth:0]    act;
    logic signed [WeightWidth:0] weight;
    assign act        = {act_signed_i & act_i[l*ActWidth+ActWidth-1], act_i[l*ActWidth +: ActWidth]};
    assign weight     = {weight_signed_i & weight_i[l*WeightWidth+WeightWidth-1],
                         weight_i[l*WeightWidth +: WeightWidth]};
    assign product[l] = 18'(act) * 18'(weight);
  end

  always_comb begin
    product_o = '0;
    for (int unsigned l = 0; l < Lanes; l++) product_o = product_o + product[l];
  end

endmodule
