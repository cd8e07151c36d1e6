"""What the figures of semantic similarity show, as plain arrays.

As in `data`: read-only arrays, missing numbers NaN, ids those of the project file.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MEAN = ""  # in place of a concept's name: the mean of all concepts

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class DepthLayer:
    """A layer and how deep it lies, 0…1 of the model's depth."""

    name: str
    depth: float


@dataclass(frozen=True)
class SemanticsIndex:
    """What a run holds. Both models may be the same.

    `layers`, `mask_layers`: of each model, for concepts given by examples and for concepts found.
    `images`, `image_names`: those that masks were made for. `settings`: what everything was
    measured with, as name and text. `left_out`: what could not be done, subject and reason.
    """

    run: int
    models: tuple[str, str]
    layers: tuple[tuple[DepthLayer, ...], tuple[DepthLayer, ...]]
    concepts: tuple[str, ...]
    mask_layers: tuple[tuple[DepthLayer, ...], tuple[DepthLayer, ...]]
    thresholds: tuple[float, ...]
    classes: tuple[str, ...]  # of TCAV
    images: np.ndarray  # int64
    image_names: tuple[str, ...]
    trained: tuple[bool, bool]
    settings: tuple[tuple[str, str], ...]
    left_out: tuple[tuple[str, str], ...]
    slice_name: str = ""  # of the slice that the images are of; empty: of all


@dataclass(frozen=True)
class SpaceSimilarityMatrix:
    """SFSS of every layer of A (rows) with every layer of B, for one concept or `MEAN`."""

    run: int
    concept: str
    layers_a: tuple[DepthLayer, ...]
    layers_b: tuple[DepthLayer, ...]
    pearson: np.ndarray
    spearman: np.ndarray
    ci_low: np.ndarray
    ci_high: np.ndarray
    null_95: np.ndarray
    p_adjusted: np.ndarray
    n: int  # images
    fisher: np.ndarray  # mean by Fisher's z, of `MEAN` alone


@dataclass(frozen=True)
class Separability:
    """How well each concept is told apart in each layer of a model; arrays (concepts, layers).

    `accuracy` is that of held-out examples; `separates`: above what permuted labels give.
    """

    run: int
    model: str
    layers: tuple[DepthLayer, ...]
    concepts: tuple[str, ...]
    accuracy: np.ndarray
    ci_low: np.ndarray
    ci_high: np.ndarray
    null_95: np.ndarray
    stability: np.ndarray
    separates: np.ndarray  # bool
    n_positive: np.ndarray
    n_negative: np.ndarray
    auc: np.ndarray


@dataclass(frozen=True)
class TcavScores:
    """TCAV of a model's layer; arrays (concepts, classes). A score of 0.5 means nothing by itself:
    `null_low`, `null_high` is the 95 % range of random concepts. `separates`: (concepts,)."""

    run: int
    model: str
    layer: str
    concepts: tuple[str, ...]
    classes: tuple[str, ...]
    score: np.ndarray
    ci_low: np.ndarray
    ci_high: np.ndarray
    null_low: np.ndarray
    null_high: np.ndarray
    p_adjusted: np.ndarray
    separates: np.ndarray  # bool: whether the concept's vector may be used at all


@dataclass(frozen=True)
class FoundConcept:
    """A concept found without labels in a layer."""

    number: int  # from 0
    importance: float
    class_name: str  # that the importance is for; empty without a classifier
    fidelity: float
    presence: float  # share of images that show it


@dataclass(frozen=True)
class MaskSimilarityMatrix:
    """UCS of every concept of a layer of A (rows) with every concept of a layer of B (columns).

    `ucs`: (thresholds, concepts of A, concepts of B), so that another threshold redraws at once;
    `matched`: the same shape, bool, the best assignment at each threshold.
    """

    run: int
    layer_a: str
    layer_b: str
    concepts_a: tuple[FoundConcept, ...]
    concepts_b: tuple[FoundConcept, ...]
    thresholds: np.ndarray
    ucs: np.ndarray
    ci_low: np.ndarray
    ci_high: np.ndarray
    null_95: np.ndarray
    matched: np.ndarray
    n: int  # images, at most: those in which neither concept has a mask do not count for a pair
    p_adjusted: np.ndarray  # for all pairs of a threshold
    slice_name: str = ""  # of the slice that all this is of; empty: of all images


@dataclass(frozen=True)
class ProjectedMasks:
    """Where two concepts are in the same images, before the threshold.

    `values_a`, `values_b`: (images, rows, columns) float32 0…1, at each layer's own resolution.
    `regions`: of each image the square that was looked at, in pixels of the upright original.
    """

    run: int
    layer_a: str
    concept_a: int
    layer_b: str
    concept_b: int
    images: np.ndarray
    regions: tuple[Box, ...]
    values_a: np.ndarray
    values_b: np.ndarray


@dataclass(frozen=True)
class ConceptSetInfo:
    """A concept given by examples. `source`: where they come from, in words."""

    id: int
    name: str
    kind: str  # folder, labels, patches
    source: str
    positives: int | None  # None: counted when it is used
    negatives: int | None  # None: drawn at random


@dataclass(frozen=True)
class ConceptExample:
    """An example kept in the project: a box of an image in pixels of the upright original."""

    id: int
    image: int
    box: Box
    role: str  # positive, negative
    image_name: str = ""  # its path within the image set
