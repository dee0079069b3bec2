// SPDX-License-Identifier: Apache-2.0
#include "quant/train/loss.h"

namespace bitpulse {

at::Tensor training_loss(const at::Tensor& logits, const at::Tensor& labels,
                         const at::Tensor& teacher, double share, double temperature) {
  at::Tensor loss;
  if (share < 1) loss = at::cross_entropy_loss(logits, labels) * (1 - share);
  if (share > 0) {
    const at::Tensor wanted = at::log_softmax(teacher / temperature, 1);
    const at::Tensor found = at::log_softmax(logits / temperature, 1);
    const at::Tensor divergence = (wanted.exp() * (wanted - found)).sum(1).mean();
    const at::Tensor distilled = divergence * (share * temperature * temperature);
    loss = loss.defined() ? loss + distilled : distilled;
  }
  return loss;
}

}  // namespace bitpulse
