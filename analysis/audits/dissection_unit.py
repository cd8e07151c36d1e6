"""One unit of the audit `dissection`: all layers of a model, from one forward."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from analysis.audits.context import RunContext
from analysis.audits.dissection import dissected_layers
from analysis.audits.dissection_input import DissectionInput, read_input
from analysis.audits.plan import Results, Unit, number_or_none
from analysis.audits.spool import Spool
from analysis.dissection.labelling import UnitLabels, label_units
from analysis.dissection.maps import MapSource
from analysis.dissection.sweeps import sweep
from analysis.dissection.tally import Tally, tally
from analysis.dissection.thresholds import Thresholds, find_thresholds
from analysis.dissection.top_images import TopImages, top_images
from analysis.progress import Progress
from analysis.seeds import derive_seed

if TYPE_CHECKING:
    from analysis.audits.dissection import DissectionParameters

_READ = 0.1  # share of the first model's unit that goes into reading images and planes


def run_model(unit: Unit, context: RunContext) -> Results:
    """Units, their candidates and top images, profiles and sweeps of a model's layers."""
    spool: Spool = context.keep("spool", Spool, Spool.close)
    first = "input" not in context.kept
    data: DissectionInput = context.keep("input", lambda: read_input(context, spool, 0.0, _READ))
    begin = _READ if first else 0.0
    parameters: DissectionParameters = context.parameters
    layers = dissected_layers(context.project, unit.model, parameters.layers)
    middle = begin + 0.5 * (1 - begin)
    maps = context.features.maps(
        unit.model,
        data.images,
        data.frames,
        layers,
        lambda shape: spool.array(shape, np.float16),
        context.stepper(begin, middle, f"{unit.model}: activations"),
    )
    rows: dict[str, list[dict[str, Any]]] = {
        name: [] for name in ("unit", "unit_candidate", "unit_patch", "profile", "threshold_sweep")
    }
    arrays = {}
    place = context.run.models.index(unit.model)
    for index, layer in enumerate(layers):
        low = middle + (1 - middle) * index / len(layers)
        found = _LayerUnits(context, data, unit.model, layer)
        found.dissect(maps[layer], low, low + (1 - middle) / len(layers))
        spool.release(maps.pop(layer))
        for name, more in found.rows().items():
            rows[name] += more
        arrays[f"masks/{place}/{layer}"] = found.masks()
    problems = list(data.problems) if first else []
    return Results(rows, arrays, problems)


class _LayerUnits:
    """The units of one layer, step by step."""

    top: TopImages
    thresholds: Thresholds
    labels: list[UnitLabels]
    counts: Tally

    def __init__(self, context: RunContext, data: DissectionInput, model: str, layer: str) -> None:
        self._context = context
        self._parameters: DissectionParameters = context.parameters
        self._data = data
        self._model = model
        self._layer = layer
        self.labels = []

    def dissect(self, maps: np.ndarray, low: float, high: float) -> None:
        """Thresholds, then counts and labels at each quantile, then the top images."""
        parameters, images, units = self._parameters, len(maps), maps.shape[1]
        source = self._source(maps)
        quantiles = parameters.quantiles()
        share = (high - low) / (len(quantiles) + 2)
        self.thresholds = find_thresholds(
            source,
            images,
            units,
            quantiles,
            parameters.resolution,
            self._part(low, low + share),
        )
        for index, quantile in enumerate(quantiles):
            at = self.thresholds.at(quantile)
            start = low + share * (index + 1)
            counts = tally(
                source,
                self._data.planes,
                at,
                len(self._data.space),
                parameters.permutations,
                derive_seed(parameters.seed, "dissection"),
                self._part(start, start + share),
            )
            self.labels.append(
                label_units(
                    counts,
                    at,
                    self._data.space.categories,
                    parameters.iou_threshold,
                    parameters.candidates,
                )
            )
            if index == 0:
                self.counts = counts
        self.top = top_images(
            source,
            images,
            self.thresholds.at(parameters.quantile),
            parameters.resolution,
            parameters.patches,
            self._part(high - share, high),
        )

    def _source(self, maps: np.ndarray) -> MapSource:
        device = self._context.device
        return lambda start, stop: torch.from_numpy(np.asarray(maps[start:stop])).to(device)

    def _part(self, low: float, high: float) -> Progress:
        return self._context.part(low, high, f"{self._model}: ")

    def masks(self) -> np.ndarray:
        """uint8 (units, images, bytes): where each unit is active in its top images."""
        return self.top.masks

    def rows(self) -> dict[str, list[dict[str, Any]]]:
        """Rows by table."""
        return {
            "unit": self._unit_rows(),
            "unit_candidate": self._candidate_rows(),
            "unit_patch": self._patch_rows(),
            "profile": self._profile_rows(),
            "threshold_sweep": self._sweep_rows(),
        }

    @property
    def _key(self) -> dict[str, str]:
        return {"model": self._model, "layer": self._layer}

    def _unit_rows(self) -> list[dict[str, Any]]:
        labels, space = self.labels[0], self._data.space
        return [
            {
                **self._key,
                "unit": unit,
                "threshold": number_or_none(labels.threshold[unit]),
                "active_fraction": number_or_none(labels.active_fraction[unit]),
                "concept": space.names[concept] if concept >= 0 else None,
                "category": labels.category[unit] or None,
                "iou": number_or_none(labels.iou[unit]),
                "null_iou": number_or_none(labels.null_iou[unit]),
                "p": number_or_none(labels.p[unit]),
                "interpretable": int(labels.interpretable[unit]),
            }
            for unit, concept in enumerate(labels.concept.tolist())
        ]

    def _candidate_rows(self) -> list[dict[str, Any]]:
        """The best concepts over all categories, then the best of each category not among them."""
        labels, counts, space = self.labels[0], self.counts, self._data.space
        rows = []
        both = np.hstack([labels.candidates, labels.best_in_category])
        scores = np.hstack([labels.candidate_iou, labels.best_iou_in_category])
        for unit, (concepts, ious) in enumerate(zip(both.tolist(), scores, strict=True)):
            listed: set[int] = set()
            for concept, iou in zip(concepts, ious, strict=True):
                if concept < 0 or concept in listed:
                    continue
                listed.add(concept)
                rows.append(
                    {
                        **self._key,
                        "unit": unit,
                        "rank": len(listed) - 1,
                        "concept": space.names[concept],
                        "category": space.categories[concept],
                        "iou": number_or_none(iou),
                        "intersection": float(counts.intersection[unit, concept]),
                        "activation": float(counts.activation[unit]),
                        "truth": float(counts.truth[concept]),
                    }
                )
        return rows

    def _patch_rows(self) -> list[dict[str, Any]]:
        top, rows = self.top, []
        frame = self._data.frame
        scale = frame.crop / top.resolution
        for place, image in enumerate(self._data.images):
            units, ranks = np.nonzero(top.image == place)
            if not len(units):
                continue
            boxes = frame.to_original(top.boxes[units, ranks] * scale, image.width, image.height)
            for unit, rank, box in zip(units.tolist(), ranks.tolist(), boxes.tolist(), strict=True):
                rows.append(
                    {
                        **self._key,
                        "unit": unit,
                        "rank": rank,
                        "image": image.id,
                        **dict(zip(("x", "y", "width", "height"), box, strict=True)),
                        "activation": number_or_none(top.activation[unit, rank]),
                    }
                )
        return sorted(rows, key=lambda row: (row["unit"], row["rank"]))

    def _profile_rows(self) -> list[dict[str, Any]]:
        labels, space = self.labels[0], self._data.space
        known, counts = np.unique(labels.concept[labels.interpretable], return_counts=True)
        return [
            {
                **self._key,
                "concept": space.names[concept],
                "category": space.categories[concept],
                "units": count,
            }
            for concept, count in zip(known.tolist(), counts.tolist(), strict=True)
        ]

    def _sweep_rows(self) -> list[dict[str, Any]]:
        found = sweep(self.labels)
        return [
            {
                **self._key,
                "quantile": quantile,
                "iou_threshold": threshold,
                "units": int(found.units[row, column]),
                "concepts": int(found.concepts[row, column]),
            }
            for row, quantile in enumerate(found.quantiles)
            for column, threshold in enumerate(found.iou_thresholds)
        ]
