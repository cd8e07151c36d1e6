"""The chapter of a report on saliency maps and their faithfulness."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.figures import report_words
from analysis.figures.report_parts import (
    Picture,
    ReportTable,
    Section,
    TitledTable,
    parameters_table,
    picture_if_any,
    state_sentence,
)
from analysis.figures.saliency_data import FaithfulnessSummary, SaliencyIndex
from analysis.figures.saliency_readers import (
    faithfulness_comparisons,
    faithfulness_summary,
    saliency_index,
    tested_gains,
)
from analysis.figures.saliency_words import NULL
from analysis.figures.words import count, interval, number, plain

if TYPE_CHECKING:
    from analysis.project import Project

_MODELS_SHOWN = 3
_IMAGES_SHOWN = 6
_METRICS_A_TABLE = 5
_REFUSED_SHOWN = 40
_MANY_TIED = 0.5  # beyond the outer places of a map, up to a third is tied in any
# Metrics told in sentences; the others are in the tables.
_TOLD = ("insertion", "deletion", "average-drop", "energy-inside")
_SIGN = {"higher": 1.0, "lower": -1.0}


def saliency_section(project: Project, run: Any) -> tuple[Section, str]:
    """The chapter on a saliency run, and a sentence that sums it up."""
    index = saliency_index(project, run["id"])
    data = faithfulness_summary(project, run["id"])
    sentence = _what_sentence(index)
    verdicts = _verdict_sentences(project, data)
    section = Section(
        f"Saliency of {_models(index)}",
        (
            sentence + state_sentence(run),
            *verdicts,
            *_null_sentences(data),
            *_tied_sentences(data),
        ),
        report_words.HOW_TO_READ_SALIENCY,
        tuple(_pictures(project, run["id"], index)),
        parameters_table(run),
        tuple(_tables(index, data)),
    )
    return section, " ".join((sentence, *verdicts[:1]))


def _models(index: SaliencyIndex) -> str:
    if len(index.models) == 1:
        return plain(index.models[0])
    return count(len(index.models), "model")


def _what_sentence(index: SaliencyIndex) -> str:
    real = sum(method.kind != NULL for method in index.methods)
    null = len(index.methods) - real
    beside = f", beside {count(null, 'null map')}" if null else ""
    return (
        f"{count(int(index.available.sum()), 'map')} of {count(len(index.images), 'image')} by"
        f" {count(real, 'method')} for {_models(index)}{beside}."
    )


def _verdict_sentences(project: Project, data: FaithfulnessSummary) -> list[str]:
    """Of each model and the usual metrics: the best method, and how many beat every null map."""
    gains = tested_gains(faithfulness_comparisons(project, data.run))
    sentences = []
    for j, model in enumerate(data.models):
        parts = [
            _verdict(data, i, j, gains)
            for i, metric in enumerate(data.metrics)
            if metric.key in _TOLD
        ]
        if told := [part for part in parts if part]:
            sentences.append(f"{plain(model)}: {'; '.join(told)}.")
    return sentences


def _verdict(
    data: FaithfulnessSummary, i: int, j: int, gains: dict[tuple[str, str, str, str], float]
) -> str:
    metric, mean = data.metrics[i], data.mean[i, j]
    sign = _SIGN.get(metric.better, 0.0)
    real = [
        k
        for k, method in enumerate(data.methods)
        if method.kind != NULL and np.isfinite(mean[k])
    ]  # fmt: skip
    if not real or sign == 0:
        return ""
    top = max(real, key=lambda k: sign * mean[k])
    score = interval(mean[top], data.ci_low[i, j, top], data.ci_high[i, j, top])
    standing = "is best" if data.best[i, j, top] else "has the best mean, not told from all others,"
    text = f"by {metric.title.lower()} {data.methods[top].title} {standing} ({score})"
    null = [
        method.label
        for k, method in enumerate(data.methods)
        if method.kind == NULL and np.isfinite(mean[k])
    ]
    if null and gains:
        beating = sum(
            all(
                sign * gains.get((metric.key, data.models[j], data.methods[k].label, label), 0) > 0
                for label in null
            )
            for k in real
        )
        text += f", {beating} of {count(len(real), 'method')} beat every null map"
    return text


def _null_sentences(data: FaithfulnessSummary) -> list[str]:
    """Where a map that knows nothing has the best mean."""
    found = []
    for i, metric in enumerate(data.metrics):
        sign = _SIGN.get(metric.better, 0.0)
        for j, model in enumerate(data.models):
            mean = sign * data.mean[i, j]
            if sign and np.isfinite(mean).any():
                top = data.methods[int(np.nanargmax(mean))]
                if top.kind == NULL:
                    found.append(f"{metric.title} of {plain(model)} ({top.title})")
    if not found:
        return []
    return [
        "A null map has the best mean in: " + "; ".join(found) + ". There the metric does not speak"
        " for any method."
    ]


def _tied_sentences(data: FaithfulnessSummary) -> list[str]:
    many = [
        f"{data.methods[k].title} of {plain(data.models[j])}"
        f" ({number(100 * float(data.tied[j, k]), 0)} %)"
        for j, k in np.argwhere(np.nan_to_num(data.tied) > _MANY_TIED).tolist()
        if data.methods[k].kind != NULL
    ]
    if not many:
        return []
    return [
        "Many pixels share their value with another, so that their order in insertion and deletion"
        f" is that of the raster: {'; '.join(many)}."
    ]


def _pictures(project: Project, run: int, index: SaliencyIndex) -> list[Picture]:
    pictures = []
    for model in index.models[:_MODELS_SHOWN]:
        text = f"Saliency maps of {plain(model)} by each method over images of the run."
        pictures += picture_if_any(
            project, run, "saliency", text, text, grid="methods", images=_IMAGES_SHOWN, models=model
        )
    pictures += picture_if_any(
        project,
        run,
        "faithfulness",
        "Dots of the mean of each metric by method and model, with intervals and null maps",
        "Faithfulness of each method; the bars behind are the range of the null maps.",
    )
    pictures += picture_if_any(
        project,
        run,
        "insertion-deletion",
        "Curves of the mean probability while pixels come in or go out",
        "Insertion and deletion, means over the images.",
    )
    if index.depth_models:
        model = index.depth_models[0]
        text = f"Attention of every layer and head of {plain(model)} in one image."
        pictures += picture_if_any(project, run, "attention-depth", text, text, model=model)
    return pictures


def _tables(index: SaliencyIndex, data: FaithfulnessSummary) -> list[TitledTable]:
    tables = []
    for j, model in enumerate(data.models):
        for start in range(0, len(data.metrics), _METRICS_A_TABLE):
            chosen = range(start, min(start + _METRICS_A_TABLE, len(data.metrics)))
            title = f"Faithfulness of {plain(model)}"
            if start:
                title += ", continued"
            tables.append(TitledTable(title, _means(data, j, chosen), (1,) * (len(chosen) + 1)))
    if data.metrics:
        rows = tuple(
            (plain(metric.title), metric.better or "neither", plain(metric.description))
            for metric in data.metrics
        )
        table = ReportTable(("metric", "better", "what it is"), rows)
        tables.append(TitledTable("Metrics", table, (3, 1, 9)))
    if index.settings:
        said = tuple((plain(name), plain(text)) for name, text in index.settings)
        tables.append(TitledTable("Measured with", ReportTable(("what", "how"), said), (1, 2)))
    if index.refused:
        refused = [
            (plain(model), plain(method) or "all", plain(reason))
            for model, method, reason in index.refused
        ]
        shown = refused[:_REFUSED_SHOWN]
        if len(refused) > len(shown):
            shown.append(("…", f"{len(refused) - len(shown):,} more", "listed in the project"))
        table = ReportTable(("model", "method", "why not"), tuple(shown))
        tables.append(TitledTable("Methods that a model cannot be explained by", table, (2, 2, 5)))
    return tables


def _means(data: FaithfulnessSummary, j: int, metrics: range) -> ReportTable:
    """Rows of methods, columns of metrics; ★ where the tests say that a method is best."""
    rows = []
    for k, method in enumerate(data.methods):
        if not np.isfinite(data.mean[:, j, k]).any():
            continue
        rows.append((plain(method.title), *(_score(data, i, j, k) for i in metrics)))
    signs = {"higher": " ↑", "lower": " ↓", "": ""}
    heads = (f"{data.metrics[i].title}{signs[data.metrics[i].better]}" for i in metrics)
    return ReportTable(("method", *heads), tuple(rows))


def _score(data: FaithfulnessSummary, i: int, j: int, k: int) -> str:
    if not np.isfinite(data.mean[i, j, k]):
        return "–"
    text = interval(data.mean[i, j, k], data.ci_low[i, j, k], data.ci_high[i, j, k])
    return f"★ {text}" if data.best[i, j, k] else text
