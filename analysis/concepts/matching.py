"""Concept similarity by correlation: MCS of concepts and MMCS of layers (paper, 3.2.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch

from analysis.concepts.rank_uncertainty import rank_variance
from analysis.errors import AuditError
from analysis.statistics.bootstrap import centred_to_unit, correlation_from_sums, resample_counts
from analysis.statistics.correlation import average_ranks, pearson, spearman, unit_columns
from analysis.statistics.numerics import image_blocks, require_finite
from analysis.statistics.permutation import random_permutations

Measure = Literal["pearson", "spearman"]

_PERMUTED_COLUMNS = 1 << 14  # columns of permuted coefficients multiplied at once


@dataclass(frozen=True)
class LayerMMCS:
    """MMCS of every layer of one model (La) with every layer of another (Lb), for one class.

    NaN where a layer has no concept that varies. `replicates` (R, La, Lb) and `permuted`
    (P, La, Lb) hold resamples of `pearson`, to be averaged over classes before quantiles are
    taken; with no replicates asked for they are empty. `spearman_variance` (La, Lb): over samples
    of images, NaN with no replicates asked for; `spearman_permuted`: as `permuted`.
    """

    pearson: torch.Tensor
    spearman: torch.Tensor
    replicates: torch.Tensor
    permuted: torch.Tensor
    spearman_variance: torch.Tensor
    spearman_permuted: torch.Tensor


@dataclass(frozen=True)
class ConceptMatch:
    """The similarity of each concept (…, k) to its best match in the other model."""

    pearson: torch.Tensor
    spearman: torch.Tensor


def concept_correlation(
    first: torch.Tensor, second: torch.Tensor, measure: Measure = "pearson"
) -> torch.Tensor:
    """Correlation of every concept with every other over the same patches.

    :param first: (…, n, k1) coefficients.
    :param second: (…, n, k2).
    :returns: (…, k1, k2); NaN for a concept that does not vary.
    """
    return pearson(first, second) if measure == "pearson" else spearman(first, second)


def mcs(first: torch.Tensor, second: torch.Tensor) -> tuple[ConceptMatch, ConceptMatch]:
    """Maximum concept similarity of each concept of either model (paper, Eq. 1).

    :param first: (…, n, k1) coefficients.
    :param second: (…, n, k2), over the same patches.
    :returns: matches (…, k1) and (…, k2); NaN for a concept that does not vary.
    """
    linear = concept_correlation(first, second)
    ranked = concept_correlation(first, second, "spearman")
    return (
        ConceptMatch(_maximum(linear, -1), _maximum(ranked, -1)),
        ConceptMatch(_maximum(linear, -2), _maximum(ranked, -2)),
    )


def layer_mmcs(
    first: Sequence[torch.Tensor],
    second: Sequence[torch.Tensor],
    images: int,
    replicates: int = 0,
    permutations: int = 0,
    seed: int = 0,
) -> LayerMMCS:
    """MMCS of all pairs of layers for one class (paper, Eq. 2), from one product of all concepts.

    Bootstrap replicates resample images and keep each concept's match as it is in the full sample:
    choosing the best match anew in every resample would lift the interval above the value.
    Permutation replicates permute image blocks and do choose anew, as chance would. The variance by
    ranks is the jackknife's over images (`rank_uncertainty.rank_variance`).

    :param first: La tensors (images·patches, k) of coefficients, rows image after image; k may
        differ from layer to layer.
    :param second: Lb tensors (images·patches, k), the same rows.
    :raises AuditError: no layer, layers with different patches, or a value that is not finite.
    """
    a, b = _stack(first, second, images)
    unit_a, unit_b = _defined(unit_columns(a.values)), _defined(unit_columns(b.values))
    correlation = _by_layer(unit_a.T @ unit_b, a, b)
    ranks_a, ranks_b = _defined_ranks(a), _defined_ranks(b)
    rank_correlation = _by_layer(ranks_a.T @ ranks_b, a, b)
    return LayerMMCS(
        pearson=_mean_maximum(correlation),
        spearman=_mean_maximum(rank_correlation),
        replicates=_bootstrap(a, b, correlation, images, replicates, seed),
        permuted=_permutation(a, b, unit_a, unit_b, images, permutations, seed),
        spearman_variance=_rank_variance(a, b, rank_correlation, images, replicates),
        spearman_permuted=_permutation(a, b, ranks_a, ranks_b, images, permutations, seed),
    )


@dataclass(frozen=True)
class _Columns:
    """All layers' concepts side by side, (n, L·k), padded with constant columns."""

    values: torch.Tensor
    layers: int
    width: int  # k, the largest number of concepts
    constant: torch.Tensor  # (L·k,) bool


def _stack(
    first: Sequence[torch.Tensor], second: Sequence[torch.Tensor], images: int
) -> tuple[_Columns, _Columns]:
    if not first or not second:
        raise AuditError("There is no layer to compare.", "Choose at least one layer a model.")
    if len({layer.shape[0] for layer in [*first, *second]}) != 1:
        raise AuditError(
            "The layers were not measured on the same patches.",
            "Extract both models' concepts again from one image set.",
        )
    image_blocks(first[0], images)
    columns = []
    for layers in (first, second):
        width = max(layer.shape[1] for layer in layers)
        padded = [torch.nn.functional.pad(layer, (0, width - layer.shape[1])) for layer in layers]
        values = torch.cat(padded, 1)
        require_finite(values, "Concept coefficients")
        columns.append(_Columns(values, len(layers), width, (values == values[:1]).all(0)))
    return columns[0], columns[1]


def _by_layer(product: torch.Tensor, a: _Columns, b: _Columns) -> torch.Tensor:
    """(…, La·ka, Lb·kb) as (…, La, ka, Lb, kb), NaN for concepts that do not vary."""
    undefined = a.constant[:, None] | b.constant[None, :]
    product = product.clamp(-1, 1).masked_fill(undefined, torch.nan)
    return product.reshape(*product.shape[:-2], a.layers, a.width, b.layers, b.width)


def _mean_maximum(correlation: torch.Tensor) -> torch.Tensor:
    """(…, La, ka, Lb, kb) to MMCS (…, La, Lb): the mean of both models' mean maxima."""
    of_first = _maximum(correlation, -1).nanmean(-2)
    of_second = _maximum(correlation, -3).nanmean(-1)
    return (of_first + of_second) / 2


def _maximum(correlation: torch.Tensor, dimension: int) -> torch.Tensor:
    """The maximum that leaves NaN out; NaN where there is nothing else."""
    undefined = correlation.isnan()
    largest = correlation.masked_fill(undefined, -torch.inf).amax(dimension)
    return largest.masked_fill(undefined.all(dimension), torch.nan)


def _bootstrap(
    a: _Columns, b: _Columns, correlation: torch.Tensor, images: int, replicates: int, seed: int
) -> torch.Tensor:
    result = correlation.new_full((replicates, a.layers, b.layers), torch.nan)
    if not replicates or images < 2:
        return result
    rows = a.values.shape[0]
    x = centred_to_unit(image_blocks(a.values, images))
    y = centred_to_unit(image_blocks(b.values, images))
    counts = resample_counts(images, replicates, seed, x.device)
    x_sums, y_sums = counts @ x.sum(1), counts @ y.sum(1)
    xx_sums, yy_sums = counts @ x.square().sum(1), counts @ y.square().sum(1)
    filled = correlation.nan_to_num(-torch.inf)
    for layer in range(a.layers):
        own = slice(layer * a.width, (layer + 1) * a.width)
        products = torch.einsum("ipa,ipb->iab", x[:, :, own], y)  # (images, ka, Lb·kb)
        match_b = filled[layer].argmax(-1)  # (ka, Lb): its match among each layer's concepts
        match_a = filled[layer].argmax(0)  # (Lb, kb)
        offsets = torch.arange(b.layers, device=x.device) * b.width
        b_of_a = match_b + offsets  # columns of y
        a_of_b = match_a.flatten()  # rows of `products`
        of_first = correlation_from_sums(
            float(rows),
            x_sums[:, own, None],
            y_sums[:, b_of_a],
            xx_sums[:, own, None],
            yy_sums[:, b_of_a],
            _weighted(counts, products.gather(2, b_of_a.expand(images, -1, -1))),
        )
        every = torch.arange(y.shape[2], device=x.device)
        of_second = correlation_from_sums(
            float(rows),
            x_sums[:, own][:, a_of_b],
            y_sums,
            xx_sums[:, own][:, a_of_b],
            yy_sums,
            counts @ products[:, a_of_b, every],
        ).reshape(replicates, b.layers, b.width)
        result[:, layer] = (of_first.nanmean(1) + of_second.nanmean(2)) / 2
    return result


def _weighted(counts: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """(R, images) times (images, …) to (R, …)."""
    return (counts @ values.flatten(1)).reshape(-1, *values.shape[1:])


def _permutation(
    a: _Columns,
    b: _Columns,
    unit_a: torch.Tensor,
    unit_b: torch.Tensor,
    images: int,
    permutations: int,
    seed: int,
) -> torch.Tensor:
    result = unit_a.new_full((permutations, a.layers, b.layers), torch.nan)
    if not permutations or images < 2:
        return result
    blocks = image_blocks(unit_b, images)
    orders = random_permutations(images, permutations, seed).to(unit_a.device)
    at_once = max(1, _PERMUTED_COLUMNS // unit_b.shape[1])
    for start in range(0, permutations, at_once):
        chunk = orders[start : start + at_once]
        permuted = blocks[chunk].reshape(chunk.shape[0], *unit_b.shape)  # (P, n, Lb·kb)
        result[start : start + at_once] = _mean_maximum(_by_layer(unit_a.T @ permuted, a, b))
    return result


def _rank_variance(
    a: _Columns, b: _Columns, correlation: torch.Tensor, images: int, replicates: int
) -> torch.Tensor:
    if not replicates:
        return correlation.new_full((a.layers, b.layers), torch.nan)
    return rank_variance(
        a.values, b.values, correlation, lambda product: _by_layer(product, a, b), images
    )


def _defined(unit: torch.Tensor) -> torch.Tensor:
    """Columns without spread as zeros, so that they do not spoil the product."""
    return unit.nan_to_num(0.0)


def _defined_ranks(columns: _Columns) -> torch.Tensor:
    return _defined(unit_columns(average_ranks(columns.values)))
