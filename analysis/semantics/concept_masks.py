"""ICE: concepts found without labels in spatial maps, and where they are in an image.

Zhang et al. 2021: the maps of all images are factorised, every position being a row, into
non-negative concepts; a new image's coefficients are those of the concepts found. A mask is what
is left above a threshold of the coefficients, normalised and brought to the image's size first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch

from analysis.concepts.extraction import factorize
from analysis.concepts.nonnegative_least_squares import fit_coefficients
from analysis.errors import AuditError
from analysis.seeds import derive_seed
from analysis.statistics.numerics import require_finite, seeded_generator

Rectification = Literal["none", "relu", "split"]
RectificationChoice = Literal["auto", "none", "relu", "split"]
Normalisation = Literal["image", "data set"]
NORMALISATIONS: tuple[Normalisation, ...] = ("image", "data set")
COMPONENTS = 10

_ROUNDING = 1e-6  # of a concept's peak: coefficients below are none, and must not be scaled up
_ROW_VALUES = 1 << 22  # activations projected at once


@dataclass(frozen=True)
class IceConcepts:
    """k concepts of a layer with `channels` channels.

    `basis`: (k, d) ≥ 0, unit rows; d is `channels`, or twice that with “split”. `peak`: (k,) the
    greatest coefficient in the data they were found in, 0 for a concept that the data do not
    support. `rectification`: what was done with negative activations: “none” (there were none),
    “relu” (set to 0), “split” (positive and negative parts as channels of their own). `lost`: the
    share of squared activation that this took away. `relative_error`: ‖A − UW‖/‖A‖ of the
    rectified activations.
    """

    basis: torch.Tensor
    peak: torch.Tensor
    channels: int
    rectification: Rectification
    lost: float
    relative_error: float
    iterations: int
    converged: bool

    @property
    def directions(self) -> torch.Tensor:
        """Where each concept points in the space of the layer's own channels, (k, channels)."""
        if self.rectification != "split":
            return self.basis
        return self.basis[:, : self.channels] - self.basis[:, self.channels :]


def find_concepts(
    maps: torch.Tensor,
    components: int = COMPONENTS,
    rectification: RectificationChoice = "auto",
    positions: int | None = None,
    seed: int = 0,
) -> IceConcepts:
    """Factorise the maps of a layer by NMF (`analysis.concepts.extraction`).

    :param maps: (images, channels, rows, columns).
    :param rectification: “auto” is “none” where no activation is negative, else “relu”.
    :param positions: how many positions to draw, at most, for the factorisation; all if None. The
        peaks are always of all.
    :raises AuditError: no maps, activations that are not finite, negative ones with “none”.
    """
    _check_maps(maps)
    require_finite(maps, "Activations")
    chosen = _choose_rectification(maps, rectification)
    rows = _rows(maps.float())
    rectified = _rectified(rows, chosen)
    lost = 0.0
    if chosen == "relu":
        whole = float(rows.square().sum(dtype=torch.float32))
        lost = float(rows.clamp(max=0).square().sum(dtype=torch.float32)) / whole if whole else 0.0
    sample = rectified
    if positions is not None and positions < len(rectified):
        generator = seeded_generator(derive_seed(seed, "positions"))
        drawn = torch.randperm(len(rectified), generator=generator)[:positions]
        sample = rectified[drawn.sort().values.to(rectified.device)]
    found = factorize(
        sample[None], components, "nmf", derive_seed(seed, "concepts of spatial maps")
    )
    basis = found.basis[0]
    coefficients = found.coefficients[0] if sample is rectified else _coefficients(rectified, basis)
    return IceConcepts(
        basis=basis,
        peak=coefficients.amax(0),
        channels=maps.shape[1],
        rectification=chosen,
        lost=lost,
        relative_error=float(found.relative_error[0]),
        iterations=int(found.iterations[0]),
        converged=bool(found.converged[0]),
    )


def project(concepts: IceConcepts, maps: torch.Tensor) -> torch.Tensor:
    """The coefficients of new images, exact non-negative least squares at every position.

    :param maps: (n, channels, rows, columns), of any number of positions.
    :returns: (n, k, rows, columns) float32 ≥ 0.
    :raises AuditError: another number of channels, activations that are not finite, or negative
        ones where the concepts were found without any.
    """
    _check_maps(maps)
    if maps.shape[1] != concepts.channels:
        raise AuditError(
            f"The maps have {maps.shape[1]} channels and the concepts {concepts.channels}.",
            "Take both from the same layer.",
        )
    require_finite(maps, "Activations")
    if concepts.rectification == "none" and bool((maps < 0).any()):
        raise AuditError(
            "Some activations are negative; those the concepts were found in were not.",
            "Find the concepts again with a rectification.",
        )
    rows = _rectified(_rows(maps.float()), concepts.rectification)
    found = _coefficients(rows, concepts.basis.to(rows.device))
    n, _, height, width = maps.shape
    return found.reshape(n, height, width, -1).permute(0, 3, 1, 2).contiguous()


def reconstruct(concepts: IceConcepts, coefficients: torch.Tensor) -> torch.Tensor:
    """The maps that coefficients (n, k, rows, columns) stand for: (n, channels, rows, columns).

    After “split” the negative part is negative again; after “relu” it is lost.
    """
    return torch.einsum("nkhw,kc->nchw", coefficients, concepts.directions.to(coefficients))


def normalised(
    coefficients: torch.Tensor,
    peak: torch.Tensor,
    by: Normalisation = "image",
    gate: float = 0.0,
) -> torch.Tensor:
    """Coefficients on a scale from 0, not yet enlarged.

    By image, each image's greatest coefficient of a concept becomes 1, as in ICE: then every
    image in which it is not exactly nothing has a mask, however faint it is there. By data set,
    the greatest of all images becomes 1; new images may exceed it. The presence gate takes a
    concept out of the images in which it nowhere reaches `gate` of the data set's greatest.

    :param coefficients: (n, k, rows, columns) ≥ 0; what is negative counts as 0.
    :param peak: (k,) the data set's greatest (`IceConcepts.peak`).
    :raises AuditError: an unknown normalisation, or a gate outside 0…1.
    """
    if by not in NORMALISATIONS:
        raise AuditError(f"Unknown normalisation “{by}”.", "Choose by image or by data set.")
    if not 0 <= gate <= 1:
        raise AuditError("The presence gate is a share between 0 and 1.")
    values = coefficients.clamp(min=0)
    own = values.amax((2, 3), keepdim=True)
    whole = peak.to(values)[None, :, None, None]
    scale = own if by == "image" else whole.expand_as(own)
    present = (own > _ROUNDING * whole) & (own >= gate * whole) & (scale > 0)
    return torch.where(present, values / torch.where(scale > 0, scale, 1.0), 0.0)


def enlarged(values: torch.Tensor, side: int) -> torch.Tensor:
    """Maps (n, k, rows, columns) at side × side pixels, bilinear (half-pixel centres)."""
    return torch.nn.functional.interpolate(
        values, size=(side, side), mode="bilinear", align_corners=False
    )


def _check_maps(maps: torch.Tensor) -> None:
    if maps.ndim != 4 or not maps.numel():
        raise AuditError(
            f"Spatial concepts need maps (images, channels, rows, columns), not"
            f" {tuple(maps.shape)}.",
            "Choose a layer whose outputs are maps or tokens on a grid.",
        )


def _choose_rectification(maps: torch.Tensor, choice: RectificationChoice) -> Rectification:
    negative = bool((maps < 0).any())
    if choice == "auto":
        return "relu" if negative else "none"
    if choice not in ("none", "relu", "split"):
        raise AuditError(f"Unknown rectification “{choice}”.", "Choose none, relu or split.")
    if choice == "none" and negative:
        raise AuditError(
            "Some activations are negative, which NMF cannot take.",
            "Choose the rectification relu or split.",
        )
    return choice


def _rows(maps: torch.Tensor) -> torch.Tensor:
    """(images, channels, rows, columns) as (positions, channels)."""
    return maps.permute(0, 2, 3, 1).reshape(-1, maps.shape[1])


def _rectified(rows: torch.Tensor, rectification: Rectification) -> torch.Tensor:
    if rectification == "none":
        return rows
    if rectification == "relu":
        return rows.clamp(min=0)
    return torch.cat([rows.clamp(min=0), (-rows).clamp(min=0)], 1)


def _coefficients(rows: torch.Tensor, basis: torch.Tensor) -> torch.Tensor:
    step = max(1, _ROW_VALUES // rows.shape[1])
    return torch.cat([fit_coefficients(part[None], basis[None])[0] for part in rows.split(step)])
