"""What the figures of dissected units and of profiles show, as plain arrays.

As in `data`: read-only arrays, missing numbers NaN, ids those of the project file.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class UnitTable:
    """Every unit of a dissection run; each array has one entry a unit."""

    run: int
    quantile: float  # share of activations above a unit's threshold
    iou_threshold: float
    unit_id: np.ndarray  # int64: unit.id of the project file
    model: np.ndarray  # str
    layer: np.ndarray  # str
    unit: np.ndarray  # int: 0-based channel or feature
    concept: np.ndarray  # str; empty without a concept
    category: np.ndarray  # str; of the concept, or dead, failed threshold, not a number
    iou: np.ndarray
    null_iou: np.ndarray  # 95 % quantile of the best IoU with images shuffled
    p: np.ndarray  # of the best IoU, by permutation
    interpretable: np.ndarray  # bool
    threshold: np.ndarray  # in units of the activations
    active_fraction: np.ndarray  # 0…1


@dataclass(frozen=True)
class UnitCandidate:
    """A concept a unit may stand for."""

    concept: str
    category: str
    iou: float


@dataclass(frozen=True)
class UnitPatch:
    """One of the images that activate a unit most; the box is where it is active, in pixels of the
    upright original image."""

    patch_id: int
    rank: int
    image: int
    x: int
    y: int
    width: int
    height: int
    activation: float  # peak, in units of the activations
    mask: np.ndarray | None  # (side, side) bool over the box `frame`: active above the threshold
    frame: tuple[int, int, int, int]  # x, y, width, height of the analysed square in the original


@dataclass(frozen=True)
class UnitDetail:
    """One unit: what it may stand for and the images that activate it most."""

    unit_id: int
    run: int
    model: str
    layer: str
    unit: int
    concept: str
    category: str
    iou: float
    null_iou: float
    p: float
    interpretable: bool
    threshold: float
    active_fraction: float
    candidates: tuple[UnitCandidate, ...]
    patches: tuple[UnitPatch, ...]
    slice_name: str = ""  # of the slice that the patches are of; empty: of all images
    images_known: int = 0  # how many patches there are of all images, where they are of a slice


@dataclass(frozen=True)
class Profiles:
    """Dissect profiles of several models (LCE paper, Fig. 4).

    `units`: (models, concepts) interpretable units; `all_units`, `unique_concepts`:
    (models, categories), the abstracted profile counted both ways.
    """

    run: int
    models: tuple[str, ...]
    layers: tuple[str, ...]  # of each model
    concepts: tuple[str, ...]
    concept_categories: tuple[str, ...]  # of each concept
    categories: tuple[str, ...]
    units: np.ndarray
    all_units: np.ndarray
    unique_concepts: np.ndarray
    units_total: np.ndarray  # (models,) units of the layer
    not_counted: np.ndarray  # (models,) dead, failed threshold or not a number


@dataclass(frozen=True)
class ThresholdSweep:
    """How many units stay interpretable as the thresholds move; one entry a combination."""

    run: int
    model: np.ndarray
    layer: np.ndarray
    quantile: np.ndarray
    iou_threshold: np.ndarray
    units: np.ndarray
    concepts: np.ndarray
    run_quantile: float = float("nan")  # what the run itself was made with
    run_iou_threshold: float = float("nan")
