"""A made-up semantics run, written through the project as the audit writes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from analysis.images.frames import Frame
from analysis.project import Project
from analysis.project.concept_sets import ExampleBox
from tests.figures.made_audits import VERSIONS

A, B = "EfficientNet-Lite0", "SSD300-VGG16"
LAYERS_A = ("conv_stem", "blocks.0", "blocks.2", "blocks.4", "blocks.6", "conv_head")
LAYERS_B = ("backbone.features.4", "backbone.features.16", "backbone.extra.0", "backbone.extra.3")
CONCEPTS = ("stripes", "wheel", "sky", "grass")
CLASSES = ("bird", "dog")
MASK_LAYERS = ("blocks.4", "backbone.features.16")
THRESHOLDS = tuple(round(0.25 + 0.05 * step, 2) for step in range(14))
COMPONENTS = (5, 4)
IMAGES = 12
GRIDS = (6, 9)
FRAME = Frame(36, 32)
PARAMETERS: dict[str, Any] = {
    "concepts": "",
    "layers": 8,
    "components": 5,
    "thresholds": "0.5,0.75",
    "normalisation": "data set",
    "presence": 0.1,
    "negatives": 200,
    "random_sets": 500,
    "classes": "",
    "images": IMAGES,
    "mask_side": 40,
    "resize": FRAME.resize,
    "frame": FRAME.crop,
    "replicates": 1000,
    "permutations": 200,
    "seed": 0,
}


def depth(layers: Sequence[str], layer: str) -> float:
    return layers.index(layer) / max(1, len(layers) - 1)


def accuracy(layers: Sequence[str], layer: str, concept: str) -> float:
    """Simple concepts early, others late."""
    late = list(CONCEPTS).index(concept) / len(CONCEPTS) if concept in CONCEPTS else 0.5
    best = 0.45 if "conv_stem" in layers else 0.3
    return 0.5 + best / (1 + np.exp(-9 * (depth(layers, layer) - late + 0.05)))


def separates(layers: Sequence[str], layer: str, concept: str) -> bool:
    return accuracy(layers, layer, concept) > 0.62


def sfss(
    layers: tuple[Sequence[str], Sequence[str]], layer_a: str, layer_b: str, concept: str
) -> float | None:
    """High where depths are alike; none where a concept does not separate."""
    if not (separates(layers[0], layer_a, concept) and separates(layers[1], layer_b, concept)):
        return None
    gap = depth(layers[0], layer_a) - depth(layers[1], layer_b)
    return float(0.85 * np.exp(-4 * gap**2) - 0.04 * len(concept) * abs(gap))


def score(layers: Sequence[str], layer: str, concept: str, class_name: str) -> float:
    return float(np.clip(0.5 + 0.45 * np.sin(4.1 * len(concept) * len(class_name)), 0, 1))


def ucs(concept_a: int, concept_b: int, threshold: float) -> float:
    alike = 0.85 if (concept_a + 1) % COMPONENTS[0] == concept_b else 0.25
    return float(alike * (1 - 0.7 * threshold * (1.2 if alike < 0.5 else 0.6)))


def matched(concept_a: int, concept_b: int) -> bool:
    return (concept_a + 1) % COMPONENTS[0] == concept_b


def projections(side: int, images: int = IMAGES) -> np.ndarray:
    """Blobs: concept k of A and concept k + 1 of B lie close together, the less the later the
    image."""
    grid = GRIDS[side]
    y, x = np.mgrid[:grid, :grid] / (grid - 1)
    codes = np.zeros((images, COMPONENTS[side], grid, grid), np.uint8)
    for image in range(images):
        for concept in range(COMPONENTS[side]):
            place = concept + 1 if side == 0 else concept
            shift = 0.05 * image * side
            middle = (0.3 + 0.1 * (place % 5), 0.2 + 0.13 * (place % 5) + shift)
            distance = (y - middle[0]) ** 2 + (x - middle[1]) ** 2
            codes[image, concept] = np.rint(255 * np.exp(-distance / 0.06))
    return codes


def add_semantics(
    project: Project,
    models: tuple[str, str] = (A, B),
    layers: tuple[Sequence[str], Sequence[str]] = (LAYERS_A, LAYERS_B),
    concepts: Sequence[str] = CONCEPTS,
    mask_layers: tuple[str, str] = MASK_LAYERS,
    **parameters: Any,
) -> int:
    """A finished run: concepts given by examples in one unit of work, those found in another."""
    run = project.add_run(
        "semantics",
        "semantics of two",
        {**PARAMETERS, **parameters},
        model_a=models[0],
        model_b=models[1],
        image_set=project.value("SELECT MIN(id) FROM image_set"),
        seed=7,
        device="cpu",
        versions=VERSIONS,
    )
    given = {
        "concept_vector": made_vectors(models, layers, concepts),
        "space_similarity": _spaces(models, layers, concepts),
        "tcav": _tcav(models[0], layers[0], concepts),
    }
    problems = [("grass", "Only 4 examples.")]
    project.commit_unit(run, "concepts", given, {}, problems, 0.5)
    found = {
        "mask_concept": _found(models, mask_layers),
        "mask_similarity": _masks(models, mask_layers),
    }
    arrays = {
        "projections/images": np.arange(1, IMAGES + 1),
        **{f"projections/{side}/{mask_layers[side]}": projections(side) for side in range(2)},
    }
    project.commit_unit(run, "masks", found, arrays, [], 0.5)
    project.set_run_state(run, "done")
    return run


def made_vectors(models, layers, concepts) -> list[dict[str, Any]]:
    rows = {}
    for model, of_model in zip(models, layers, strict=True):
        for layer in of_model:
            for concept in concepts:
                share = float(accuracy(of_model, layer, concept))
                rows[model, layer, concept] = {
                    "model": model,
                    "layer": layer,
                    "concept": concept,
                    "accuracy": share,
                    "ci_low": share - 0.06,
                    "ci_high": min(1.0, share + 0.05),
                    "auc": min(1.0, share + 0.02),
                    "null_95": 0.62,
                    "p": 0.01,
                    "stability": 2 * share - 1,
                    "separates": int(separates(of_model, layer, concept)),
                    "n_positive": 20 + len(concept),
                    "n_negative": 40,
                }
    return list(rows.values())


def _spaces(models, layers, concepts) -> list[dict[str, Any]]:
    rows = []
    for layer_a in layers[0]:
        for layer_b in layers[1]:
            known = []
            for concept in (*concepts, None):
                value = sfss(layers, layer_a, layer_b, concept) if concept else None
                if concept is None:
                    value = float(np.mean(known)) if known else None
                elif value is not None:
                    known.append(value)
                none = value is None
                rows.append(
                    {
                        "model_a": models[0],
                        "layer_a": layer_a,
                        "model_b": models[1],
                        "layer_b": layer_b,
                        "concept": concept,
                        "sfss_pearson": value,
                        "sfss_spearman": None if none else value - 0.03,
                        "sfss_fisher": None if concept or none else value + 0.01,
                        "ci_low": None if none else value - 0.1,
                        "ci_high": None if none else min(1.0, value + 0.1),
                        "null_95": None if none else 0.18,
                        "p_adjusted": None if none else (0.01 if value > 0.25 else 0.4),
                        "n": 60,
                    }
                )
    return rows


def _tcav(model, layers, concepts) -> list[dict[str, Any]]:
    rows = []
    for layer in (layers[1], layers[-2]):
        for concept in concepts:
            for class_name in CLASSES:
                usable = separates(layers, layer, concept)
                share = score(layers, layer, concept, class_name) if usable else None
                rows.append(
                    {
                        "model": model,
                        "layer": layer,
                        "concept": concept,
                        "class": class_name,
                        "score": share,
                        "ci_low": None if share is None else max(0.0, share - 0.08),
                        "ci_high": None if share is None else min(1.0, share + 0.08),
                        "null_low": 0.31,
                        "null_high": 0.72,
                        "p": 0.004,
                        "p_adjusted": None
                        if share is None
                        else (0.3 if 0.31 < share < 0.72 else 0.02),
                        "n": 30,
                        "random_sets": 500,
                    }
                )
    return rows


def _found(models, mask_layers) -> list[dict[str, Any]]:
    rows = {}
    for side in range(2):
        for number in range(COMPONENTS[side]):
            rows[models[side], mask_layers[side], number] = {
                "model": models[side],
                "layer": mask_layers[side],
                "concept": number,
                "class": None if side else "bird",
                "importance": None if side else 0.8 / (number + 1),
                "fidelity": None if side else 0.12,
                "reconstruction_error": 0.3,
                "lost": 0.02,
                "presence": 1 - 0.1 * number,
            }
    return list(rows.values())


def _masks(models, mask_layers) -> list[dict[str, Any]]:
    return [
        {
            "model_a": models[0],
            "layer_a": mask_layers[0],
            "concept_a": a,
            "model_b": models[1],
            "layer_b": mask_layers[1],
            "concept_b": b,
            "threshold": threshold,
            "ucs": ucs(a, b, threshold),
            "ci_low": ucs(a, b, threshold) * 0.85,
            "ci_high": ucs(a, b, threshold) * 1.12,
            "null_95": 0.3 - 0.2 * threshold,
            "p_adjusted": 0.01 if matched(a, b) else 0.8,
            "matched": int(matched(a, b)),
            "n": IMAGES,
        }
        for a in range(COMPONENTS[0])
        for b in range(COMPONENTS[1])
        for threshold in THRESHOLDS
    ]


def add_sets(project: Project) -> tuple[int, int, int]:
    """A concept of each kind."""
    return (
        project.add_concept_set("stripes", "folder", folder="/home/someone/pictures/stripes"),
        project.add_concept_set("wheel", "labels", label="wheel", category="part"),
        project.add_concept_set(
            "sky", "patches", examples=[ExampleBox(1, 2, 3, 10, 11), ExampleBox(2, 0, 0, 9, 9)]
        ),
    )
