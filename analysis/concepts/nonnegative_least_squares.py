"""Exact non-negative least squares for all rows at once, in the space of the concepts."""

from __future__ import annotations

import numpy as np
import scipy.optimize
import torch

from analysis.statistics.numerics import accumulation_dtype, require_finite, widened

_ROW_VALUES = 1 << 22  # elements of the small systems solved at once
_PATIENCE = 3  # full exchanges tried before the exchange of a single variable
_TOLERANCE = 1e-10


def fit_coefficients(activations: torch.Tensor, basis: torch.Tensor) -> torch.Tensor:
    """The coefficients U ≥ 0 that minimise ‖A − UW‖², exactly (paper, Eq. 5).

    Block principal pivoting (Kim & Park 2011, algorithm 3) on WWᵀ and AWᵀ: every row of every
    class at once; rows on which it does not end go to an active-set solver.

    :param activations: (C, n, d); rows of zeros (padding) get zeros.
    :param basis: (C, k, d); a concept that is zero throughout gets coefficients 0.
    :returns: (C, n, k), as `activations` in type and device.
    :raises AuditError: a value is not finite.
    """
    require_finite(activations, "Activations")
    require_finite(basis, "The concept basis")
    wide_basis = widened(basis)
    gram = wide_basis @ wide_basis.mT
    products = torch.stack(
        [widened(a) @ w.mT for a, w in zip(activations, wide_basis, strict=True)]
    )
    return solve_nonnegative(gram, products).to(activations.dtype)


def solve_nonnegative(gram: torch.Tensor, products: torch.Tensor) -> torch.Tensor:
    """Minimise ½ uᵀGu − bᵀu over u ≥ 0 for every row b.

    :param gram: (C, k, k) positive semi-definite.
    :param products: (C, n, k) rows b.
    :returns: (C, n, k).
    """
    device = products.device
    if device.type == "mps":  # no float64 there, and the systems are small
        return solve_nonnegative(gram.cpu().double(), products.cpu().double()).to(
            device, accumulation_dtype(device)
        )
    gram, products = widened(gram), widened(products)
    scale = gram.diagonal(dim1=-2, dim2=-1).sqrt()
    inverse = torch.where(scale > 0, 1 / scale, torch.zeros_like(scale))
    unit_gram = gram * inverse[:, :, None] * inverse[:, None, :]
    unit_gram.diagonal(dim1=-2, dim2=-1).fill_(1)
    unit_products = products * inverse[:, None, :]
    classes, rows, concepts = products.shape
    owner = torch.arange(classes, device=device).repeat_interleave(rows)
    flat = unit_products.reshape(-1, concepts)
    chunk = max(1, _ROW_VALUES // (concepts * concepts))
    solved = [
        _pivot_rows(unit_gram, owner[start : start + chunk], flat[start : start + chunk])
        for start in range(0, flat.shape[0], chunk)
    ]
    return torch.cat(solved).reshape(products.shape) * inverse[:, None, :]


def _pivot_rows(gram: torch.Tensor, owner: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Block principal pivoting for rows `b` (N, k); row i belongs to `gram[owner[i]]`."""
    count, concepts = b.shape
    size = b.abs().amax(1, keepdim=True)
    b = b / torch.where(size > 0, size, torch.ones_like(size))
    result = torch.zeros_like(b)
    # Rows without a positive product (padding among them) are solved by zero.
    open_rows = (b > 0).any(1).nonzero()[:, 0]
    passive = b > 0
    fewest = torch.full((count,), concepts + 1, device=b.device)
    patience = torch.full((count,), _PATIENCE, device=b.device)
    failed: list[torch.Tensor] = []
    for _ in range(20 + 5 * concepts):
        if open_rows.numel() == 0:
            break
        free = passive[open_rows]
        values, slope, sound = _restricted_solution(gram[owner[open_rows]], b[open_rows], free)
        wrong = torch.where(free, values < -_TOLERANCE, slope < -_TOLERANCE)
        amount = wrong.sum(1)
        done = (amount == 0) & sound
        result[open_rows[done]] = values[done].clamp(min=0)
        failed.append(open_rows[~sound])
        going = (amount > 0) & sound
        open_rows, wrong, amount = open_rows[going], wrong[going], amount[going]
        fewer = amount < fewest[open_rows]
        patience[open_rows] = torch.where(fewer, _PATIENCE, patience[open_rows] - 1)
        fewest[open_rows] = torch.where(fewer, amount, fewest[open_rows])
        single = torch.zeros_like(wrong)
        last = concepts - 1 - wrong.flip(1).to(torch.uint8).argmax(1)
        single.scatter_(1, last[:, None], True)
        exchange = torch.where((patience[open_rows] >= 0)[:, None], wrong, single)
        passive[open_rows] ^= exchange
    failed.append(open_rows)
    rest = torch.cat(failed)
    if rest.numel():
        result[rest] = _active_set_rows(gram, owner[rest], b[rest])
    return result * size


def _restricted_solution(
    gram: torch.Tensor, b: torch.Tensor, free: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Least squares over the free variables; also the slope of the others, and if it is sound."""
    mask = free.to(gram.dtype)
    system = gram * mask[:, :, None] * mask[:, None, :]
    system = system + torch.diag_embed(1 - mask)
    factor, info = torch.linalg.cholesky_ex(system)
    values = torch.cholesky_solve((b * mask)[:, :, None], factor)[:, :, 0] * mask
    slope = (gram @ values[:, :, None])[:, :, 0] - b
    pivots = factor.diagonal(dim1=-2, dim2=-1).amin(1)
    sound = (info == 0) & (pivots > 1e-6) & ((slope * mask).abs().amax(1) < 1e-8)
    return values, slope * (1 - mask), sound


def _active_set_rows(gram: torch.Tensor, owner: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Lawson–Hanson row by row, for concepts that are (nearly) linearly dependent."""
    roots: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    rows = []
    for class_index, row in zip(owner.tolist(), b.cpu().numpy(), strict=True):
        if class_index not in roots:
            roots[class_index] = _square_root(gram[class_index].cpu().numpy())
        root, inverse_root = roots[class_index]
        rows.append(scipy.optimize.nnls(root, inverse_root @ row)[0])
    return torch.as_tensor(np.stack(rows), dtype=b.dtype, device=b.device)


def _square_root(gram: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """R with RᵀR = G, and the matrix that turns b into the right-hand side of R u ≈ rhs."""
    eigenvalues, vectors = np.linalg.eigh(gram)
    kept = eigenvalues > 1e-13 * max(eigenvalues.max(), 0.0)
    roots = np.sqrt(eigenvalues[kept])
    return roots[:, None] * vectors[:, kept].T, vectors[:, kept].T / roots[:, None]
