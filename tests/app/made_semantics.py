"""Made-up results of the audit semantics, without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.audits.parameters import parameter
from analysis.project import Project

CONCEPTS = ("wheel", "dog")
LAYERS_A = ("block1", "penultimate")
LAYERS_B = ("stem", "block2", "penultimate")
THRESHOLDS = (0.25, 0.5, 0.75)
COMPONENTS = (2, 3)  # found concepts of A and of B
GRIDS = ((4, 4), (2, 2))  # rows and columns of the masks of A and of B
SIDE = 40
STEPS = 3
_LAYERS = {"a": LAYERS_A, "b": LAYERS_B}


@dataclass(frozen=True)
class FakeSemanticsParameters:
    concepts: str = parameter("", "Concepts by name")
    components: int = parameter(10, "Concepts found in a layer", minimum=2, maximum=100)
    resize: int = parameter(SIDE, "Shorter side")
    frame: int = parameter(SIDE, "Side of the square")


def space_value(place: int, row: int, column: int) -> float:
    """SFSS of a concept (0: the mean) in layers of A and of B: no two are the same."""
    return 0.9 - 0.3 * place - 0.1 * row - 0.01 * column


def mask_value(step: int, first: int, second: int) -> float:
    """UCS of two found concepts at a threshold: no two are the same."""
    return 0.9 - 0.2 * step - 0.05 * first - 0.01 * second


def semantic_results(
    project: Project, about: Any, step: int
) -> tuple[dict[str, list[dict[str, Any]]], dict[str, np.ndarray]]:
    """What a step of a run writes: 0 vectors, 1 spaces and classes, 2 masks."""
    models = {side: about[f"model_{side}"] for side in "ab"}
    if step == 0:
        return {"concept_vector": _vectors(models)}, {}
    if step == 1:
        return {"space_similarity": _spaces(models), "tcav": _classes(models)}, {}
    return _masks(project, models)


def _sides(models: dict[str, str]) -> str:
    """A model that is compared with itself is looked at once."""
    return "a" if models["a"] == models["b"] else "ab"


def _vectors(models: dict[str, str]) -> list[dict[str, Any]]:
    return [
        {"model": models[side], "layer": layer, "concept": concept,
         "accuracy": 0.6 + 0.1 * place + (0.05 if side == "b" else 0.0), "ci_low": 0.5,
         "ci_high": 0.95, "null_95": 0.55, "stability": 0.8, "separates": 1, "n_positive": 12,
         "n_negative": 40}
        for side in _sides(models)
        for layer in _LAYERS[side]
        for place, concept in enumerate(CONCEPTS)
    ]  # fmt: skip


def _spaces(models: dict[str, str]) -> list[dict[str, Any]]:
    return [
        {"model_a": models["a"], "layer_a": a, "model_b": models["b"], "layer_b": b,
         "concept": concept, "sfss_pearson": space_value(place, row, column),
         "sfss_spearman": 0.5, "ci_low": 0.0, "ci_high": 0.95, "null_95": 0.1,
         "p_adjusted": 0.01, "n": 6}
        for place, concept in enumerate((None, *CONCEPTS))
        for row, a in enumerate(LAYERS_A)
        for column, b in enumerate(LAYERS_B)
    ]  # fmt: skip


def _classes(models: dict[str, str]) -> list[dict[str, Any]]:
    return [
        {"model": models[side], "layer": layer, "concept": concept, "class": "bird",
         "score": 0.75, "ci_low": 0.6, "ci_high": 0.9, "null_low": 0.4, "null_high": 0.6,
         "p": 0.01, "p_adjusted": 0.02, "n": 6, "random_sets": 50}
        for side in _sides(models)
        for layer in _LAYERS[side]
        for concept in CONCEPTS
    ]  # fmt: skip


def _masks(
    project: Project, models: dict[str, str]
) -> tuple[dict[str, list[dict[str, Any]]], dict[str, np.ndarray]]:
    """The last two layers of A and the last one of B have masks."""
    found = [
        {"model": models[side], "layer": layer, "concept": number, "class": "bird",
         "importance": 0.1 * number, "fidelity": 0.1, "reconstruction_error": 0.2,
         "presence": 0.5}
        for side, layers in (("a", LAYERS_A), ("b", LAYERS_B[-1:]))
        for layer in layers
        for number in range(COMPONENTS["ab".index(side)])
    ]  # fmt: skip
    alike = [
        {"model_a": models["a"], "layer_a": layer, "concept_a": a, "model_b": models["b"],
         "layer_b": LAYERS_B[-1], "concept_b": b, "threshold": threshold,
         "ucs": mask_value(step, a, b), "ci_low": 0.0, "ci_high": 1.0, "null_95": 0.05,
         "matched": int(a == b), "n": 6}
        for layer in LAYERS_A
        for step, threshold in enumerate(THRESHOLDS)
        for a in range(COMPONENTS[0])
        for b in range(COMPONENTS[1])
    ]  # fmt: skip
    images = np.array([row["id"] for row in project.rows("SELECT id FROM image")], np.int64)
    arrays: dict[str, np.ndarray] = {"projections/images": images}
    for position, layers in enumerate((LAYERS_A, LAYERS_B[-1:])):
        shape = (len(images), COMPONENTS[position], *GRIDS[position])
        for layer in layers:
            codes = np.zeros(shape, np.uint8)
            codes[:] = 51 * (1 + np.arange(COMPONENTS[position]))[None, :, None, None]
            arrays[f"projections/{position}/{layer}"] = codes
    return {"mask_concept": found, "mask_similarity": alike}, arrays


def add_semantics(project: Project, model_a: str, model_b: str, steps: int = STEPS) -> int:
    """A run of semantics; with all its steps it is finished."""
    keys = [f"step {step}" for step in range(STEPS)]
    run = project.add_run(
        "semantics", f"Semantics: {model_a} ⇄ {model_b}", {"resize": SIDE, "frame": SIDE},
        model_a=model_a, model_b=model_b,
        image_set=project.value("SELECT min(id) FROM image_set"), units=keys,
    )  # fmt: skip
    about = project.row("SELECT * FROM run WHERE id = ?", (run,))
    for step, key in enumerate(keys[:steps]):
        rows, arrays = semantic_results(project, about, step)
        project.commit_unit(run, key, rows, arrays, [], 0.1)
    project.set_run_state(run, "done" if steps == STEPS else "cancelled")
    return run
