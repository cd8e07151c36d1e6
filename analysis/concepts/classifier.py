"""What importance and replacement need of a model's classifier head."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch

Logits = Callable[[torch.Tensor], torch.Tensor]


class Classifier(Protocol):
    """A head: linear with `weight` (classes, d) and `bias` (classes,), or any function."""

    @property
    def weight(self) -> torch.Tensor | None: ...

    @property
    def bias(self) -> torch.Tensor | None: ...

    @property
    def is_linear(self) -> bool: ...

    def logits(self, features: torch.Tensor) -> torch.Tensor:
        """Scores (n, classes) of features (n, d)."""
        ...


def class_labels(class_index: int | torch.Tensor, coefficients: torch.Tensor) -> torch.Tensor:
    """The class of every patch, (C, n), from one class, one a batch entry, or one a patch.

    :param class_index: an int; for coefficients (n, k) also a scalar or (n,) tensor; for
        coefficients (C, n, k) also a (C,) or (C, n) tensor.
    :param coefficients: (n, k) or (C, n, k).
    """
    labels = torch.as_tensor(class_index, device=coefficients.device, dtype=torch.int64)
    shape = coefficients.shape[:-1]
    if labels.dim() == 1 and coefficients.dim() == 3:
        labels = labels[:, None]
    return labels.expand(shape).reshape(-1, shape[-1])
