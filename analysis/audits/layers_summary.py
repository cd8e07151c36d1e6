"""What the units of the audit `layers` keep of their classes, and the means over all classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.project import Project
from analysis.statistics.class_means import few_draws_quantile, interval_around, mean_interval

PER_CLASS = ("pearson", "spearman", "cka", "rsa", "procrustes")  # measures kept class by class
_COLUMNS = {"pearson": "mmcs_pearson", "spearman": "mmcs_spearman"}  # others: their own name
WITH_VARIANCE = PER_CLASS[1:]  # over images, kept class by class; the first has replicates
FEW_DRAWS = ("procrustes",)  # shuffles of images are costly: few a class, kept class by class


@dataclass(frozen=True)
class UnitSummary:
    """One unit's classes (C), layers of A and B (La, Lb).

    `measures`: (C, La, Lb) each. `images` (C,). `variances`: (C, La, Lb), `class_draws`:
    (C, draws, La, Lb). `replicates`, and `permuted` of each measure: (draws, La, Lb), summed over
    the classes that have the measure. What a unit of an earlier Parallax lacks is None or NaN.
    """

    measures: dict[str, np.ndarray]
    counted: np.ndarray
    replicates: np.ndarray
    permuted: dict[str, np.ndarray | None]
    variances: dict[str, np.ndarray]
    class_draws: dict[str, np.ndarray | None]
    images: np.ndarray

    @classmethod
    def read(cls, project: Project, run: int, unit: str) -> UnitSummary:
        def read(name: str) -> np.ndarray | None:
            known = project.has_array(run, f"{unit}/{name}")
            return project.read_array(run, f"{unit}/{name}") if known else None

        def required(name: str) -> np.ndarray:
            return project.read_array(run, f"{unit}/{name}")

        pearson = required("pearson")
        unknown = np.full_like(pearson, np.nan)

        def or_unknown(name: str) -> np.ndarray:
            found = read(name)
            return unknown if found is None else found

        images = read("images")
        summed = [name for name in WITH_VARIANCE if name not in FEW_DRAWS]
        return cls(
            measures={name: or_unknown(name) for name in PER_CLASS},
            counted=required("counted"),
            replicates=required("replicates"),
            permuted={
                "pearson": required("permuted"),
                **{name: read(f"{name} permuted") for name in summed},
            },
            variances={name: or_unknown(f"{name} variance") for name in WITH_VARIANCE},
            class_draws={name: read(f"{name} permuted") for name in FEW_DRAWS},
            images=np.zeros(len(pearson), dtype=np.int64) if images is None else images,
        )


def mean_over_classes(
    summaries: Sequence[UnitSummary], layers_a: Sequence[str], layers_b: Sequence[str]
) -> list[dict[str, Any]]:
    """Rows of `layer_similarity`: means over classes (paper, Eq. 2), their intervals and nulls."""
    measures = {
        name: np.concatenate([summary.measures[name] for summary in summaries])
        for name in PER_CLASS
    }
    columns: dict[str, np.ndarray] = {}
    for name, values in measures.items():
        column = _COLUMNS.get(name, name)
        columns[column] = _nan_mean(values)
        low, high = _interval(summaries, name, values)
        null = _null(summaries, name, values)
        if name == "pearson":
            columns |= {"ci_low": low, "ci_high": high, "null_95": null}
        else:
            columns |= {f"{column}_low": low, f"{column}_high": high, f"{column}_null_95": null}
    classes = np.isfinite(measures["pearson"]).sum(0)
    rows = []
    for i, layer_a in enumerate(layers_a):
        for j, layer_b in enumerate(layers_b):
            row: dict[str, Any] = {"layer_a": layer_a, "layer_b": layer_b}
            for name, values in columns.items():
                row[name] = None if np.isnan(values[i, j]) else float(values[i, j])
            row["classes"] = int(classes[i, j])
            rows.append(row)
    return rows


def _interval(
    summaries: Sequence[UnitSummary], name: str, values: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    if name not in WITH_VARIANCE:
        draws = _mean_draws([summary.replicates for summary in summaries], _counted(summaries))
        # Replicates lie below the value: a concept that few images show is lost from many of them.
        # Over many classes that adds up to more than their spread, which alone is taken.
        return interval_around(_nan_mean(values), draws.std(0, ddof=1))
    variances = np.concatenate([summary.variances[name] for summary in summaries])
    images = np.concatenate([summary.images for summary in summaries])
    return mean_interval(values, variances, images)


def _null(summaries: Sequence[UnitSummary], name: str, values: np.ndarray) -> np.ndarray:
    draws = [
        (summary.class_draws if name in FEW_DRAWS else summary.permuted)[name]
        for summary in summaries
    ]
    there = [each for each in draws if each is not None]
    if len(there) < len(draws):  # a unit of an earlier Parallax: chance is not known for all
        return np.full(values.shape[1:], np.nan)
    if name in FEW_DRAWS:
        return few_draws_quantile(np.concatenate(there))
    counted = _counted(summaries) if name == "pearson" else np.isfinite(values).sum(0)
    return np.quantile(_mean_draws(there, counted), 0.95, axis=0)


def _counted(summaries: Sequence[UnitSummary]) -> np.ndarray:
    return np.sum([summary.counted for summary in summaries], axis=0)


def _mean_draws(draws: Sequence[np.ndarray], counted: np.ndarray) -> np.ndarray:
    mean: np.ndarray = np.sum(draws, axis=0) / np.where(counted > 0, counted, np.nan)
    return mean


def _nan_mean(values: np.ndarray) -> np.ndarray:
    known = np.isfinite(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(known, values, 0.0).sum(0) / known.sum(0)
