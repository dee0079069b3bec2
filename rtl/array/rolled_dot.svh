// SPDX-License-Identifier: Apache-2.0
// Body shared by the rolled arrays: product[k] = act_q[k] * weight_q[k] for all PEs k at once.
//
// Fixed PEs keep operands sign-extended to 32 bits. A fused array makes one pass over its PEs per
// lane and pair of widths that is in flight; a PE keeps the result of its own pair. An operand is
// read as ((word >> lane) & mask ^ sign) - sign, where sign is its top bit if it is signed.
if (OperandWidth != 32) begin
  for (int unsigned k = 0; k < Pes; k++) product[k] = act_q[k] * weight_q[k];
end else begin
  for (int unsigned a = 0; a < 3; a++) begin
    for (int unsigned w = 0; w < 3; w++) begin
      if (act_width_live[a] != '0 && weight_width_live[w] != '0) begin
        for (int unsigned k = 0; k < Pes; k++) dot[k] = 32'd0;
        for (int unsigned l = 0; l < (32'd16 >> (a + w)); l++) begin
          for (int unsigned k = 0; k < Pes; k++) begin
            dot[k] = dot[k]
                + ((((act_q[k] >> (l << (a + 1))) & ((32'd1 << (2 << a)) - 1))
                    ^ (act_signed_q[k] << ((2 << a) - 1))) - (act_signed_q[k] << ((2 << a) - 1)))
                * ((((weight_q[k] >> (l << (w + 1))) & ((32'd1 << (2 << w)) - 1))
                    ^ (weight_signed_q[k] << ((2 << w) - 1))) - (weight_signed_q[k] << ((2 << w) - 1)));
          end
        end
        for (int unsigned k = 0; k < Pes; k++) begin
          product[k] = (act_width_q[k] == a && weight_width_q[k] == w) ? dot[k] : product[k];
        end
      end
    end
  end
end
