"""A small made-up embedding as the view gets it: five models, one of them only projected."""

from __future__ import annotations

import numpy as np

from analysis.figures.embedding_data import (
    ConceptCounts,
    CorrelationMatrix,
    EmbeddingLoadings,
    EmbeddingPoints,
    EnsembleGains,
    GroupChoice,
    PerformanceSurface,
    Stability,
)
from analysis.figures.unit_data import Profiles

MODELS = ("Zeta", "Alpha", "Mid", "Low", "Newcomer")
CONCEPTS = ("food", "food", "wheel", "sky", "red")
CATEGORIES = ("material", "object", "part", "object", "color")


def points() -> EmbeddingPoints:
    where = np.array(
        [[-2.0, 1.0, 0.5], [-1.0, 1.5, -0.5], [1.0, -1.0, 1.0], [2.0, 0.0, 0.0], [0.0, -2.0, 0.3]]
    )
    covariance = np.repeat(np.diag([0.04, 0.09, 0.01])[None], 5, axis=0)
    covariance[4] = np.nan
    return EmbeddingPoints(
        run=3,
        preset="default",
        models=MODELS,
        points=where,
        covariance=covariance,
        group=("B", "B", "A", "A", ""),
        fitted=np.array([True, True, True, True, False]),
        explained_variance=np.array([0.6, 0.177, 0.1]),
        null_95=np.array([0.48, 0.254, 0.137]),
    )


def loadings() -> EmbeddingLoadings:
    return EmbeddingLoadings(
        run=3,
        concepts=CONCEPTS,
        categories=CATEGORIES,
        loadings=np.array(
            [[0.8, -0.6, 0.0, 0.0, 0.0], [0.0, 0.1, 0.9, -0.4, 0.1], [0.1, 0.2, 0.3, 0.4, 0.5]]
        ),
    )


def profiles() -> Profiles:
    units = np.array(
        [[9, 1, 0, 4, 0], [7, 2, 1, 4, 1], [1, 3, 5, 4, 0], [0, 2, 6, 5, 2], [2, 2, 2, 2, 2]]
    )
    kinds = ("object", "part", "material", "color")
    of = [[i for i, c in enumerate(CATEGORIES) if c == kind] for kind in kinds]
    return Profiles(
        run=3,
        models=MODELS,
        layers=("layer4",) * 5,
        concepts=CONCEPTS,
        concept_categories=CATEGORIES,
        categories=kinds,
        units=units,
        all_units=np.stack([units[:, i].sum(1) for i in of], axis=1),
        unique_concepts=np.stack([(units[:, i] > 0).sum(1) for i in of], axis=1),
        units_total=np.full(5, 2048),
        not_counted=np.array([0, 0, 3, 0, 0]),
    )


def correlations(kind: str) -> CorrelationMatrix:
    rows = ("ImageNet", "Cars") if kind == "performance" else ("object (all)", "color (unique)")
    return CorrelationMatrix(
        run=3,
        kind=kind,
        rows=rows,
        r=np.array([[-0.804, 0.11, 0.23], [0.5, np.nan, -0.6]]),
        p=np.array([[0.0004, 0.4, 0.3], [0.02, np.nan, 0.5]]),
        p_adjusted=np.array([[0.02, 0.6, 0.6], [0.06, np.nan, 0.7]]),
        n=np.array([[4, 4, 4], [4, 2, 4]]),
    )


def groups() -> GroupChoice:
    return GroupChoice(
        run=3,
        k=np.array([1, 2, 3]),
        inertia=np.array([20.0, 6.0, 3.0]),
        silhouette=np.array([np.nan, 0.35, 0.45]),
        chosen=2,
    )


def stability() -> Stability:
    return Stability(
        run=3,
        kind=np.array(["iou threshold", "unit bootstrap", "leave one out"]),
        setting=np.array(["0.1", "1000 draws", "Zeta"]),
        agreement=np.array([0.44, 0.81, 1.0]),
        displacement=np.array([0.5, 0.2, np.nan]),
    )


def surface(x: int = 1, y: int = 2) -> PerformanceSurface:
    return PerformanceSurface(
        run=3,
        task="ImageNet",
        component_x=x,
        component_y=y,
        x=np.linspace(-3, 3, 4),
        y=np.linspace(-2, 2, 3),
        value=np.arange(12.0).reshape(3, 4),
        models=MODELS[:4],
        performance=np.array([60.0, 61.0, 70.0, 75.0]),
        neighbours=4,
    )


def counts(component: int = 1) -> ConceptCounts:
    return ConceptCounts(
        run=3,
        concept="food",
        category="material",
        component=component,
        models=MODELS[:4],
        units=np.array([9, 7, 1, 0]),
        position=points().points[:4, component - 1],
        r=-0.97,
    )


def ensembles() -> EnsembleGains:
    gain = np.array([[np.nan, 0.02, -0.01], [0.02, np.nan, 0.001], [-0.01, 0.001, np.nan]])
    return EnsembleGains(
        run=4,
        task="linear probe",
        models=MODELS[:3],
        performance=np.array([0.701, 0.652, 0.8]),
        gain=gain,
        ci_low=gain - 0.005,
        ci_high=gain + 0.005,
    )
