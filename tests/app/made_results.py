"""Made-up results of the audits that take any number of models, as those audits write them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.audits.parameters import parameter
from analysis.name_lists import split_names
from analysis.project import Project
from tests.app.made_saliency import image_keys, saliency_results

LAYER = "penultimate"
UNITS = 4
RANKS = 2
CONCEPTS = (("wheel", "part"), ("dog", "object"), ("red", "color"))
TASKS = ("k-NN (k = 20)", "linear probe")
_SIDE = 8


@dataclass(frozen=True)
class FakeDissectionParameters:
    quantile: float = parameter(0.01, "Share of activations above the threshold")
    iou_threshold: float = parameter(0.04, "Least IoU")
    resize: int = parameter(40, "Shorter side")
    frame: int = parameter(40, "Side of the square")
    resolution: int = parameter(_SIDE, "Side of the grid")


@dataclass(frozen=True)
class FakeEmbeddingParameters:
    preset: str = parameter("default", "How", choices=("default", "paper"))
    dissection: str = parameter("", "Runs of dissection by number")
    projected: str = parameter("", "Further models")
    components: int = parameter(3, "Components", minimum=1, maximum=3)


@dataclass(frozen=True)
class FakeEvaluationParameters:
    layer: str = parameter("penultimate", "Layer whose features are used")
    folds: int = parameter(5, "Folds", minimum=2, maximum=20)


def add_list_run(
    project: Project, audit: str, models: Sequence[str], parameters: Mapping[str, Any]
) -> int:
    """A pending run of any number of models; a dissection has a unit of work a model, a saliency
    run one an image."""
    embedding = audit == "embedding"
    units = {"dissection": tuple(models), "saliency": image_keys(project)}
    return project.add_run(
        audit,
        f"{audit.title()}: {len(models)} models",
        parameters,
        models=models,
        image_set=None if embedding else project.value("SELECT min(id) FROM image_set"),
        units=units.get(audit, (audit,)),
    )


def commit_list_unit(project: Project, run: int, audit: str, key: str) -> None:
    """The results of one unit of work."""
    if audit == "dissection":
        rows, arrays = _dissection(project, run, key)
    elif audit == "saliency":
        rows, arrays = saliency_results(project, run, key)
    else:
        rows, arrays = (_embedding if audit == "embedding" else _evaluation)(project, run), {}
    project.commit_unit(run, key, rows, arrays, [], 0.1)


def add_dissection(project: Project, models: Sequence[str]) -> int:
    """A finished dissection."""
    parameters = {
        "quantile": 0.01, "iou_threshold": 0.04, "resize": 40, "frame": 40, "resolution": _SIDE,
    }  # fmt: skip
    return _finished(project, "dissection", models, parameters)


def add_embedding(project: Project, models: Sequence[str], projected: str = "") -> int:
    """A finished embedding."""
    parameters = {"preset": "default", "dissection": "", "projected": projected, "components": 3}
    return _finished(project, "embedding", models, parameters)


def add_evaluation(project: Project, models: Sequence[str]) -> int:
    """A finished evaluation."""
    return _finished(project, "evaluation", models, {"folds": 5})


def _finished(
    project: Project, audit: str, models: Sequence[str], parameters: Mapping[str, Any]
) -> int:
    run = add_list_run(project, audit, models, parameters)
    for key in project.unit_states(run):
        commit_list_unit(project, run, audit, key)
    project.set_run_state(run, "done")
    return run


def _dissection(
    project: Project, run: int, model: str
) -> tuple[dict[str, list[dict[str, Any]]], dict[str, np.ndarray]]:
    """Unit 0 knows wheel, 1 dog (in all models but the first: wheel), 2 red but not well enough;
    unit 3 is dead."""
    rows = project.rows("SELECT id FROM image ORDER BY id LIMIT ?", (RANKS,))
    images = [row["id"] for row in rows]
    position = project.run_models(run).index(model)
    concepts = CONCEPTS if position == 0 else (CONCEPTS[0], CONCEPTS[0], CONCEPTS[2])
    units, candidates, patches = [], [], []
    for unit in range(UNITS):
        about = {"model": model, "layer": LAYER, "unit": unit}
        dead = unit == UNITS - 1
        concept, category = (None, "dead") if dead else concepts[unit]
        iou = None if dead else (0.2, 0.1, 0.03)[unit]
        units.append(
            {**about, "threshold": 1.5, "active_fraction": 0.01, "concept": concept,
             "category": category, "iou": iou, "null_iou": 0.02, "p": 0.01,
             "interpretable": iou is not None and iou > 0.04}
        )  # fmt: skip
        if dead:
            continue
        candidates.append(
            {**about, "rank": 0, "concept": concept, "category": category, "iou": iou,
             "intersection": 10.0, "activation": 20.0, "truth": 40.0}
        )  # fmt: skip
        patches += [
            {**about, "rank": rank, "image": image, "x": 10, "y": 0, "width": 20, "height": 20,
             "activation": 3.0 - rank}
            for rank, image in enumerate(images)
        ]  # fmt: skip
    profile = [
        {"model": model, "layer": LAYER, "concept": concept, "category": category,
         "units": concepts[:2].count((concept, category))}
        for concept, category in dict.fromkeys(concepts[:2])
    ]  # fmt: skip
    sweep = [
        {"model": model, "layer": LAYER, "quantile": 0.01, "iou_threshold": threshold,
         "units": units_left, "concepts": units_left}
        for threshold, units_left in ((0.02, 3), (0.04, 2), (0.15, 1))
    ]  # fmt: skip
    mask = np.zeros((UNITS, RANKS, _SIDE, _SIDE), dtype=bool)
    mask[:, :, :4, :4] = True
    packed = np.packbits(mask.reshape(UNITS, RANKS, -1), axis=-1)
    tables = {
        "unit": units,
        "unit_candidate": candidates,
        "unit_patch": patches if images else [],
        "profile": profile,
        "threshold_sweep": sweep,
    }
    return tables, {f"masks/{position}/{LAYER}": packed}


def _embedding(project: Project, run: int) -> dict[str, list[dict[str, Any]]]:
    parameters = json.loads(project.value("SELECT parameters FROM run WHERE id = ?", (run,)))
    further = split_names(parameters.get("projected", ""))
    fitted = project.run_models(run)
    points = [
        {"model": model, "pc1": float(place), "pc2": place % 2 - 0.5, "pc3": -0.1 * place,
         "se1": 0.1, "se2": 0.1, "se3": 0.1, "covariance12": 0.0, "covariance13": 0.0,
         "covariance23": 0.0, "group": "AB"[place % 2] if model in fitted else None,
         "fitted": model in fitted}
        for place, model in enumerate((*fitted, *further))
    ]  # fmt: skip
    components = (1, 2, 3)
    return {
        "embedding": points,
        "component": [
            {"component": c, "explained_variance": 0.6 / c, "null_95": 0.4 / c} for c in components
        ],
        "loading": [
            {"component": c, "concept": concept, "category": category, "loading": 0.5 - 0.1 * c}
            for c in components
            for concept, category in CONCEPTS[:2]
        ],
        "profile_correlation": [
            {"component": c, "category": "object", "counting": counting, "r": 0.7, "p": 0.01,
             "p_adjusted": 0.03, "n": len(fitted)}
            for c in components
            for counting in ("all", "unique")
        ],
        "performance_correlation": [
            {"task": task, "component": c, "r": 0.2, "p": 0.4, "p_adjusted": 0.5, "n": len(fitted)}
            for c in components
            for task in TASKS
        ],
        "group_choice": [
            {"k": k, "inertia": 4.0 / k, "silhouette": 0.3 if k > 1 else None} for k in (1, 2)
        ],
        "stability": [
            {"kind": "unit bootstrap", "setting": "all units", "agreement": 0.9,
             "displacement": 0.1}
        ],
    }  # fmt: skip


def _evaluation(project: Project, run: int) -> dict[str, list[dict[str, Any]]]:
    models = project.run_models(run)
    value = {model: 0.5 + 0.1 * place for place, model in enumerate(models)}
    pairs = [(a, b) for place, a in enumerate(models) for b in models[place + 1 :]]
    return {
        "performance": [
            {"model": model, "task": task, "value": value[model], "ci_low": value[model] - 0.1,
             "ci_high": value[model] + 0.1, "n": 6}
            for model in models
            for task in TASKS
        ],
        "ensemble": [
            {"task": task, "model_a": a, "model_b": b, "performance_a": value[a],
             "performance_b": value[b], "performance": value[b] + 0.02, "gain": 0.02,
             "ci_low": -0.01, "ci_high": 0.05, "n": 6}
            for a, b in pairs
            for task in TASKS
        ],
    }  # fmt: skip
