"""The maps of one layer taken out of a forward, so that scores can be differentiated for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch.utils._pytree import tree_map

from analysis.errors import AuditError
from analysis.models.layers import Layer
from analysis.models.probing import first_tensor

if TYPE_CHECKING:
    from analysis.models.loading import LoadedModel


class MapCapture:
    """The output of `layer` in the next forward, as maps (n, channels, rows, columns).

    With `gradients` the graph begins at this layer: what comes before it is computed without one,
    so that a backward goes no further than it must.
    """

    def __init__(self, model: LoadedModel, layer: Layer, gradients: bool) -> None:
        self._model, self.layer, self._gradients = model, layer, gradients
        self._name, _, number = layer.name.partition("#")
        self._number = int(number or 1)
        self._calls = 0
        self.tensor: torch.Tensor | None = None

    @contextmanager
    def capturing(self) -> Iterator[None]:
        """One forward in this block is captured."""
        with ExitStack() as stack:
            if self._model.folding is not None:
                stack.enter_context(self._model.folding.unfolded([self._name]))
            part = self._model.module.get_submodule(self._name)
            stack.callback(part.register_forward_hook(self._hook).remove)
            self._calls = 0
            yield

    def _hook(self, module: Any, inputs: tuple, output: Any) -> Any:
        self._calls += 1
        if self._calls != self._number:
            return None
        found = first_tensor(output)
        if found is None:
            return None
        self.tensor = found.detach().clone() if not self._gradients else self._start_graph(found)
        if not self._gradients:
            return None
        # The network goes on with a copy: it may change its tensors in place.
        going_on = self.tensor.clone()
        if output is found:
            return going_on
        return tree_map(lambda leaf: going_on if leaf is found else leaf, output)

    @staticmethod
    def _start_graph(found: torch.Tensor) -> torch.Tensor:
        return found if found.requires_grad else found.detach().clone().requires_grad_(True)

    def maps(self, batch: torch.Tensor, values: torch.Tensor | None = None) -> torch.Tensor:
        """What was captured, or `values` of its shape (its gradient), as float32 maps.

        :raises AuditError: the layer did not run.
        """
        tensor = self.tensor if values is None else values
        if tensor is None:
            raise AuditError(
                f"The layer “{self.layer.name}” did not run for these images.",
                "Choose another layer.",
            )
        tensor = tensor.detach().float()
        if not self.layer.token:
            return tensor.permute(0, 3, 1, 2) if self.layer.channels_last else tensor
        rows, columns = scaled_grid(self._model, batch, self.layer.grid)
        patches = tensor[:, self.layer.prefix_tokens :].transpose(1, 2)
        if patches.shape[-1] != rows * columns:
            raise AuditError(
                f"The tokens of “{self.layer.name}” do not fill their grid.",
                "Choose another layer.",
            )
        return patches.reshape(len(tensor), self.layer.channels, rows, columns)


def scaled_grid(
    model: LoadedModel, batch: torch.Tensor, grid: tuple[int, int] | None
) -> tuple[int, int]:
    """Rows and columns for images of this size, from those for the model's own input size."""
    assert grid is not None
    height, width = model.trace.images.shape[-2:]
    rows, columns = grid
    return round(rows * batch.shape[-2] / height), round(columns * batch.shape[-1] / width)
