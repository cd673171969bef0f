"""UniPC whose coefficients are computed on the CPU, so that no step waits for the device.

Both of UniPC's updates are linear in the latents and in the predictions, with coefficients that
depend on the noise levels only. diffusers computes these with small tensors on the latents' device,
which reads back the solution of a linear system in each step.
"""

from collections.abc import Callable
from typing import Any

import diffusers
import torch
from torch import Tensor


class UniPCMultistepScheduler(diffusers.UniPCMultistepScheduler):  # type: ignore[misc]
    """diffusers' scheduler with the same results up to rounding, under the same name."""

    model_outputs: list[Tensor]

    def multistep_uni_p_bh_update(
        self, model_output: Tensor, *args: Any, sample: Tensor, order: int, **kwargs: Any
    ) -> Tensor:
        """Predict the next sample; see diffusers."""
        predictions = self.model_outputs[-order:]

        def update(latents: Tensor, *predictions: Tensor) -> Tensor:
            self.model_outputs = list(predictions)
            sample: Tensor = super(UniPCMultistepScheduler, self).multistep_uni_p_bh_update(
                predictions[-1], *args, sample=latents, order=order, **kwargs
            )
            return sample

        return self._combined(update, sample, *predictions)

    def multistep_uni_c_bh_update(
        self,
        this_model_output: Tensor,
        *args: Any,
        last_sample: Tensor,
        this_sample: Tensor,
        order: int,
        **kwargs: Any,
    ) -> Tensor:
        """Correct this sample by the prediction made from it; see diffusers."""
        predictions = self.model_outputs[-order:]

        def update(latents: Tensor, *predictions: Tensor) -> Tensor:
            *self.model_outputs, this = predictions
            sample: Tensor = super(UniPCMultistepScheduler, self).multistep_uni_c_bh_update(
                this, *args, last_sample=latents, this_sample=latents, order=order, **kwargs
            )
            return sample

        return self._combined(update, last_sample, *predictions, this_model_output)

    def _combined(self, update: Callable[..., Tensor], *inputs: Tensor) -> Tensor:
        """Apply a linear update: its coefficients come from inputs that are 1 in one row each."""
        outputs = self.model_outputs
        rows = torch.eye(len(inputs), dtype=torch.float64).unsqueeze(-1)
        try:
            coefficients = update(*rows).flatten().tolist()
        finally:
            self.model_outputs = outputs
        result: Tensor = inputs[0] * coefficients[0]
        for coefficient, each in zip(coefficients[1:], inputs[1:], strict=True):
            result = torch.add(result, each, alpha=coefficient)
        return result
