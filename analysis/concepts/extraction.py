"""Concepts of a layer: activations as non-negative combinations of a few directions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch

from analysis.concepts import initialisation
from analysis.concepts.alternating import (
    Factors,
    alternate,
    least_squares_basis,
    squared_norm,
    sweep,
)
from analysis.concepts.nonnegative_least_squares import fit_coefficients
from analysis.concepts.presets import Preset, check_preset
from analysis.concepts.reference_factorization import (
    NMF_ITERATIONS,
    NMF_TOLERANCE,
    SEMI_NMF_ITERATIONS,
    coordinate_descent_nmf,
    multiplicative_semi_nmf,
)
from analysis.errors import AuditError
from analysis.statistics.numerics import require_finite, seeded_generator

Method = Literal["auto", "nmf", "semi-nmf"]
Initial = Literal["nndsvd", "random"]

PAPER_TOLERANCE = 1e-4
PAPER_ITERATIONS = 1000


@dataclass(frozen=True)
class Factorization:
    """A ≈ UW for a batch of C classes, with n patches, k concepts and d channels.

    `relative_error` is ‖A − UW‖/‖A‖ (0 for activations that are zero throughout). The rows of
    `basis` have unit length, so coefficients are in units of the activations; a concept that the
    data do not support is zero in both factors.
    """

    coefficients: torch.Tensor  # U (C, n, k) ≥ 0
    basis: torch.Tensor  # W (C, k, d)
    relative_error: torch.Tensor  # (C,)
    iterations: torch.Tensor  # (C,)
    converged: torch.Tensor  # (C,) bool
    method: str  # nmf or semi-nmf


def factorize(
    activations: torch.Tensor,
    components: int = 10,
    method: Method = "auto",
    seeds: Sequence[int] | int = 0,
    tolerance: float | None = None,
    max_iterations: int | None = None,
    initial: Initial = "nndsvd",
    preset: Preset = "paper",
) -> Factorization:
    """Factorise the activations of every class: U ≥ 0, and for NMF also W ≥ 0 (paper, 3.1).

    `paper`: extrapolated HALS until the projected gradient is `tolerance` (1e-4) of its data term,
    then exact coefficients for the basis found. `reference`: scikit-learn's coordinate descent and
    stopping rule (200 iterations, 1e-4), or 10 multiplicative iterations of semi-NMF from a
    uniform start, which is seeded here.

    :param activations: (C, n, d) floats; classes with fewer patches are padded with rows of zeros.
    :param components: k; more than the data's rank leaves concepts that are zero.
    :param method: `auto` takes NMF where no activation is negative, else semi-NMF.
    :param seeds: one seed, or one a class.
    :param initial: `nndsvd` starts from the singular vectors, `random` from seeded patches.
    :raises AuditError: non-finite activations, negative ones with `nmf`, or no component or patch.
    """
    check_preset(preset)
    classes, rows, channels = activations.shape
    if components < 1 or not classes or not rows or not channels:
        raise AuditError("There is nothing to factorise.", "Ask for at least one concept.")
    # One pass over the data: the extremes of data with NaN are NaN.
    lowest, highest = activations.amin((1, 2)), activations.amax((1, 2))
    require_finite(lowest + highest, "Activations")
    negative = bool((lowest < 0).any())
    if method == "nmf" and negative:
        raise AuditError(
            "Some activations are negative, which NMF cannot take.", "Use semi-NMF or auto."
        )
    signed = method == "semi-nmf" or (method == "auto" and negative)
    seed_list = [seeds] * classes if isinstance(seeds, int) else list(seeds)
    scale = _safe_scale(torch.maximum(-lowest, highest))
    data = activations if bool((scale == 1).all()) else activations / scale
    if preset == "reference":
        factors = _reference(
            data, components, signed, seed_list, initial, tolerance, max_iterations
        )
    else:
        factors = _paper(data, components, signed, seed_list, initial, tolerance, max_iterations)
    return _finish(activations, data, scale, factors, signed, preset)


def _safe_scale(largest: torch.Tensor) -> torch.Tensor:
    """What to divide classes by (C, 1, 1): 1, unless squares would leave the format's range."""
    extreme = (largest > 0) & ((largest < 1e-6) | (largest > 1e6))
    return torch.where(extreme, largest, torch.ones_like(largest))[:, None, None]


def _paper(
    data: torch.Tensor,
    components: int,
    signed: bool,
    seeds: list[int],
    initial: Initial,
    tolerance: float | None,
    max_iterations: int | None,
) -> Factors:
    u, w = _start(data, components, signed, seeds, initial)
    return alternate(
        data,
        u,
        w,
        signed=signed,
        tolerance=PAPER_TOLERANCE if tolerance is None else tolerance,
        max_iterations=PAPER_ITERATIONS if max_iterations is None else max_iterations,
    )


def _reference(
    data: torch.Tensor,
    components: int,
    signed: bool,
    seeds: list[int],
    initial: Initial,
    tolerance: float | None,
    max_iterations: int | None,
) -> Factors:
    if signed:
        rows = data.shape[1]
        uniform = torch.stack(
            [torch.rand(rows, components, generator=seeded_generator(seed)).T for seed in seeds]
        )
        uniform = uniform.to(data.device, data.dtype) * data.ne(0).any(2)[:, None, :]
        return multiplicative_semi_nmf(
            data, uniform, SEMI_NMF_ITERATIONS if max_iterations is None else max_iterations
        )
    u, w = _start(data, components, signed, seeds, initial)
    return coordinate_descent_nmf(
        data,
        u,
        w,
        NMF_TOLERANCE if tolerance is None else tolerance,
        NMF_ITERATIONS if max_iterations is None else max_iterations,
    )


def _start(
    data: torch.Tensor, components: int, signed: bool, seeds: list[int], initial: Initial
) -> tuple[torch.Tensor, torch.Tensor]:
    if initial == "nndsvd" and not signed:
        return initialisation.nndsvd(data, components, seeds)
    if initial == "nndsvd":
        u = initialisation.signed_parts(data, components, seeds)
        return u, least_squares_basis(u @ data, u @ u.mT)
    if initial != "random":
        raise AuditError(f"Unknown start “{initial}”.", "Choose nndsvd or random.")
    w = initialisation.data_rows(data, components, seeds)
    u = torch.zeros(data.shape[0], components, data.shape[1], dtype=data.dtype, device=data.device)
    sweep(u, w @ data.mT, w @ w.mT)
    return u, w


def _finish(
    activations: torch.Tensor,
    data: torch.Tensor,
    scale: torch.Tensor,
    factors: Factors,
    signed: bool,
    preset: Preset,
) -> Factorization:
    lengths = torch.linalg.vector_norm(factors.basis, dim=-1, keepdim=True)
    used = (lengths > 0) & (factors.coefficients.amax(-1, keepdim=True) > 0)
    basis = torch.where(used, factors.basis / torch.where(used, lengths, 1.0), 0.0)
    if preset == "paper":
        u = fit_coefficients(data, basis)
    else:
        u = torch.where(used, factors.coefficients * lengths, 0.0).mT
    norms = squared_norm(data)
    errors = [squared_norm((a - c @ w)[None]) for a, c, w in zip(data, u, basis, strict=True)]
    relative = (torch.cat(errors) / norms).sqrt().nan_to_num(0.0)
    return Factorization(
        coefficients=(u * scale).contiguous(),
        basis=basis,
        relative_error=relative.to(activations.dtype),
        iterations=factors.iterations,
        converged=factors.converged,
        method="semi-nmf" if signed else "nmf",
    )


__all__ = ["Factorization", "factorize", "fit_coefficients"]
