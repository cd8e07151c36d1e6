"""A made-up saliency run, written through the project as the audit writes it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from analysis.images.frames import Frame
from analysis.project import Project
from tests.figures.made_audits import VERSIONS

CNN, VIT = "EfficientNet-Lite0", "ViT-S/16"
METHODS = {
    CNN: ("gradcam", "scorecam", "random", "sobel"),
    VIT: ("gradcam", "attention", "rollout(first=3,last=5)", "random", "sobel"),
}
METRICS = ("average-drop", "average-increase", "insertion", "deletion", "energy-inside")
STEPS, FRAME = 8, Frame(36, 32)
PARAMETERS: dict[str, Any] = {
    "preset": "correct",
    "methods": "",
    "metrics": "",
    "steps": STEPS,
    "images": 100,
    "target": "predicted",
    "head": "own",
    "layer": "",
    "depth": True,
    "mask": "label",
    "labels": "",
    "resize": FRAME.resize,
    "frame": FRAME.crop,
    "replicates": 1000,
    "permutations": 2000,
    "seed": 0,
}
# How good each method is made: 0 like chance, 1 perfect.
QUALITY = {"gradcam": 0.8, "scorecam": 0.5, "attention": 0.45, "random": 0.0, "sobel": 0.05}


def quality(method: str) -> float:
    return QUALITY.get(method, 0.3)


def codes(image: int, model: str, method: str, rows: int, columns: int) -> np.ndarray:
    """A blob whose place and width depend on image, model and method; noise for `random`."""
    if method == "random":
        return np.random.default_rng(image).integers(0, 256, (rows, columns)).astype(np.uint8)
    y, x = np.mgrid[:rows, :columns] / (rows - 1)
    shift = 0.12 * (len(model) % 3) + 0.05 * (len(method) % 5)
    spread = 0.06 + 0.2 * (1 - quality(method))
    middle = (0.35 + 0.07 * (image % 4), 0.25 + shift)
    return np.rint(255 * np.exp(-((y - middle[0]) ** 2 + (x - middle[1]) ** 2) / spread)).astype(
        np.uint8
    )


def curve(kind: str, method: str, image: int, steps: int = STEPS) -> np.ndarray:
    """A probability that rises or falls the faster, the better the method."""
    fraction = np.linspace(0, 1, steps + 1)
    bend = 0.12 + 0.5 * (1 - quality(method)) + 0.03 * (image % 3)
    rising = 0.9 * (1 - np.exp(-fraction / bend)) / (1 - np.exp(-1 / bend))
    return rising if kind == "insertion" else 0.9 - rising


def value(metric: str, method: str, image: int) -> float | None:
    """A metric of one image; average increase is 0 or 1, energy is missing for every third."""
    noise = 0.04 * np.sin(7.0 * image + len(method))
    good = quality(method)
    if metric in ("insertion", "deletion"):
        scores = curve(metric, method, image)
        return float((scores.sum() - (scores[0] + scores[-1]) / 2) / STEPS)
    if metric == "average-increase":
        return float((image * 37 % 100) / 100 < 0.1 + 0.6 * good)
    if metric == "energy-inside" and image % 3 == 0:
        return None
    level = 0.2 + 0.5 * good
    return float((1 - level if metric == "average-drop" else level) + noise)


def add_saliency(
    project: Project,
    models: Sequence[str] = (CNN, VIT),
    methods: dict[str, Sequence[str]] | None = None,
    images: int = 6,
    metrics: Sequence[str] = METRICS,
    **parameters: Any,
) -> int:
    """A finished run; one unit of work an image and model. The second model attends.

    :param methods: of each model; the usual two models' if None.
    """
    of_model = dict(methods or {models[0]: METHODS[CNN], models[1]: METHODS[VIT]})
    rows = project.rows("SELECT id, width, height FROM image ORDER BY id LIMIT ?", (images,))
    run = project.add_run(
        "saliency",
        "saliency of two",
        {**PARAMETERS, **parameters},
        models=models,
        image_set=project.value("SELECT MIN(id) FROM image_set"),
        seed=7,
        device="cpu",
        versions=VERSIONS,
    )
    for image in rows:
        for position, model in enumerate(models):
            _commit(project, run, image, position, model, of_model[model], metrics)
    ids = [row["id"] for row in rows]
    project.replace_results(
        run,
        {
            "faithfulness_summary": list(_summaries(of_model, metrics, ids)),
            "faithfulness_comparison": list(_comparisons(of_model, metrics, ids)),
        },
    )
    project.set_run_state(run, "done")
    return run


def _commit(
    project: Project,
    run: int,
    image: Any,
    position: int,
    model: str,
    methods: Sequence[str],
    metrics: Sequence[str],
) -> None:
    side = 14 if position else 7
    whole = np.array([[0, 0, FRAME.crop, FRAME.crop]])
    x, y, width, height = FRAME.to_original(whole, image["width"], image["height"])[0].tolist()
    maps, values, curves = [], [], []
    for method in methods:
        key = {"image": image["id"], "model": model, "method": method}
        null = method in ("random", "sobel")
        maps.append(
            {
                **key,
                "layer": None if null else f"blocks.{position}.norm1",
                "class": None if null or method == "attention" else "finch",
                "class_index": None if null or method == "attention" else 3,
                "score": 0.91,
                "rows": side,
                "columns": side,
                "scale": 0.02,
                "offset": -1.0,
                "map": codes(image["id"], model, method, side, side).tobytes(),
                "tied": 0.25 if method == "scorecam" else 0.0,
                "x": x,
                "y": y,
                "width": width,
                "height": height,
                "note": "Approximate" if method == "scorecam" else None,
            }
        )
        values += [
            {**key, "metric": metric, "value": value(metric, method, image["id"])}
            for metric in metrics
        ]
        for kind in ("insertion", "deletion"):
            scores = curve(kind, method, image["id"])
            area = value(kind, method, image["id"])
            curves.append({**key, "kind": kind, "auc": area, "scores": json.dumps(scores.tolist())})
    arrays = {}
    problems = [(f"{model}: Rollout", "There is no class token.")] if not position else []
    if position:
        arrays[f"attention/{position}/{image['id']}"] = np.stack(
            [
                [codes(image["id"] + layer, f"{head}" * head, "attention", 6, 6)
                 for head in range(4)]
                for layer in range(3)
            ]
        )  # fmt: skip
        if image["id"] == 1:
            names = json.dumps([f"blocks.{layer}.attn" for layer in range(3)])
            arrays[f"attention/{position}/layers"] = np.frombuffer(names.encode(), np.uint8)
    project.commit_unit(
        run,
        f"images/{image['id']}/models/{position}",
        {"saliency": maps, "faithfulness": values, "curve": curves},
        arrays,
        problems,
        0.5,
    )


def _found(metric: str, method: str, ids: Sequence[int]) -> np.ndarray:
    return np.array([value(metric, method, image) for image in ids], dtype=float)


def _spread(values: np.ndarray) -> tuple[float, float, float, int]:
    known = values[np.isfinite(values)]
    doubt = 1.96 * known.std() / np.sqrt(max(1, len(known)))
    return float(known.mean()), float(known.mean() - doubt), float(known.mean() + doubt), len(known)


def _summaries(of_model: dict[str, Sequence[str]], metrics: Sequence[str], ids: Sequence[int]):
    for model, methods in of_model.items():
        for method in methods:
            for metric in metrics:
                mean, low, high, n = _spread(_found(metric, method, ids))
                yield {
                    "model": model,
                    "method": method,
                    "metric": metric,
                    "mean": mean,
                    "ci_low": low,
                    "ci_high": high,
                    "n": n,
                }


def _comparisons(of_model: dict[str, Sequence[str]], metrics: Sequence[str], ids: Sequence[int]):
    """Methods of one model; told apart where the interval of the difference leaves out 0."""
    for model, methods in of_model.items():
        for i, first in enumerate(methods):
            for second in methods[i + 1 :]:
                for metric in metrics:
                    apart = _found(metric, first, ids) - _found(metric, second, ids)
                    mean, low, high, n = _spread(apart)
                    p = 0.001 if low > 0 or high < 0 else 0.4
                    yield {
                        "metric": metric,
                        "model_a": model,
                        "method_a": first,
                        "model_b": model,
                        "method_b": second,
                        "difference": mean,
                        "ci_low": low,
                        "ci_high": high,
                        "p": p / 2,
                        "p_adjusted": p,
                        "n": n,
                    }
