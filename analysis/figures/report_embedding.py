"""The chapters of a report on the embedding and on performance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.errors import AuditError
from analysis.figures import report_words
from analysis.figures.columns import run_parameters
from analysis.figures.embedding_data import ConceptCounts, CorrelationMatrix, EmbeddingPoints
from analysis.figures.embedding_readers import correlation_matrix, ensemble_tasks
from analysis.figures.export import prepare_figure
from analysis.figures.palette import category_word
from analysis.figures.render_correlations import row_word, survives
from analysis.figures.render_embedding import PRESET_WORDS
from analysis.figures.report_parts import (
    Picture,
    Section,
    parameters_table,
    picture_of,
    state_sentence,
)
from analysis.figures.slice_performance import SlicePerformance
from analysis.figures.words import count, interval, number, plain

if TYPE_CHECKING:
    from analysis.project import Project

_TASKS_SHOWN = 12
_NEARLY_ONE = 0.9
_FEWEST = 5  # models; of fewer, many concepts go together with any component

# Figures of an embedding besides the scatter plot: what they show, and their caption.
_MORE_FIGURES = (
    (
        "explained-variance",
        "Bars of the variance that each component explains",
        "Variance explained by each component, and by chance.",
    ),
    (
        "loadings",
        "Bars of the strongest concepts of each component",
        "The concepts that count most in each component.",
    ),
    (
        "concept-counts",
        "Scatter plot of the units for one concept against the first component",
        "Units for the strongest concept of the first component.",
    ),
    (
        "groups",
        "Lines of inertia and silhouette against the number of groups",
        "How many groups of models there are.",
    ),
    (
        "profile-correlation",
        "Table of correlations of components with profiles",
        "Components and the units and concepts of each category.",
    ),
    (
        "performance-correlation",
        "Table of correlations of components with performance",
        "Components and performance in each task.",
    ),
    (
        "performance-map",
        "Map of performance over the first two components",
        "Performance over the embedding.",
    ),
    (
        "stability",
        "Dots of the agreement of groups and the shift of models",
        "Stability of groups and places.",
    ),
)


def embedding_section(project: Project, run: Any) -> tuple[Section, str]:
    """The chapter on an embedding run, and a sentence that sums it up."""
    data, pictures = _scatter(project, run["id"])
    sentence = f"{_groups_sentence(data)} {_variance_sentence(data)}"
    more: list[str] = []
    for name, text, caption in _MORE_FIGURES:
        try:
            prepared = prepare_figure(project, name, run["id"])
        except AuditError:
            continue  # the run has nothing of this kind: no performance, or a single component
        pictures.append(picture_of(prepared, text, caption))
        if isinstance(prepared.data, ConceptCounts):
            more.append(_one_concept(prepared.data))
    more += [
        _survivors(correlation_matrix(project, run["id"], kind))
        for kind in ("performance", "profile")
    ]
    section = Section(
        f"Embedding of {count(len(data.models), 'model')}",
        (sentence + state_sentence(run), *(text for text in more if text)),
        report_words.HOW_TO_READ_EMBEDDING,
        tuple(pictures),
        parameters_table(run),
    )
    return section, sentence


def _scatter(project: Project, run: int) -> tuple[EmbeddingPoints, list[Picture]]:
    """The scatter plot of the first two components; two models have one alone, and no plot."""
    variance = prepare_figure(project, "explained-variance", run)
    data: EmbeddingPoints = variance.data
    if data.points.shape[1] < 2:
        return data, []
    prepared = prepare_figure(project, "embedding", run)
    words = PRESET_WORDS.get(data.preset, data.preset)
    picture = picture_of(
        prepared,
        f"Scatter plot of {count(len(data.models), 'model')} in two components",
        f"Learned Concepts Embedding, preset {plain(words)}, run {run}.",
    )
    return data, [picture]


def _groups_sentence(data: EmbeddingPoints) -> str:
    groups = sorted(set(data.group) - {""})
    if len(groups) < 2:
        return "The models of the embedding are one group."
    texts = [
        f"{plain(group)}: "
        + ", ".join(
            plain(model) for model, of in zip(data.models, data.group, strict=True) if of == group
        )
        for group in groups
    ]
    return f"By the concepts they know the models fall into groups. {'; '.join(texts)}."


def _variance_sentence(data: EmbeddingPoints) -> str:
    shares = [
        f"{number(100 * share, 1)} %" for share in data.explained_variance if np.isfinite(share)
    ]
    sentence = f"Components explain {', '.join(shares)} of the variance"
    known = np.isfinite(data.null_95)
    if not known.any():
        return f"{sentence}; what chance would explain is not known."
    above = [
        str(place + 1) for place in np.flatnonzero(known & (data.explained_variance > data.null_95))
    ]
    if not above:
        return f"{sentence}; none explains more than chance would."
    which = f"component {above[0]}" if len(above) == 1 else f"components {', '.join(above)}"
    return f"{sentence}; more than chance: {which}."


def _one_concept(data: ConceptCounts) -> str:
    """A warning where a component is nearly one concept; else empty."""
    if len(data.models) < _FEWEST or not abs(data.r) >= _NEARLY_ONE:
        return ""
    return (
        f"Component {data.component} is nearly one concept: it goes together with the units for"
        f" {plain(data.concept)} ({plain(category_word(data.category))}) alone, r ="
        f" {number(data.r)}."
    )


def _survivors(data: CorrelationMatrix) -> str:
    """Which correlations survive, as a sentence; empty without any tested."""
    tested = int(np.isfinite(data.p_adjusted).sum())
    if not tested:
        return ""
    what = "performance" if data.kind == "performance" else "the profiles"
    cells = np.argwhere(survives(data))
    sentence = (
        f"{len(cells):,} of {count(tested, 'correlation')} with {what} survive the correction"
    )
    if not len(cells):
        return f"{sentence}."
    strongest = sorted(cells.tolist(), key=lambda cell: -abs(data.r[cell[0], cell[1]]))[:3]
    texts = [
        f"{plain(row_word(data.rows[row]))} with component {component + 1}"
        f" (r = {number(data.r[row, component])}, n = {data.n[row, component]})"
        for row, component in strongest
    ]
    return f"{sentence}; the strongest: {', '.join(texts)}."


def evaluation_section(project: Project, run: Any) -> tuple[Section, str]:
    """The chapter on an evaluation run, and a sentence that sums it up."""
    sentences = _best_sentences(project, run)
    models = project.value(
        "SELECT COUNT(DISTINCT model) FROM performance WHERE run = ?", (run["id"],)
    )
    pictures = [
        picture_of(
            prepare_figure(project, "ensembles", run["id"], task=task),
            f"Heatmap of gains of pairs of models in {plain(task)}",
            f"Gain of every pair over its better model in {plain(task)}.",
        )
        for task in ensemble_tasks(project, run["id"])[:2]
    ]
    by_slice = _by_slice(project, run["id"])
    reading: tuple[str, ...] = report_words.HOW_TO_READ_EVALUATION
    if by_slice is not None:
        pictures.append(by_slice)
        reading = (*reading, report_words.HOW_TO_READ_SLICES)
    section = Section(
        f"Performance of {count(models, 'model')}",
        (" ".join(sentences) + state_sentence(run),),
        reading,
        tuple(pictures),
        parameters_table(run),
    )
    return section, sentences[0]


def _by_slice(project: Project, run: int) -> Picture | None:
    """Performance over the slices of the project; None where there are none, or no predictions."""
    if not project.image_slices():
        return None
    try:
        prepared = prepare_figure(project, "performance-by-slice", run)
    except AuditError:
        return None
    data: SlicePerformance = prepared.data
    (task,), slices = data.tasks, count(len(data.slices) - 1, "slice")
    return picture_of(
        prepared,
        f"Dots with intervals: right answers in {plain(task)} over {slices} and all images",
        f"Performance by slice in {plain(task)}.",
    )


def _best_sentences(project: Project, run: Any) -> list[str]:
    """The best model in each of the first tasks; of a table's tasks it is not known whether high
    or low is good."""
    best: dict[str, Any] = {}
    for row in project.rows(
        "SELECT task, model, value, ci_low, ci_high FROM performance"
        " WHERE run = ? AND value IS NOT NULL ORDER BY id",
        (run["id"],),
    ):
        if row["task"] not in best or row["value"] > best[row["task"]]["value"]:
            best[row["task"]] = row
    if not best:
        return ["No performance is known yet."]
    verb = "has the highest value" if run_parameters(run).get("imported") else "is best"
    rows = list(best.values())
    sentences = [
        f"In {plain(row['task'])} {plain(row['model'])} {verb}"
        f" ({_score(row['value'], row['ci_low'], row['ci_high'])})."
        for row in rows[:_TASKS_SHOWN]
    ]
    if len(rows) > _TASKS_SHOWN:
        sentences.append(f"{count(len(rows) - _TASKS_SHOWN, 'more task')} in the project.")
    return sentences


def _score(value: float, low: float | None, high: float | None) -> str:
    none = float("nan")
    return interval(value, none if low is None else low, none if high is None else high)
