"""Inner products of matrices of pairs of observations, with the images of one side shuffled."""

from __future__ import annotations

import torch

from analysis.statistics.numerics import widened


def permuted_products(
    first: torch.Tensor, second: torch.Tensor, images: int, orders: torch.Tensor
) -> torch.Tensor:
    """⟨Sₐ, Π S_b Πᵀ⟩ of all symmetric matrices of one side with all of the other.

    Observations stay with their image and keep their place in it, so that what is common to a
    place (sky above, ground below) stays in what chance gives.

    :param first: (La, n, n) symmetric, n = images·patches, rows image after image.
    :param second: (Lb, n, n), as `first`.
    :param orders: (permutations, images): which image of `second` takes each place.
    :returns: (permutations, La, Lb) in the widest float; sums are taken in that of the matrices.
    """
    a, b = _blocks(first, images), _blocks(second, images)
    rows, columns = torch.triu_indices(images, images, 1, device=first.device)
    own = torch.arange(images, device=first.device)
    # Two blocks at (i, j) and (j, i) are each other's transpose: one of them counts twice.
    beside, within = a[:, rows * images + columns].flatten(1), a[:, own * (images + 1)].flatten(1)
    result = first.new_empty(len(orders), len(first), len(second))
    for number, order in enumerate(orders.to(first.device)):
        moved = b.index_select(1, order[rows] * images + order[columns]).flatten(1)
        alone = b.index_select(1, order * (images + 1)).flatten(1)
        result[number] = 2 * (beside @ moved.T) + within @ alone.T
    return widened(result)


def _blocks(matrices: torch.Tensor, images: int) -> torch.Tensor:
    """(L, n, n) as (L, images·images, patches·patches), a block a pair of images."""
    layers, count, _ = matrices.shape
    patches = count // images
    split = matrices.reshape(layers, images, patches, images, patches)
    return split.transpose(2, 3).reshape(layers, images * images, patches * patches)
