"""Made-up results as the views get them, and an image source in memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QColor, QPixmap

from analysis.figures.data import (
    ConceptDetail,
    ConceptPatch,
    ConceptPoints,
    LayerSimilarity,
    ReplacementPoints,
)

MODEL_A, MODEL_B = "EfficientNet-Lite0", "EfficientNet-Lite2"
CLASSES = (
    "bird", "clothing", "fish", "flower", "fruit", "insect", "instrument", "mammal", "tool",
    "vehicle",
)  # fmt: skip


class MemorySource(QObject):
    """Colours in place of pictures; `later` answers only when `deliver` is called."""

    ready = Signal(int)

    def __init__(self, later: bool = False, missing: frozenset[int] = frozenset()) -> None:
        super().__init__()
        self.later, self.missing = later, missing
        self.delivered: set[int] = set()
        self.asked: list[tuple[int, object, int]] = []
        self.files: dict[int, Path] = {}

    def request(self, image_id: int, box: object, size: int) -> QPixmap | None:
        self.asked.append((image_id, box, size))
        if image_id in self.missing or (self.later and image_id not in self.delivered):
            return None
        pixmap = QPixmap(size, size)
        pixmap.fill(QColor.fromHsv(image_id * 37 % 360, 160, 200))
        return pixmap

    def deliver(self, image_id: int) -> None:
        self.delivered.add(image_id)
        self.ready.emit(image_id)

    def path(self, image_id: int) -> Path | None:
        return self.files.get(image_id)


def layer_similarity(
    layers_a: tuple[str, ...], layers_b: tuple[str, ...], seed: int = 0, holes: int = 0
) -> LayerSimilarity:
    """High on the diagonal of depth, decaying, with some cells below their null."""
    rng = np.random.default_rng(seed)
    depth_a, depth_b = np.linspace(0, 1, len(layers_a)), np.linspace(0, 1, len(layers_b))
    apart = np.abs(np.subtract.outer(depth_a, depth_b))
    values = 0.86 - 0.2 * np.add.outer(depth_a, depth_b) / 2 - 0.62 * apart
    values += rng.normal(0, 0.015, values.shape)
    null = np.full(values.shape, 0.31) + rng.normal(0, 0.01, values.shape)
    classes = np.full(values.shape, 10)
    if holes:
        values[-holes:, -1] = np.nan
        classes[-holes:, -1] = 0
    return LayerSimilarity(
        run=1,
        model_a=MODEL_A,
        model_b=MODEL_B,
        layers_a=layers_a,
        layers_b=layers_b,
        depths_a=depth_a,
        depths_b=depth_b,
        measure="mmcs_pearson",
        values=values,
        ci_low=values - 0.06,
        ci_high=values + 0.05,
        null_95=null,
        classes=classes,
        classes_done=10,
        classes_total=10,
    )


def concept_points(count: int = 200, classes: tuple[str, ...] = CLASSES) -> ConceptPoints:
    """Concepts of both models, ids far from row numbers; the last one has no importance."""
    rng = np.random.default_rng(3)
    # ids in no order: a view that took rows for ids would be caught
    ids = 1000 + 7 * rng.permutation(count)
    similarity = np.clip(rng.beta(4, 2.4, count), 0.02, 0.97)
    importance = np.clip(rng.beta(0.9, 3.2, count) * 1.25 + 0.15 * similarity**3, 0, 1)
    if count > 1:
        importance[-1] = np.nan
    half = 0.03 + 0.05 * rng.random(count)
    return ConceptPoints(
        run=2,
        model_a=MODEL_A,
        model_b=MODEL_B,
        layer_a="penultimate",
        layer_b="penultimate",
        concept_id=ids.astype(np.int64),
        side=np.where(np.arange(count) % 2 == 0, "a", "b"),
        class_name=np.array([classes[i // 2 % len(classes)] for i in range(count)]),
        concept=(np.arange(count) // (2 * len(classes))) % 10,
        cmcs_pearson=similarity,
        cmcs_spearman=similarity - 0.03,
        ci_low=similarity - half,
        ci_high=np.minimum(1, similarity + half),
        null_95=0.12 + 0.03 * rng.random(count),
        smcs_pearson=np.minimum(0.99, similarity + 0.2 * rng.random(count)),
        mcs_pearson=similarity * 0.8,
        importance=importance,
        stability=np.where(rng.random(count) < 0.1, np.nan, 0.6 + 0.4 * rng.random(count)),
        reconstruction_error=0.2 + 0.1 * rng.random(count),
        nonzero_weights=rng.integers(4, 60, count).astype(float),
        n_images=np.full(count, 40.0),
    )


def replacement_points(points: ConceptPoints, heads: bool = True) -> ReplacementPoints:
    """The replacement test of the same concepts."""
    rng = np.random.default_rng(5)
    change = points.smcs_pearson - points.cmcs_pearson
    importance = points.importance
    nothing = np.full(len(change), np.nan)
    return ReplacementPoints(
        run=points.run,
        model_a=points.model_a,
        model_b=points.model_b,
        concept_id=points.concept_id,
        side=points.side,
        class_name=points.class_name,
        concept=points.concept,
        importance=importance,
        delta_pearson=change,
        l2=2.2 * change + 0.2 * rng.random(len(change)),
        kl=np.maximum(0, importance * change * 2 + 0.01 * rng.random(len(change)))
        if heads
        else nothing,
        match_accuracy=np.clip(1 - importance * change * 3, 0, 1) if heads else nothing,
    )


def concept_detail(
    concept_id: int = 1007, patches: int = 640, kept: int = 10, images: int = 40
) -> ConceptDetail:
    """A concept that the other model predicts in part, with its three patch sets."""
    rng = np.random.default_rng(concept_id)
    real = np.maximum(0, rng.gamma(1.2, 0.9, patches) - 0.4)
    predicted = 0.55 * real + 0.3 + rng.normal(0, 0.45, patches)
    image = np.arange(patches) // max(1, patches // images) % images + 1
    slot = np.arange(patches) % 16
    box = np.stack([slot % 4 * 51, slot // 4 * 51, *np.full((2, patches), 64)], axis=1)

    def chosen(kind: str, order: np.ndarray, start: int) -> tuple[ConceptPatch, ...]:
        return tuple(
            ConceptPatch(
                patch_id=concept_id * 100 + start + rank,
                kind=kind,
                rank=rank,
                image=int(image[i]),
                x=int(box[i, 0]),
                y=int(box[i, 1]),
                width=64,
                height=64,
                coefficient=float(real[i]),
                predicted=float(predicted[i]),
            )
            for rank, i in enumerate(order[:kept].tolist())
        )

    return ConceptDetail(
        concept_id=concept_id,
        run=2,
        side="a",
        class_name="mammal",
        concept=6,
        target_model=MODEL_A,
        target_layer="penultimate",
        predictor_model=MODEL_B,
        predictor_layer="penultimate",
        cmcs_pearson=0.54,
        cmcs_spearman=0.51,
        ci_low=0.46,
        ci_high=0.61,
        null_95=0.11,
        smcs_pearson=0.83,
        mcs_pearson=0.48,
        importance=0.42,
        stability=0.93,
        reconstruction_error=0.24,
        n_images=images,
        real=real,
        predicted=predicted,
        image=image,
        box=box,
        top=chosen("top", np.argsort(-real), 0),
        under=chosen("under", np.argsort(predicted - real), 20),
        over=chosen("over", np.argsort(real - predicted), 40),
    )


@pytest.fixture
def make_layers() -> Callable[..., LayerSimilarity]:
    return layer_similarity


@pytest.fixture
def make_points() -> Callable[..., ConceptPoints]:
    return concept_points


@pytest.fixture
def make_replacement() -> Callable[..., ReplacementPoints]:
    return replacement_points


@pytest.fixture
def make_detail() -> Callable[..., ConceptDetail]:
    return concept_detail


@pytest.fixture
def make_source() -> Callable[..., MemorySource]:
    return MemorySource
