"""Where factorisations start: a sparse start from the singular vectors, or seeded data rows."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from analysis.statistics.numerics import seeded_generator, widened

_OVERSAMPLING = 10
_PASSES = 3


def leading_singular_vectors(
    activations: torch.Tensor, components: int, seeds: Sequence[int]
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Randomised block Krylov SVD (Musco & Musco 2015) of every class.

    :param activations: (C, n, d).
    :returns: left vectors (C, k, n), singular values (C, k), right vectors (C, k, d), where k is
        at most `components`, n and d.
    """
    rows, channels = activations.shape[1:]
    kept = min(components, rows, channels)
    width = min(kept + _OVERSAMPLING, rows, channels)
    sketch = torch.stack(
        [torch.randn(width, channels, generator=seeded_generator(seed)) for seed in seeds]
    ).to(activations.device, activations.dtype)
    blocks = []
    block = _orthonormal(sketch)
    for _ in range(_PASSES):
        block = _orthonormal(block @ activations.mT @ activations)
        blocks.append(block)
    subspace = _orthonormal(torch.cat(blocks, 1)[:, : min(rows, channels)])
    projected = subspace @ activations.mT  # (C, width, n)
    # The SVD of the projection through its small Gram matrix, in the widest precision.
    wide = widened(projected)
    values, vectors = _symmetric_eigen(wide @ wide.mT)
    values, vectors = values.flip(-1)[:, :kept], vectors.flip(-1)[..., :kept]
    singular = values.clamp(min=0).sqrt()
    largest = singular[:, :1]
    sound = singular > 1e-6 * largest
    inverse = torch.where(sound, 1 / singular, torch.zeros_like(singular))
    left = inverse[:, :, None] * (vectors.mT @ wide)
    right = vectors.mT @ widened(subspace)
    singular = torch.where(sound, singular, torch.zeros_like(singular))
    dtype = activations.dtype
    return left.to(dtype), singular.to(dtype), right.to(dtype)


def nndsvd(
    activations: torch.Tensor, components: int, seeds: Sequence[int]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Non-negative double SVD (Boutsidis & Gallopoulos 2008).

    :returns: coefficients (C, components, n) and basis (C, components, d), both ≥ 0; components
        beyond the rank of the data are zero.
    """
    left, singular, right = leading_singular_vectors(activations, components, seeds)
    u_parts = torch.stack([left.clamp(min=0), (-left).clamp(min=0)])
    w_parts = torch.stack([right.clamp(min=0), (-right).clamp(min=0)])
    u_norms = torch.linalg.vector_norm(u_parts, dim=-1)
    w_norms = torch.linalg.vector_norm(w_parts, dim=-1)
    sizes = u_norms * w_norms  # (2, C, k): of the positive and of the negative part
    choice = (sizes[1] > sizes[0]).long()
    u = _choose(u_parts, choice) / _choose(u_norms, choice).clamp(min=1e-30)[..., None]
    w = _choose(w_parts, choice) / _choose(w_norms, choice).clamp(min=1e-30)[..., None]
    size = (singular * _choose(sizes, choice)).sqrt()[..., None]
    return _fill(u * size, components), _fill(w * size, components)


def data_rows(activations: torch.Tensor, components: int, seeds: Sequence[int]) -> torch.Tensor:
    """A seeded start: rows of the data drawn far from one another (k-means++).

    Rows of zeros are never drawn before others, so padding does not change the draw.

    :returns: basis (C, components, d).
    """
    draws = torch.stack(
        [
            torch.rand(components, generator=seeded_generator(seed), dtype=torch.float64)
            for seed in seeds
        ]
    )
    norms = widened(activations.square().sum(-1))
    weights = norms
    chosen = []
    for component in range(components):
        cumulative = weights.cumsum(-1)
        target = draws[:, component, None].to(cumulative.device, cumulative.dtype)
        index = torch.searchsorted(cumulative, target * cumulative[:, -1:])
        index = index.clamp(max=activations.shape[1] - 1)
        row = activations.gather(1, index[:, :, None].expand(-1, -1, activations.shape[2]))
        chosen.append(row[:, 0])
        products = widened((activations @ row.mT)[..., 0])
        distances = norms - 2 * products + norms.gather(1, index)
        # Padding lies at the norm of the chosen row; it must keep the weight of zero.
        weights = torch.minimum(weights, distances.clamp(min=0))
    return torch.stack(chosen, 1)


def signed_parts(activations: torch.Tensor, components: int, seeds: Sequence[int]) -> torch.Tensor:
    """A start for semi-NMF: both signed parts of the singular directions, largest first.

    :returns: coefficients (C, components, n) ≥ 0.
    """
    left, singular, _ = leading_singular_vectors(activations, components, seeds)
    scaled = left * singular[..., None]
    parts = torch.cat([scaled.clamp(min=0), (-scaled).clamp(min=0)], 1)
    sizes = torch.linalg.vector_norm(parts, dim=-1)
    order = sizes.argsort(dim=1, descending=True, stable=True)[:, :components]
    picked = parts.gather(1, order[..., None].expand(-1, -1, parts.shape[-1]))
    return _fill(picked, components)


def _choose(parts: torch.Tensor, choice: torch.Tensor) -> torch.Tensor:
    """Of `parts` (2, C, k, …) the one that `choice` (C, k) names."""
    selected = choice.reshape(choice.shape + (1,) * (parts.dim() - 3)).bool()
    return torch.where(selected, parts[1], parts[0])


def _fill(values: torch.Tensor, components: int) -> torch.Tensor:
    """Zero components up to the number asked for."""
    missing = components - values.shape[1]
    return torch.nn.functional.pad(values, (0, 0, 0, missing)) if missing > 0 else values


def _orthonormal(rows: torch.Tensor) -> torch.Tensor:
    """An orthonormal basis of the space of the rows, (C, m, d)."""
    if rows.device.type == "mps":
        return torch.linalg.qr(rows.cpu().mT).Q.mT.contiguous().to(rows.device)
    return torch.linalg.qr(rows.mT).Q.mT.contiguous()


def _symmetric_eigen(matrix: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    if matrix.device.type == "mps":
        values, vectors = torch.linalg.eigh(matrix.cpu())
        return values.to(matrix.device), vectors.to(matrix.device)
    values, vectors = torch.linalg.eigh(matrix)
    return values, vectors
