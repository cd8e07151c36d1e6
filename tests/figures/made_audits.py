"""Made-up results of dissection, evaluation and embedding, written through the project."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.images.frames import Frame
from analysis.project import Project

MODELS = ("ResNet-18", "ViT-S", "SqueezeNet 1.1", "Lite0 (untrained)", "MobileNet", "BYOL")
LAYER, UNITS, RANKS, RESOLUTION = "layer4.act", 12, 3, 8
FRAME = Frame(36, 32)
CONCEPTS = (
    ("wheel", "object"),
    ("food", "object"),
    ("food", "material"),
    ("Wheelchair", "object"),
    ("wall-t", "part"),
    ("blue", "color"),
)
TASKS = ("k-NN (k = 20)", "linear probe")
VERSIONS = {"torch": "2.9.0", "parallax-audit": "0.1"}


@dataclass
class Audited:
    """A project with one finished run of each audit of many models."""

    project: Project
    models: tuple[str, ...]
    dissection: int
    imported: int
    evaluation: int
    imported_evaluation: int
    embedding: int

    def run_of(self, audit: str) -> int:
        return int(getattr(self, audit))


def _run(project: Project, audit: str, parameters: dict[str, Any], models: Sequence[str]) -> int:
    image_set = project.value("SELECT MIN(id) FROM image_set")
    return project.add_run(
        audit,
        f"{audit} of many",
        parameters,
        models=models,
        image_set=None if parameters.get("imported") else image_set,
        seed=7,
        device="cpu",
        versions=VERSIONS,
    )


def _finish(project: Project, run: int, rows: dict[str, list[dict[str, Any]]]) -> int:
    project.replace_results(run, rows)
    project.set_run_state(run, "done")
    return run


def disc(unit: int, rank: int) -> np.ndarray:
    """The mask of a unit in one of its images: a disc whose place depends on both."""
    y, x = np.mgrid[:RESOLUTION, :RESOLUTION] + 0.5
    return (x - 2 - rank) ** 2 + (y - 2 - unit % 4) ** 2 < 4


def add_dissection(project: Project, models: Sequence[str], layer: str = LAYER) -> int:
    """Unit 0 of each model is dead, unit 1 below its null, the others are interpretable."""
    parameters = {
        "quantile": 0.01,
        "iou_threshold": 0.04,
        "resolution": RESOLUTION,
        "resize": FRAME.resize,
        "frame": FRAME.crop,
    }
    run = _run(project, "dissection", parameters, models)
    images = project.rows("SELECT id, width, height FROM image ORDER BY id")
    units, candidates, patches, sweep = [], [], [], []
    counts: Counter[tuple[str, str, str]] = Counter()
    masks = np.zeros((UNITS, RANKS, RESOLUTION * RESOLUTION // 8), np.uint8)
    for place, model in enumerate(models):
        for unit in range(UNITS):
            key = {"model": model, "layer": layer, "unit": unit}
            dead, doubtful = unit == 0, unit == 1
            concept, category = CONCEPTS[(unit * (place + 1)) % len(CONCEPTS)]
            iou = 0.05 + 0.01 * unit + 0.001 * place
            real = not dead and not doubtful
            units.append(
                {
                    **key,
                    "threshold": None if dead else 2.5,
                    "active_fraction": 0.0 if dead else 0.01,
                    "concept": None if dead else concept,
                    "category": "dead" if dead else category,
                    "iou": None if dead else iou,
                    "null_iou": None if dead else (0.9 if doubtful else 0.03),
                    "p": None if dead else 0.01,
                    "interpretable": real,
                }
            )
            if real:
                counts[model, concept, category] += 1
            if dead:
                continue
            candidates += [
                {**key, "rank": rank, "concept": name, "category": of, "iou": iou / (rank + 1)}
                for rank, (name, of) in enumerate(((concept, category), ("sky", "object")))
            ]
            for rank in range(RANKS):
                masks[unit, rank] = np.packbits(disc(unit, rank))
                image = images[(unit + rank + place) % len(images)]
                whole = np.array([[0, 0, FRAME.crop, FRAME.crop]])
                x, y, width, height = FRAME.to_original(whole, image["width"], image["height"])[0]
                patches.append(
                    {
                        **key,
                        "rank": rank,
                        "image": image["id"],
                        "x": int(x) + 1,
                        "y": int(y) + 2,
                        "width": int(width) // 2,
                        "height": int(height) // 2,
                        "activation": 9.5 - rank,
                    }
                )
        sweep += [
            {
                "model": model,
                "layer": layer,
                "quantile": quantile,
                "iou_threshold": threshold,
                "units": int(10 - 100 * threshold) + place,
                "concepts": 5,
            }
            for quantile in (0.02, 0.01, 0.005)
            for threshold in (0.06, 0.04, 0.02)
        ]
        with project.transaction() as connection:
            project.write_array(connection, run, f"masks/{place}/{layer}", masks)
    profile = [
        {"model": model, "layer": layer, "concept": name, "category": category, "units": amount}
        for (model, name, category), amount in counts.items()
    ]
    return _finish(
        project,
        run,
        {
            "unit": units[::-1],  # readers bring them in order
            "unit_candidate": candidates,
            "unit_patch": patches,
            "profile": profile,
            "threshold_sweep": sweep,
        },
    )


def add_imported_dissection(project: Project, model: str) -> int:
    """A table from elsewhere: no images, no masks, no null."""
    parameters = {"imported": True, "source": "units.csv", "sha256": "0" * 64}
    run = _run(project, "dissection", parameters, (model,))
    units = [
        {
            "model": model,
            "layer": "imported",
            "unit": unit,
            "concept": "wheel" if unit else None,
            "category": "object" if unit else "failed threshold",
            "iou": 0.3 * unit,
            "interpretable": unit > 0,
        }
        for unit in range(3)
    ]
    row = {"model": model, "layer": "imported", "concept": "wheel", "category": "object"}
    return _finish(project, run, {"unit": units, "profile": [{**row, "units": 2}]})


def add_evaluation(project: Project, models: Sequence[str]) -> int:
    run = _run(project, "evaluation", {"folds": 5}, models)
    performance, ensembles = [], []
    for number, task in enumerate(TASKS):
        value = {model: 0.6 + 0.03 * place + 0.05 * number for place, model in enumerate(models)}
        performance += [
            {
                "model": model,
                "task": task,
                "value": value[model],
                "ci_low": value[model] - 0.02,
                "ci_high": value[model] + 0.02,
                "n": 120,
            }
            for model in models
        ]
        for place, (a, b) in enumerate(itertools.combinations(models, 2)):
            gain = 0.004 * (place - 1)
            ensembles.append(
                {
                    "task": task,
                    "model_a": a,
                    "model_b": b,
                    "performance_a": value[a],
                    "performance_b": value[b],
                    "performance": max(value[a], value[b]) + gain,
                    "gain": gain,
                    "ci_low": gain - 0.01,
                    "ci_high": gain + 0.01,
                    "n": 120,
                }
            )
    _add_predictions(project, run, models)
    return _finish(project, run, {"performance": performance, "ensemble": ensembles})


def _add_predictions(project: Project, run: int, models: Sequence[str]) -> None:
    """What each model answers to every image, right more often than not."""
    images = np.array([row[0] for row in project.rows("SELECT id FROM image ORDER BY id")])
    random = np.random.default_rng(5)
    labels = images % 3
    with project.transaction() as connection:
        for place in range(len(models)):
            project.write_array(connection, run, f"models/{place}/images", images)
            project.write_array(connection, run, f"models/{place}/labels", labels)
            for task in TASKS:
                answers = np.where(random.random(len(images)) < 0.7, labels, (labels + 1) % 3)
                probabilities = np.eye(3, dtype=np.float32)[answers]
                project.write_array(connection, run, f"models/{place}/{task}", probabilities)


def add_imported_evaluation(project: Project, models: Sequence[str]) -> int:
    """One value of the evaluation run anew, and a task of its own without intervals."""
    parameters = {"imported": True, "source": "performance.csv", "sha256": "1" * 64}
    run = _run(project, "evaluation", parameters, models)
    rows = [
        {"model": model, "task": "ImageNet", "value": 70.0 + place}
        for place, model in enumerate(models[:-1])
    ]
    rows.append({"model": models[0], "task": TASKS[0], "value": 0.99})
    return _finish(project, run, {"performance": rows})


def add_embedding(
    project: Project,
    models: Sequence[str],
    components: int = 3,
    performance: bool = True,
    sources: Sequence[int] = (),
    **parameters: Any,
) -> int:
    """The last model is only projected where there are more than three."""
    random = np.random.default_rng(3)
    run = _run(
        project, "embedding", {"preset": "default", "iou_threshold": 0.04, **parameters}, models
    )
    rows: dict[str, list[dict[str, Any]]] = {"embedding": []}
    for place, model in enumerate(models):
        point = random.normal(0, 2, 3)
        row: dict[str, Any] = {"model": model, "fitted": place < 3 or place < len(models) - 1}
        row["group"] = "AB"[place % 2] if row["fitted"] else None
        for axis in range(components):
            row |= {f"pc{axis + 1}": point[axis], f"se{axis + 1}": 0.2 + 0.1 * axis}
        for a, b in itertools.combinations(range(components), 2):
            row[f"covariance{a + 1}{b + 1}"] = 0.01
        rows["embedding"].append(row)
    numbers = range(1, components + 1)
    rows["component"] = [
        {"component": c, "explained_variance": 0.7 / c, "null_95": 0.4} for c in numbers
    ]
    rows["loading"] = [
        {"component": c, "concept": name, "category": category, "loading": random.normal()}
        for c in numbers
        for name, category in CONCEPTS
    ]
    rows["group_choice"] = [
        {"k": k, "inertia": 10 / k, "silhouette": None if k == 1 else 0.3 + 0.1 / k}
        for k in range(1, len(models))
    ]
    rows["profile_correlation"] = [
        {
            "component": c,
            "category": category,
            "counting": counting,
            "r": 0.9 / c,
            "p": 0.01 * c,
            "p_adjusted": 0.02 * c,
            "n": len(models),
        }
        for c in numbers
        for counting in ("all", "unique")
        for category in ("total", "part", "object", "material", "color")
    ]
    rows["performance_correlation"] = [
        {
            "task": task,
            "component": c,
            "r": None if c == 3 else -0.5 + 0.2 * place,
            "p": None if c == 3 else 0.03,
            "p_adjusted": None if c == 3 else 0.03 + 0.04 * place,
            "n": len(models) - place,
        }
        for place, task in enumerate(("ImageNet", *TASKS) if performance else ())
        for c in numbers
    ]
    changes = [("unit bootstrap", "groups kept", 0.8, 0.3)]
    changes += [("leave one out", model, 1.0, 0.1) for model in models]
    changes += [("iou threshold", f"{t:g}", None if t > 0.1 else 0.7, 0.5) for t in (0.02, 0.2)]
    rows["stability"] = [
        dict(zip(("kind", "setting", "agreement", "displacement"), change, strict=True))
        for change in changes
    ]
    if sources:
        write_sources(project, run, models, sources)
    return _finish(project, run, rows)


def write_sources(
    project: Project, run: int, models: Sequence[str], sources: Sequence[int]
) -> None:
    """Record that an embedding took each model's units from the last of these that has some."""
    ids = {row["name"]: row["id"] for row in project.rows("SELECT id, name FROM model")}
    found = {
        row["model"]: row["run"]
        for row in project.rows("SELECT DISTINCT model, run FROM unit ORDER BY run")
        if row["run"] in sources
    }
    pairs = np.array([(ids[model], found[model]) for model in models], np.int64)
    with project.transaction() as connection:
        project.write_array(connection, run, "embedding/sources", pairs)


def audit_all(project: Project, models: Sequence[str]) -> Audited:
    """One run of each audit; models that the project lacks are added."""
    known = {row[0] for row in project.rows("SELECT name FROM model")}
    for model in models:
        if model not in known:
            project.add_model(model, f"timm:resnet18@/home/someone/{len(model)}.pth")
    project.add_model("Imported net", "imported:Imported net", library="imported")
    imported = add_imported_dissection(project, "Imported net")
    dissection = add_dissection(project, models)
    evaluation = add_evaluation(project, models)
    imported_evaluation = add_imported_evaluation(project, models)
    embedding = add_embedding(project, models, sources=[dissection])
    images = [row[0] for row in project.rows("SELECT id FROM image ORDER BY id")]
    for name, chosen in (("every second image", images[::2]), ("the first $3", images[:3])):
        project.add_image_slice(name, chosen)
    return Audited(
        project,
        tuple(models),
        dissection,
        imported,
        evaluation,
        imported_evaluation,
        embedding,
    )
