"""Made-up results of the audit saliency and made-up explanations, without torch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from analysis.audits.parameters import parameter
from analysis.figures.saliency_data import (
    OUTSIDE,
    AttentionDepth,
    Cell,
    ExplainedBy,
    Explanation,
    ExplanationOrigin,
    MethodInfo,
    SaliencyIndex,
    SaliencyMap,
)
from analysis.progress import Progress
from analysis.project import Project

METHODS = ("gradcam", "random")
STEPS = 4
SIDE = 40
_GRID = 4


@dataclass(frozen=True)
class FakeSaliencyParameters:
    preset: str = parameter("correct", "How", choices=("correct", "thesis"))
    methods: str = parameter("", "Methods separated by commas")
    metrics: str = parameter("", "Metrics separated by commas")
    steps: int = parameter(STEPS, "Steps of insertion and deletion", minimum=1, maximum=1000)
    resize: int = parameter(SIDE, "Shorter side")
    frame: int = parameter(SIDE, "Side of the square")


def image_keys(project: Project, most: int = 3) -> tuple[str, ...]:
    """The units of work of a made-up run: an image each."""
    rows = project.rows("SELECT id FROM image ORDER BY id LIMIT ?", (most,))
    return tuple(f"images/{row['id']}" for row in rows)


def saliency_results(
    project: Project, run: int, key: str
) -> tuple[dict[str, list[dict[str, Any]]], dict[str, np.ndarray]]:
    """The maps and curves of one image; attention is kept of the first model alone."""
    image = int(key.removeprefix("images/"))
    models = project.run_models(run)
    codes = np.arange(_GRID**2, dtype=np.uint8).tobytes()
    maps, values, curves = [], [], []
    for model in models:
        for method in METHODS:
            of = {"model": model, "method": method, "image": image}
            null = method == "random"
            maps.append(
                {**of, "layer": "penultimate", "class": None if null else "bird",
                 "class_index": None if null else 0, "score": None if null else 0.9,
                 "rows": _GRID, "columns": _GRID, "scale": 0.5, "offset": 0.0, "map": codes,
                 "tied": 0.25, "x": 10, "y": 0, "width": SIDE, "height": SIDE}
            )  # fmt: skip
            values.append({**of, "metric": "deletion", "value": 0.3})
            curves += [
                {**of, "kind": kind, "auc": 0.5, "scores": json.dumps([0.9, 0.6, 0.4, 0.2, 0.1])}
                for kind in ("insertion", "deletion")
            ]
    summary = [
        {"model": model, "method": method, "metric": "deletion", "mean": 0.3, "ci_low": 0.2,
         "ci_high": 0.4, "n": 1}
        for model in models
        for method in METHODS
    ]  # fmt: skip
    last = key == image_keys(project)[-1]
    tables = {
        "saliency": maps,
        "faithfulness": values,
        "curve": curves,
        "faithfulness_summary": summary if last else [],
    }
    attention = np.full((2, 3, _GRID, _GRID), 7, np.uint8)
    return tables, {f"attention/0/{image}": attention}


def add_saliency(project: Project, models: Sequence[str], images: int = 3) -> int:
    """A finished saliency run over the first images."""
    parameters = {
        "preset": "correct", "methods": ",".join(METHODS), "metrics": "deletion", "steps": STEPS,
        "resize": SIDE, "frame": SIDE,
    }  # fmt: skip
    keys = image_keys(project, images)
    run = project.add_run(
        "saliency", f"Saliency: {len(models)} models", parameters, models=models,
        image_set=project.value("SELECT min(id) FROM image_set"), units=keys,
    )  # fmt: skip
    for key in keys:
        rows, arrays = saliency_results(project, run, key)
        project.commit_unit(run, key, rows, arrays, [], 0.1)
    project.set_run_state(run, "done")
    return run


def make_explanation(
    source: Path | int, models: Sequence[str], progress: Progress | None = None
) -> Explanation:
    """What explaining a picture answers: one method, attention of the first model."""
    image = OUTSIDE if isinstance(source, Path) else source
    name = source.name if isinstance(source, Path) else f"{source}.png"
    region = (0, 0, SIDE, SIDE)
    maps = []
    for done, model in enumerate(models):
        if progress is not None:
            progress.report(done, len(models), f"Explaining {name} by {model}")
        values = np.linspace(0, 1, _GRID**2, dtype=np.float32).reshape(_GRID, _GRID)
        cell = Cell(image, model, "gradcam")
        maps.append(SaliencyMap(cell, values, region, "penultimate", "bird", 0.8, 0.0, ""))
    method = MethodInfo("gradcam", "GradCAM", "cam", True, "Gradients.")
    index = SaliencyIndex(
        run=0, models=tuple(models), methods=(method,), images=np.array([image]),
        image_names=(name,), image_labels=("",), available=np.ones((1, len(models), 1), bool),
        layers={}, depth_models=tuple(models[:1]), steps=0, settings=(("class", "predicted"),),
        refused=(),
    )  # fmt: skip
    attention = np.zeros((2, 3, _GRID, _GRID), np.float32)
    depth = AttentionDepth(image, models[0], ("one", "two"), attention, region)
    pixels = np.full((SIDE, SIDE, 3), 127, np.uint8)
    origin = ExplanationOrigin(
        "0" * 64,
        {"target": "predicted", "methods": "gradcam", "resize": SIDE, "frame": SIDE},
        tuple(ExplainedBy(m, f"timm:resnet18@/home/someone/{m}.pth", "a" * 64) for m in models),
        "cpu",
        {"torch": "2.0"},
    )
    return Explanation(name, pixels, index, tuple(maps), (depth,), (), origin)
