"""What the figures of saliency maps and of their faithfulness show, as plain arrays.

As in `data`: read-only arrays, missing numbers NaN, ids those of the project file. A method is
named by its label, as `gradcam` or `rollout(first=3,last=5)`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

OUTSIDE = -1  # image id of a picture that is not part of the project


class Cell(NamedTuple):
    """One map of a run."""

    image: int
    model: str
    method: str


@dataclass(frozen=True)
class MethodInfo:
    """A method as views name it."""

    label: str
    title: str
    kind: str  # cam, attention, relevance, null
    class_dependent: bool
    description: str


@dataclass(frozen=True)
class SaliencyIndex:
    """What a saliency run holds: enough to lay out the grid, without the maps.

    `available`: (images, models, methods) bool, whether there is a map. `settings`: what all
    numbers were measured with (preset, class, frame, steps, baselines …), as name and text for
    people. `refused`: model, method title, reason.
    """

    run: int  # 0: not a run
    models: tuple[str, ...]
    methods: tuple[MethodInfo, ...]
    images: np.ndarray  # int64: image.id, in order of label and path
    image_names: tuple[str, ...]
    image_labels: tuple[str, ...]  # empty text without a label
    available: np.ndarray
    layers: Mapping[tuple[str, str], str]  # of (model, method); empty text for null maps
    depth_models: tuple[str, ...]  # models whose attention of every layer and head is kept
    steps: int  # of insertion and deletion
    settings: tuple[tuple[str, str], ...]
    refused: tuple[tuple[str, str, str], ...]
    slice_name: str = ""  # of the slice that the images are of; empty: of all


@dataclass(frozen=True)
class SaliencyMap:
    """One map: `values` (rows, columns) float32 in the method's own units; larger: more important.

    `region`: x, y, width, height of the square it covers, in pixels of the upright original.
    """

    cell: Cell
    values: np.ndarray
    region: tuple[int, int, int, int]
    layer: str
    class_name: str  # empty where the class makes no difference
    score: float  # probability of the class
    tied: float  # share of pixels with the value of another pixel
    note: str


@dataclass(frozen=True)
class AttentionDepth:
    """Raw attention of an image in every layer and head of a model.

    `values`: (layers, heads, rows, columns) float32, each map 0…1 of its own range.
    """

    image: int
    model: str
    layers: tuple[str, ...]
    values: np.ndarray
    region: tuple[int, int, int, int]


@dataclass(frozen=True)
class MetricInfo:
    """A metric as tables head it."""

    key: str
    title: str
    better: str  # higher, lower, or empty: neither
    description: str  # what it is, with baseline, steps and class


@dataclass(frozen=True)
class FaithfulnessSummary:
    """Means over the images of a run; arrays are (metrics, models, methods).

    `best`: whether the method has the best mean of its model and the paired test, adjusted for the
    number of tests, tells it from every other method of that model. `level`: whether no test tells
    it from the best. `tied`: (models, methods) mean share of tied pixels.
    """

    run: int
    metrics: tuple[MetricInfo, ...]
    models: tuple[str, ...]
    methods: tuple[MethodInfo, ...]
    mean: np.ndarray
    ci_low: np.ndarray
    ci_high: np.ndarray
    n: np.ndarray  # int64
    best: np.ndarray  # bool
    level: np.ndarray  # bool
    tied: np.ndarray
    slice_name: str = ""  # of the slice that all this is of; empty: of all images


@dataclass(frozen=True)
class FaithfulnessComparisons:
    """Paired differences a − b over the same images; one entry a comparison: two methods of one
    model, or two models with one method."""

    run: int
    metric: np.ndarray  # str
    model_a: np.ndarray
    method_a: np.ndarray
    model_b: np.ndarray
    method_b: np.ndarray
    difference: np.ndarray
    ci_low: np.ndarray
    ci_high: np.ndarray
    p: np.ndarray
    p_adjusted: np.ndarray
    n: np.ndarray


@dataclass(frozen=True)
class Curve:
    """Probability of the class while pixels come in or go out, most important first.

    `fraction`, `scores`: (steps + 1,), from nothing changed to everything.
    """

    cell: Cell
    kind: str  # insertion, deletion
    fraction: np.ndarray
    scores: np.ndarray
    auc: float


@dataclass(frozen=True)
class MeanCurve:
    """Mean of all images of a run, with its 95 % interval (bootstrap over images)."""

    model: str
    method: str
    kind: str
    fraction: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    n: int
    auc: float


@dataclass(frozen=True)
class Curves:
    """Curves of chosen cells, and the means of the same models and methods."""

    run: int
    curves: tuple[Curve, ...]
    means: tuple[MeanCurve, ...]
    slice_name: str = ""  # of the slice that the means are of; empty: of all images


@dataclass(frozen=True)
class StepPicture:
    """The image as the model saw it at one step of a curve: `pixels` (side, side, 3) uint8."""

    cell: Cell
    kind: str
    step: int
    pixels: np.ndarray


@dataclass(frozen=True)
class ExplainedBy:
    """A model that explained a picture, as it was then."""

    name: str
    specification: str
    weights_sha256: str | None


@dataclass(frozen=True)
class ExplanationOrigin:
    """How an explanation came about.

    `sha256`: of the picture's file. `parameters`: target, methods, resize and frame, as of the
    audit `saliency`. `models`: those whose maps there are.
    """

    sha256: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    models: tuple[ExplainedBy, ...] = ()
    device: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Explanation:
    """A picture explained outside of any run; its image id is `OUTSIDE` unless it is the project's.

    `pixels`: (side, side, 3) uint8, the square that the models saw.
    """

    name: str
    pixels: np.ndarray
    index: SaliencyIndex
    maps: tuple[SaliencyMap, ...]
    depths: tuple[AttentionDepth, ...]
    problems: tuple[tuple[str, str], ...]
    origin: ExplanationOrigin = ExplanationOrigin()
