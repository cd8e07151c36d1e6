"""Factorisations that follow the paper's released code, step by step and unconverged as there."""

from __future__ import annotations

import torch

from analysis.concepts.alternating import Factors, least_squares_basis
from analysis.statistics.numerics import widened

NMF_ITERATIONS = 200
NMF_TOLERANCE = 1e-4
SEMI_NMF_ITERATIONS = 10


def coordinate_descent_nmf(
    activations: torch.Tensor,
    coefficients: torch.Tensor,
    basis: torch.Tensor,
    tolerance: float = NMF_TOLERANCE,
    max_iterations: int = NMF_ITERATIONS,
) -> Factors:
    """Cyclic coordinate descent that stops as scikit-learn's `NMF(solver="cd")` does.

    One sweep of each factor an iteration; done when the sum of the projected gradients met on the
    way is at most `tolerance` times that of the first iteration.

    :param activations: (C, n, d) ≥ 0.
    :param coefficients: (C, k, n) start.
    :param basis: (C, k, d) start.
    """
    classes = activations.shape[0]
    iterations = torch.full((classes,), max_iterations)
    converged = torch.zeros(classes, dtype=torch.bool)
    members = torch.arange(classes, device=activations.device)
    coefficients, basis = coefficients.clone(), basis.clone()
    first: torch.Tensor | None = None
    data, u, w = activations, coefficients.clone(), basis.clone()
    for iteration in range(1, max_iterations + 1):
        violation = _measured_sweep(u, w @ data.mT, w @ w.mT)
        violation = violation + _measured_sweep(w, u @ data, u @ u.mT)
        first = violation if first is None else first
        done = (violation <= tolerance * first) | (first == 0)
        if not bool(done.any()):
            continue
        gone = members[done]
        coefficients[gone], basis[gone] = u[done], w[done]
        iterations[gone.cpu()], converged[gone.cpu()] = iteration, True
        members, first = members[~done], first[~done]
        data, u, w = data[~done], u[~done], w[~done]
        if members.numel() == 0:
            break
    if members.numel():
        coefficients[members], basis[members] = u, w
    return Factors(coefficients, basis, iterations, converged)


def multiplicative_semi_nmf(
    activations: torch.Tensor, coefficients: torch.Tensor, max_iterations: int = SEMI_NMF_ITERATIONS
) -> Factors:
    """Ding, Li & Jordan 2010, eq. 10–11: the multiplicative updates of semi-NMF.

    :param activations: (C, n, d), of any sign.
    :param coefficients: (C, k, n) start > 0.
    :returns: factors that are reported as not converged: nothing is checked here.
    """
    u = coefficients
    for _ in range(max_iterations):
        w = least_squares_basis(u @ activations, u @ u.mT)
        products, gram = w @ activations.mT, w @ w.mT
        rising = products.clamp(min=0) + (-gram).clamp(min=0) @ u
        falling = (-products).clamp(min=0) + gram.clamp(min=0) @ u
        u = u * (rising / falling.clamp(min=1e-12)).sqrt()
    w = least_squares_basis(u @ activations, u @ u.mT)
    classes = activations.shape[0]
    return Factors(
        u, w, torch.full((classes,), max_iterations), torch.zeros(classes, dtype=torch.bool)
    )


def _measured_sweep(
    factor: torch.Tensor, products: torch.Tensor, gram: torch.Tensor
) -> torch.Tensor:
    """One pass, in place; returns the sum of the projected gradients met on the way, (C,)."""
    curvature = gram.diagonal(dim1=-2, dim2=-1)
    total = torch.zeros(factor.shape[0], dtype=widened(factor[:0]).dtype, device=factor.device)
    for row in range(factor.shape[1]):
        current = factor[:, row]
        gradient = torch.bmm(gram[:, row : row + 1], factor)[:, 0] - products[:, row]
        projected = torch.where(current > 0, gradient, gradient.clamp(max=0))
        total += widened(projected.abs()).sum(1)
        slope = curvature[:, row, None]
        safe = torch.where(slope > 0, slope, torch.ones_like(slope))
        moved = (current - gradient / safe).clamp_(min=0)
        factor[:, row] = torch.where(slope > 0, moved, current)
    return total
