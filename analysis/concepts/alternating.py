"""The alternating solver behind NMF and semi-NMF: HALS with extrapolation, all classes at once.

Concepts are rows here: coefficients are (C, k, n), so that one concept is contiguous in memory.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from analysis.statistics.numerics import accumulation_dtype, widened

_CHECK_EVERY = 10
_STALL = 1e-3  # share of the tolerance: the least fall of the squared error that is progress
_SWEEPS = 2  # of each factor per pass over the data: sweeps are cheap, passes are not
_SETTLING = 10  # plain passes first: early momentum may carry the start into a worse basin
# Below this a coefficient is zero. Coefficients fade towards zero by factors, and numbers too small
# for the format's full precision make every product on a CPU tens of times slower.
_NOTHING = 1e-20


@dataclass
class Factors:
    """A batch of factorisations in progress; `basis_signed` marks semi-NMF."""

    coefficients: torch.Tensor  # (C, k, n) ≥ 0
    basis: torch.Tensor  # (C, k, d)
    iterations: torch.Tensor  # (C,)
    converged: torch.Tensor  # (C,) bool


def sweep(factor: torch.Tensor, products: torch.Tensor, gram: torch.Tensor) -> None:
    """One exact pass over the coordinates of a non-negative factor, in place (HALS).

    :param factor: (C, k, m) ≥ 0.
    :param products: (C, k, m): the other factor times the data.
    :param gram: (C, k, k): of the other factor; a zero on its diagonal leaves that row alone.
    """
    curvature = gram.diagonal(dim1=-2, dim2=-1)
    step = torch.where(curvature > 0, 1 / curvature, torch.zeros_like(curvature))
    scaled_gram = gram * step[:, :, None]
    target = products * step[:, :, None]
    for row in range(factor.shape[1]):
        current = factor[:, row]
        fitted = torch.bmm(scaled_gram[:, row : row + 1], factor)[:, 0]
        current.add_(target[:, row]).sub_(fitted)
        torch.threshold_(current, _NOTHING, 0.0)


def least_squares_basis(products: torch.Tensor, gram: torch.Tensor) -> torch.Tensor:
    """The unconstrained basis (UᵀU)⁺UᵀA of semi-NMF; unused concepts get rows of zeros."""
    device = gram.device
    wide = gram.cpu().double() if device.type == "mps" else widened(gram)
    scale = wide.diagonal(dim1=-2, dim2=-1).sqrt()
    inverse = torch.where(scale > 0, 1 / scale, torch.zeros_like(scale))
    unit = wide * inverse[:, :, None] * inverse[:, None, :]
    # Directions that the precision of the products cannot tell from nothing are left out.
    cutoff = 64 * torch.finfo(products.dtype).eps
    inverted = torch.linalg.pinv(unit, rtol=cutoff, hermitian=True)
    inverted = inverted * inverse[:, :, None] * inverse[:, None, :]
    return inverted.to(device, products.dtype) @ products


def alternate(
    activations: torch.Tensor,
    coefficients: torch.Tensor,
    basis: torch.Tensor,
    *,
    signed: bool,
    tolerance: float,
    max_iterations: int,
) -> Factors:
    """Minimise ‖A − UW‖² with U ≥ 0, and W ≥ 0 unless `signed`, until first-order optimal.

    Extrapolated HALS with restarts (Ang & Gillis 2019): the error never rises, since a step that
    would raise it is taken back. A class is done, and leaves the batch, when its optimality
    residual (see `optimality`) is at most `tolerance`, or when ten passes lower its squared error
    by less than a thousandth of `tolerance` of itself: semi-NMF need not attain its infimum.

    :param activations: (C, n, d).
    :param coefficients: (C, k, n) start.
    :param basis: (C, k, d) start.
    """
    classes = activations.shape[0]
    result = Factors(
        coefficients.clone(),
        basis.clone(),
        torch.zeros(classes, dtype=torch.int64),
        torch.zeros(classes, dtype=torch.bool),
    )
    state = _State(activations, coefficients, basis, signed)
    members = torch.arange(classes, device=activations.device)
    before = torch.full_like(state.error, torch.inf)
    for iteration in range(1, max_iterations + 1):
        state.step()
        last = iteration == max_iterations
        if iteration % _CHECK_EVERY and not last:
            continue
        stalled = before - state.error <= _STALL * tolerance * state.error
        before = state.error
        done = stalled | (optimality(state.data, state.u, state.w, signed) <= tolerance)
        leaving = torch.ones_like(done) if last else done
        if not bool(leaving.any()):
            continue
        gone = members[leaving]
        result.coefficients[gone], result.basis[gone] = state.u[leaving], state.w[leaving]
        result.iterations[gone.cpu()] = iteration
        result.converged[gone.cpu()] = done[leaving].cpu()
        members, before = members[~leaving], before[~leaving]
        if members.numel() == 0:
            break
        state.keep(~leaving)
    return result


class _State:
    """The iterate (u, w) and the extrapolated point (ue, we) of the classes still running."""

    def __init__(self, data: torch.Tensor, u: torch.Tensor, w: torch.Tensor, signed: bool) -> None:
        self.data, self.signed = data, signed
        self.u, self.w = u.clone(), w.clone()
        self.ue, self.we = u.clone(), w.clone()
        self.passes = 0
        device = data.device
        self.norm = squared_norm(data)
        shape = (data.shape[0], 1, 1)
        self.momentum = torch.full(shape, 0.5, device=device, dtype=data.dtype)
        self.ceiling = torch.ones(shape, device=device, dtype=data.dtype)
        self.error = torch.full(
            (data.shape[0],), torch.inf, device=device, dtype=accumulation_dtype(device)
        )

    def keep(self, kept: torch.Tensor) -> None:
        """Go on with the classes that `kept` (C,) marks."""
        for name in ("data", "u", "w", "ue", "we", "norm", "momentum", "ceiling", "error"):
            setattr(self, name, getattr(self, name)[kept])

    def step(self) -> None:
        """One pass over both factors, and the choice to keep or to take back the extrapolation."""
        self.passes += 1
        settling = self.passes <= _SETTLING
        sweeps = 1 if settling else _SWEEPS
        momentum = torch.zeros_like(self.momentum) if settling else self.momentum
        u = self.ue.clone()
        gram, products = self.we @ self.we.mT, self.we @ self.data.mT
        for _ in range(sweeps):
            sweep(u, products, gram)
        ue = (u + momentum * (u - self.u)).clamp_(min=0)
        gram, products = ue @ ue.mT, ue @ self.data
        if self.signed:
            w = least_squares_basis(products, gram)
        else:
            w = self.we.clone()
            for _ in range(sweeps):
                sweep(w, products, gram)
        # ‖A − UₑW‖² from products already at hand.
        error = self.norm + widened(w * (gram @ w - 2 * products)).sum((1, 2))
        # A rise within rounding is none: taking it back would only stop the momentum.
        rises = error > self.error + torch.finfo(w.dtype).eps * self.norm
        back = rises[:, None, None]
        if not settling:
            self._adapt_momentum(back)
        if bool(rises.any()):
            # The extrapolation overshot: go back to the last good pair, without momentum.
            self.ue = torch.where(back, self.u, ue)
            self.we = torch.where(back, self.w, self._moved_basis(w, momentum))
            self.u, self.w = torch.where(back, self.u, ue), torch.where(back, self.w, w)
        else:
            self.we = self._moved_basis(w, momentum)
            self.u = self.ue = ue
            self.w = w
        self.error = torch.minimum(self.error, error)

    def _moved_basis(self, w: torch.Tensor, momentum: torch.Tensor) -> torch.Tensor:
        moved = w + momentum * (w - self.w)
        return moved if self.signed else moved.clamp_(min=0)

    def _adapt_momentum(self, back: torch.Tensor) -> None:
        grown = torch.minimum(self.ceiling, self.momentum * 1.05)
        self.ceiling = torch.where(back, self.momentum, (self.ceiling * 1.01).clamp(max=1))
        self.momentum = torch.where(back, self.momentum / 1.5, grown)


def squared_norm(data: torch.Tensor) -> torch.Tensor:
    """‖A‖² of every class (C, n, d): rows in their own precision, their sum in the widest."""
    return widened(torch.linalg.vector_norm(data, dim=2)).square().sum(1)


def optimality(data: torch.Tensor, u: torch.Tensor, w: torch.Tensor, signed: bool) -> torch.Tensor:
    """How far a pair is from first-order optimal, (C,): 0 at a stationary point.

    The projected gradient of each factor relative to its data term, the larger of the two; it does
    not change when a concept is scaled.
    """
    scale = torch.linalg.vector_norm(w, dim=-1, keepdim=True)
    unit = w / torch.where(scale > 0, scale, torch.ones_like(scale))
    scaled = u * scale
    residual_u = _projected_gradient(scaled, unit @ data.mT, unit @ unit.mT, False)
    size = torch.linalg.vector_norm(u, dim=-1, keepdim=True)
    unit_u = u / torch.where(size > 0, size, torch.ones_like(size))
    residual_w = _projected_gradient(w * size, unit_u @ data, unit_u @ unit_u.mT, signed)
    return torch.maximum(residual_u, residual_w)


def _projected_gradient(
    factor: torch.Tensor, products: torch.Tensor, gram: torch.Tensor, signed: bool
) -> torch.Tensor:
    gradient = gram @ factor - products
    if not signed:
        gradient = torch.where(factor > 0, gradient, gradient.clamp(max=0))
    size = torch.linalg.vector_norm(products.flatten(1), dim=1)
    norm = torch.linalg.vector_norm(gradient.flatten(1), dim=1)
    return norm / torch.where(size > 0, size, torch.ones_like(size))
