"""What each figure shows, as plain arrays: the one thing that both the screen and a file draw.

All arrays are read-only numpy arrays; a missing number is NaN. Ids are those of the project file.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class LayerSimilarity:
    """Similarity of every layer of model A to every layer of model B (paper, Fig. 5).

    `values`, `ci_low`, `ci_high`, `null_95`: (layers of A, layers of B), correlations in −1…1.
    """

    run: int
    model_a: str
    model_b: str
    layers_a: tuple[str, ...]
    layers_b: tuple[str, ...]
    depths_a: np.ndarray
    depths_b: np.ndarray
    measure: str  # one of readers.LAYER_MEASURES
    values: np.ndarray
    ci_low: np.ndarray
    ci_high: np.ndarray
    null_95: np.ndarray
    classes: np.ndarray  # (layers of A, layers of B): classes behind each value
    classes_done: int
    classes_total: int


@dataclass(frozen=True)
class ConceptPoints:
    """Every concept of both models of a run (paper, Fig. 3); each array has one entry a concept.

    `side` is "a" or "b": whose concept it is; the other model predicts it.
    """

    run: int
    model_a: str
    model_b: str
    layer_a: str
    layer_b: str
    concept_id: np.ndarray  # int64: concept.id of the project file
    side: np.ndarray  # str
    class_name: np.ndarray  # str
    concept: np.ndarray  # int: 0-based index within its class and model
    cmcs_pearson: np.ndarray
    cmcs_spearman: np.ndarray
    ci_low: np.ndarray
    ci_high: np.ndarray
    null_95: np.ndarray
    smcs_pearson: np.ndarray
    mcs_pearson: np.ndarray
    importance: np.ndarray  # share of the model's most important concept, 0…1; NaN without a head
    stability: np.ndarray  # best match across seeds, 0…1
    reconstruction_error: np.ndarray  # relative, 0…1
    nonzero_weights: np.ndarray
    n_images: np.ndarray
    slice_name: str = ""  # of the slice that all this is of; empty: of all images


@dataclass(frozen=True)
class ConceptPatch:
    """One patch of a concept's grids; the box is in pixels of the upright original image."""

    patch_id: int
    kind: str  # top, under or over
    rank: int
    image: int
    x: int
    y: int
    width: int
    height: int
    coefficient: float
    predicted: float


@dataclass(frozen=True)
class ConceptDetail:
    """One concept: real against predicted coefficients and its patches (paper, Fig. 2)."""

    concept_id: int
    run: int
    side: str
    class_name: str
    concept: int
    target_model: str
    target_layer: str
    predictor_model: str
    predictor_layer: str
    cmcs_pearson: float
    cmcs_spearman: float
    ci_low: float
    ci_high: float
    null_95: float
    smcs_pearson: float
    mcs_pearson: float
    importance: float
    stability: float
    reconstruction_error: float
    n_images: int
    real: np.ndarray  # (patches,) coefficients, in units of the activations
    predicted: np.ndarray  # (patches,)
    image: np.ndarray  # (patches,) int64: image.id
    box: np.ndarray  # (patches, 4) int: x, y, width, height in the upright original image
    top: tuple[ConceptPatch, ...]
    under: tuple[ConceptPatch, ...]
    over: tuple[ConceptPatch, ...]
    slice_name: str = ""  # of the slice that all this is of; empty: of all images


@dataclass(frozen=True)
class ReplacementPoints:
    """The replacement test of every concept (paper, Fig. 4); one entry a concept."""

    run: int
    model_a: str
    model_b: str
    concept_id: np.ndarray
    side: np.ndarray
    class_name: np.ndarray
    concept: np.ndarray
    importance: np.ndarray
    delta_pearson: np.ndarray  # same-model minus cross-model similarity
    l2: np.ndarray  # activations, mean distance
    kl: np.ndarray  # logits, nats; NaN without a head
    match_accuracy: np.ndarray  # 0…1; NaN without a head
