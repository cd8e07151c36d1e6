"""The parameter-randomisation check (Adebayo et al. 2018): does a map heed the model's weights?"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from analysis.models.loading import LoadedModel
from analysis.models.optimize import FoldedNormalisation
from analysis.seeds import derive_seed
from analysis.statistics.correlation import columnwise_spearman
from analysis.statistics.numerics import seeded_generator

if TYPE_CHECKING:
    from collections.abc import Sequence

Model = TypeVar("Model", LoadedModel, nn.Module)

_PROBES = 8


def randomised_models(model: Model, stages: int = 1, seed: int = 0) -> Iterator[Model]:
    """Copies of a model with more and more of its weights shuffled, from the last layer on.

    Every tensor of weights keeps its values and loses their places, so that the size of activations
    stays natural in any architecture. Batch normalisations whose weights were shuffled take their
    statistics anew, of a few coloured noises. The model itself stays as it was; a copy is good
    until the next one is asked for.

    :param model: a loaded model, folded or compiled or not, or a network. The copy is neither
        folded nor compiled.
    :param stages: 1 for all layers at once; k for the last 1/k of the layers, then 2/k, … all.
    """
    module, size = _plain_copy(model)
    layers = _layers(module)
    done = 0
    for stage in range(1, stages + 1):
        until = -(-len(layers) * stage // stages)
        shuffled = layers[done:until]
        for name, part in shuffled:
            _shuffle(name, part, seed)
        _settle([part for _, part in layers[:until]], module, size, seed)
        done = until
        yield _as_model(model, module, seed, stage, stages)


def rank_correlation(first: torch.Tensor, second: torch.Tensor | None) -> torch.Tensor:
    """Spearman's correlation of each two maps (n, rows, columns) at the layer's resolution, (n,).

    NaN where one is the same everywhere, not finite, or `second` is None.
    """
    if second is None or first.shape != second.shape:
        return torch.full((len(first),), torch.nan, dtype=torch.float64, device=first.device)
    second = second.detach().to(first.device)
    usable = torch.isfinite(first + second).flatten(1).all(1)
    columns = [torch.where(usable[:, None, None], one, 0.0).flatten(1).T for one in (first, second)]
    return columnwise_spearman(*columns)


def _plain_copy(model: LoadedModel | nn.Module) -> tuple[nn.Module, tuple[int, ...] | None]:
    """A copy whose normalisations are modules of their own, and the shape of its input."""
    if isinstance(model, LoadedModel):
        size: tuple[int, ...] | None = (3, model.preprocessing.height, model.preprocessing.width)
        module, folding = copy.deepcopy((_uncompiled(model.module), model.folding))
        for pair in folding.pairs.values() if folding is not None else ():
            pair.set_folded(False)
    else:
        module, size = copy.deepcopy(_uncompiled(model)), None
    for name, part in list(module.named_modules()):
        if isinstance(part, FoldedNormalisation) and not part.folded:
            parent, _, own = name.rpartition(".")
            module.get_submodule(parent).register_module(own, part._original[0])
    return module.eval().requires_grad_(False), size


def _uncompiled(module: nn.Module) -> nn.Module:
    return getattr(module, "_orig_mod", module)


def _layers(module: nn.Module) -> Sequence[tuple[str, nn.Module]]:
    """Parts with weights of their own, the last first."""
    found = [
        (name, part)
        for name, part in module.named_modules()
        if any(parameter is not None for parameter in part._parameters.values())
    ]
    return found[::-1]


def _shuffle(name: str, part: nn.Module, seed: int) -> None:
    with torch.no_grad():
        for own, parameter in part._parameters.items():
            if parameter is not None and parameter.numel() > 1:
                generator = seeded_generator(derive_seed(seed, "randomised", name, own))
                order = torch.randperm(parameter.numel(), generator=generator)
                flat = parameter.detach().contiguous().flatten()[order.to(parameter.device)]
                parameter.copy_(flat.view(parameter.shape))


def _settle(
    shuffled: list[nn.Module], module: nn.Module, size: tuple[int, ...] | None, seed: int
) -> None:
    """Statistics of the shuffled batch normalisations, from one forward of coloured noises."""
    norms = [part for part in shuffled if isinstance(part, _BatchNorm) and part.track_running_stats]
    if not norms or size is None:
        return
    momenta = [part.momentum for part in norms]
    for part in norms:
        part.train()
        part.momentum = 1.0
    try:
        with torch.no_grad():
            module(_noises(size, seed).to(next(module.parameters()).device))
    finally:
        for part, momentum in zip(norms, momenta, strict=True):
            part.eval()
            part.momentum = momentum


def _noises(size: tuple[int, ...], seed: int) -> torch.Tensor:
    """Images with coarse and fine structure, as photographs have, of mean 0 and variance 1."""
    generator = seeded_generator(derive_seed(seed, "noises"))
    total = torch.zeros(_PROBES, *size)
    side = 2
    while side <= min(size[1:]):
        coarse = torch.randn(_PROBES, size[0], side, side, generator=generator)
        total += nn.functional.interpolate(coarse, size=size[1:], mode="bilinear")
        side *= 4
    total += 0.1 * torch.randn(total.shape, generator=generator)
    return (total - total.mean()) / total.std()


def _as_model(model: Model, module: nn.Module, seed: int, stage: int, stages: int) -> Model:
    if not isinstance(model, LoadedModel):
        return module
    return replace(
        model,
        module=module,
        weights_sha256=f"{model.weights_sha256} randomised {seed} {stage}/{stages}",
        options=replace(model.options, compile=False, fold=False),
        folding=None,
        cache={},
    )
