"""One unit of the audit `saliency`: all methods and metrics of some images by one model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from analysis.audits.context import RunContext
from analysis.audits.grouping import ImageEntry
from analysis.audits.plan import Results, Unit
from analysis.audits.project_models import model_input
from analysis.audits.saliency_head import explained_model, output_names
from analysis.audits.saliency_input import ImageBatch, mask_source, read_batch
from analysis.audits.saliency_maps import (
    attention_of,
    chosen_layer,
    class_codes,
    target_classes,
    usable_methods,
)
from analysis.errors import AuditError
from analysis.faithfulness.measure import Measurements, measure
from analysis.faithfulness.metrics import METRICS
from analysis.images.frames import Frame
from analysis.saliency.explanation import explain
from analysis.saliency.maps import Maps, min_max
from analysis.saliency.storage import to_uint8

if TYPE_CHECKING:
    from analysis.audits.saliency import SaliencyParameters
    from analysis.models.loading import LoadedModel
    from analysis.saliency.methods import MethodSettings

_EXPLAINED = 0.3  # share of a unit that goes into its maps

Rows = list[dict[str, Any]]


def run_images(unit: Unit, context: RunContext) -> Results:
    """Maps, metrics and curves of a batch of images; images the model has no class for are left
    out."""
    batch = read_batch(unit, context)
    first = unit.key.endswith("/0")
    problems = list(batch.problems) if first else []
    if unit.key == "images/0/models/0" and mask_source(context).reason:
        problems.append(("localisation", mask_source(context).reason))
    try:
        work = _Explained(unit, context, batch)
    except AuditError as error:
        if unit.key.startswith("images/0/"):
            problems.append((unit.model, str(error)))
        return Results(problems=problems)
    problems += work.problems
    if not len(work.kept):
        return Results(problems=problems)
    work.explain()
    work.measure()
    return Results(work.rows(), work.arrays(), problems)


@dataclass(frozen=True)
class _Chosen:
    """What a model is asked, found once a run."""

    model: LoadedModel
    methods: tuple[MethodSettings, ...]
    metrics: tuple[str, ...]
    layer: str | None
    problems: tuple[tuple[str, str], ...]


def _choose(context: RunContext, name: str) -> _Chosen:
    parameters: SaliencyParameters = context.parameters
    model = explained_model(context, name)
    methods, refused = usable_methods(model, parameters)
    reasons: dict[str, list[str]] = {}
    for title, reason in refused:
        reasons.setdefault(reason, []).append(title)
    problems = [(f"{name}: {'; '.join(titles)}", reason) for reason, titles in reasons.items()]
    metrics = parameters.chosen_metrics()
    if mask_source(context).planes is None:
        metrics = tuple(key for key in metrics if "masks" not in METRICS[key].needs)
    if not model.num_classes and any("scores" in METRICS[key].needs for key in metrics):
        metrics = tuple(key for key in metrics if "scores" not in METRICS[key].needs)
        problems.append(
            (name, "Without a classifier head nothing can be measured that needs class scores.")
        )
    return _Chosen(model, methods, metrics, chosen_layer(model, parameters), tuple(problems))


class _Explained:
    """The work of one unit, step by step."""

    maps: dict[str, Maps]
    measured: Measurements

    def __init__(self, unit: Unit, context: RunContext, batch: ImageBatch) -> None:
        parameters: SaliencyParameters = context.parameters
        self._unit, self._context = unit, context
        self._chosen: _Chosen = context.keep(
            f"chosen {unit.model}", lambda: _choose(context, unit.model)
        )
        self._names = output_names(self._chosen.model)
        labels = [image.label for image in batch.images]
        classes = target_classes(parameters.target, self._names, labels)
        self.kept = np.arange(len(labels)) if classes is None else np.flatnonzero(classes >= 0)
        self._classes = None if classes is None else torch.from_numpy(classes[self.kept])
        self._images: list[ImageEntry] = [batch.images[place] for place in self.kept]
        self._frames = batch.frames[self.kept]
        self._masks = None if batch.masks is None else batch.masks[self.kept]
        self._labels = class_codes(self._names, [image.label for image in self._images])
        self._input = model_input(self._chosen.model, self._frames, context.device)
        if self._classes is not None:
            self._classes = self._classes.to(context.device)
        missing = sorted({labels[place] or "" for place in np.flatnonzero(classes < 0)}
                         ) if classes is not None else []  # fmt: skip
        self.problems = [
            (f"{unit.model}: {name or 'images without a label'}", "The model has no such class.")
            for name in missing
        ]
        if unit.key.startswith("images/0/"):
            self.problems += self._chosen.problems

    def explain(self) -> None:
        """Maps of all methods, from one forward and one backward."""
        step = self._context.stepper(0.02, _EXPLAINED, f"{self._unit.model}: maps")
        step(0, 1)
        self.maps = explain(
            self._chosen.model,
            self._input,
            self._chosen.methods,
            self._classes,
            self._chosen.layer,
            image_keys=[image.sha256 for image in self._images],
            check=step,
        )

    def measure(self) -> None:
        """All metrics of all maps."""
        self.measured = measure(
            self._chosen.model,
            self._input,
            self.maps,
            self._chosen.metrics,
            self._context.parameters.settings(),
            classes=self._explained_classes(),
            labels=torch.from_numpy(self._labels),
            masks=None if self._masks is None else torch.from_numpy(self._masks),
            explain=self._again,
            image_keys=[image.sha256 for image in self._images],
            check=self._context.stepper(_EXPLAINED, 1, f"{self._unit.model}: faithfulness"),
        )

    def _explained_classes(self) -> torch.Tensor | None:
        if self._classes is not None or not self._chosen.model.num_classes:
            return self._classes
        found = [maps.classes for maps in self.maps.values() if maps.classes is not None]
        return found[0] if found else self._chosen.model.run(self._input).argmax(1)

    def _again(self, batch: torch.Tensor, model: LoadedModel | None) -> Mapping[str, torch.Tensor]:
        """Maps of a changed batch, or by a changed model, of the same classes."""
        found = explain(
            model or self._chosen.model,
            batch,
            self._chosen.methods,
            self._explained_classes(),
            self._chosen.layer,
            image_keys=[image.sha256 for image in self._images],
            check=lambda _done, _total: self._context.progress.check_cancelled(),
        )
        return {label: maps.values for label, maps in found.items()}

    def arrays(self) -> dict[str, np.ndarray]:
        """Attention of every layer and head, an array an image."""
        if not self._context.parameters.depth:
            return {}
        depth = attention_of(self._chosen.model, self._input)
        if depth is None:
            return {}
        place = self._context.run.models.index(self._unit.model)
        codes = (255 * min_max(depth.values)).round().to(torch.uint8).cpu().numpy()
        names = np.frombuffer(json.dumps(depth.layers).encode(), np.uint8)
        found = {
            f"attention/{place}/{image.id}": codes[index]
            for index, image in enumerate(self._images)
        }
        if self._unit.key.startswith("images/0/"):
            found[f"attention/{place}/layers"] = names
        return found

    def rows(self) -> dict[str, Rows]:
        """Rows by table."""
        return {
            "saliency": self._map_rows(),
            "faithfulness": self._metric_rows(),
            "curve": self._curve_rows(),
        }

    def _key(self, index: int, label: str) -> dict[str, Any]:
        return {"image": self._images[index].id, "model": self._unit.model, "method": label}

    def _map_rows(self) -> Rows:
        parameters: SaliencyParameters = self._context.parameters
        frame = Frame(parameters.resize, parameters.frame)
        regions = [frame.region(image.width, image.height) for image in self._images]
        scores = None
        if self._chosen.model.num_classes:
            scores = self._chosen.model.run(self._input).softmax(1).cpu().numpy()
        rows = []
        for label, maps in self.maps.items():
            compact = to_uint8(maps.values)
            classes = None if maps.classes is None else maps.classes.tolist()
            for index, region in enumerate(regions):
                code = None if classes is None else classes[index]
                rows.append(
                    {
                        **self._key(index, label),
                        "layer": maps.layer or None,
                        "class": None if code is None else self._names[code],
                        "class_index": code,
                        "score": None if code is None or scores is None
                        else float(scores[index, code]),
                        "rows": compact.codes.shape[1],
                        "columns": compact.codes.shape[2],
                        "scale": float(compact.scale[index]),
                        "offset": float(compact.offset[index]),
                        "map": compact.codes[index].tobytes(),
                        "tied": float(self.measured.tied[label][index]),
                        **dict(zip(("x", "y", "width", "height"), region, strict=True)),
                        "note": maps.notes[index] or None,
                    }
                )  # fmt: skip
        return rows

    def _metric_rows(self) -> Rows:
        return [
            {**self._key(index, label), "metric": metric, "value": value}
            for (label, metric), values in self.measured.values.items()
            for index, value in enumerate(np.asarray(values, dtype=np.float64).tolist())
            if np.isfinite(value)
        ]

    def _curve_rows(self) -> Rows:
        return [
            {
                **self._key(index, label),
                "kind": kind,
                "auc": float(self.measured.values[label, kind][index]),
                "scores": json.dumps([round(float(score), 6) for score in curve]),
            }
            for (label, kind), curves in self.measured.curves.items()
            for index, curve in enumerate(curves)
        ]
