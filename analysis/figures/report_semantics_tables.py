"""The tables of a report's chapter on semantic similarity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from analysis.figures.report_parts import ReportTable, TitledTable
from analysis.figures.semantics_choice import MaskPairs
from analysis.figures.semantics_data import (
    FoundConcept,
    SemanticsIndex,
    Separability,
    SpaceSimilarityMatrix,
    TcavScores,
)
from analysis.figures.semantics_readers import (
    above_chance,
    space_similarity,
    tcav_layers,
    tcav_scores,
)
from analysis.figures.semantics_words import threshold_text
from analysis.figures.words import interval, number, plain

if TYPE_CHECKING:
    from analysis.project import Project

_CONCEPTS_SHOWN = 40
_ROWS_SHOWN = 60
_NONE = "–"


def semantics_tables(
    project: Project,
    index: SemanticsIndex,
    spaces: SpaceSimilarityMatrix,
    vectors: Sequence[Separability],
    masks: MaskPairs | None,
) -> list[TitledTable]:
    """Concepts by model, the layers most alike by each, TCAV scores, and matches."""
    tables = [_vector_table(one, side) for one, side in zip(vectors, "AB", strict=False)]
    tables.append(_space_table(project, index, spaces))
    for model in dict.fromkeys(index.models):
        layers = tcav_layers(project, index.run, model)
        if layers:
            tables.append(_tcav_table(tcav_scores(project, index.run, model, layers[-1].name)))
    if masks is not None:
        tables.append(_match_table(masks))
        tables.append(_found_table(masks))
    return [table for table in tables if table.table.rows]


def _vector_table(data: Separability, side: str) -> TitledTable:
    """One row a concept: how many layers tell it apart, and which does it best."""
    rows = []
    for row, concept in enumerate(data.concepts[:_CONCEPTS_SHOWN]):
        accuracy = data.accuracy[row]
        tried = np.isfinite(accuracy)
        told = data.separates[row] & tried
        best = int(np.nanargmax(np.where(told, accuracy, np.nan))) if told.any() else -1
        rows.append(
            (
                plain(concept),
                f"{int(told.sum())} of {int(tried.sum())}",
                plain(data.layers[best].name) if best >= 0 else "none separates it",
                _scored(accuracy, data.ci_low[row], data.ci_high[row], best),
                number(data.null_95[row, best]) if best >= 0 else _NONE,
                number(data.stability[row, best]) if best >= 0 else _NONE,
                f"{int(data.n_positive[row].max(initial=0)):,}",
            )
        )
    columns = ("concept", "layers that separate", "best layer", "accuracy", "chance", "stability",
               "examples")  # fmt: skip
    title = f"Concepts given by examples in {plain(data.model)} ({side})"
    return TitledTable(title, ReportTable(columns, tuple(rows)), (3, 2, 4, 4, 2, 2, 2))


def _scored(values: np.ndarray, low: np.ndarray, high: np.ndarray, place: int) -> str:
    return interval(values[place], low[place], high[place]) if place >= 0 else _NONE


def _space_table(
    project: Project, index: SemanticsIndex, mean: SpaceSimilarityMatrix
) -> TitledTable:
    """One row a concept, and the mean: the layers most alike and how many are above chance."""
    shown = [("mean of all", mean)] if mean.pearson.size else []
    if mean.pearson.size:
        shown += [
            (concept, space_similarity(project, index.run, concept))
            for concept in index.concepts[:_CONCEPTS_SHOWN]
        ]
    rows = []
    for name, data in shown:
        known = np.isfinite(data.pearson)
        if not known.any():
            rows.append((plain(name), _NONE, _NONE, "separates in no pair", _NONE, _NONE, _NONE))
            continue
        i, j = np.unravel_index(np.nanargmax(data.pearson), data.pearson.shape)
        above = above_chance(data.pearson, data.null_95, data.p_adjusted)
        rows.append(
            (
                plain(name),
                plain(data.layers_a[i].name),
                plain(data.layers_b[j].name),
                interval(data.pearson[i, j], data.ci_low[i, j], data.ci_high[i, j]),
                number(data.spearman[i, j]),
                number(data.null_95[i, j]),
                f"{int(above.sum())} of {int(known.sum())}",
            )
        )
    columns = ("concept", "layer of A", "layer of B", "SFSS (Pearson)", "Spearman", "chance",
               "pairs above chance")  # fmt: skip
    table = ReportTable(columns, tuple(rows))
    return TitledTable("Layers most alike by each concept", table, (3, 4, 4, 4, 2, 2, 3))


def _tcav_table(data: TcavScores) -> TitledTable:
    rows: list[tuple[str, ...]] = []
    for i, concept in enumerate(data.concepts):
        for j, name in enumerate(data.classes):
            if not data.separates[i] or not np.isfinite(data.score[i, j]):
                score, p = "does not separate" if not data.separates[i] else "no score", _NONE
            else:
                score = interval(data.score[i, j], data.ci_low[i, j], data.ci_high[i, j])
                p = number(data.p_adjusted[i, j], 3)
            ends = (data.null_low[i, j], data.null_high[i, j])
            chance = f"{number(ends[0])} to {number(ends[1])}" if np.isfinite(ends).all() else _NONE
            rows.append((plain(concept), plain(name), score, chance, p))
    shown = rows[:_ROWS_SHOWN]
    if len(rows) > len(shown):
        shown.append(("…", f"{len(rows) - len(shown):,} more", "in the project", "", ""))
    columns = ("concept", "class", "TCAV", "random concepts", "p, adjusted")
    title = f"TCAV in {plain(data.layer)} of {plain(data.model)}"
    return TitledTable(title, ReportTable(columns, tuple(shown)), (3, 3, 4, 3, 2))


def _match_table(data: MaskPairs) -> TitledTable:
    """One row a match: its UCS at the threshold and over all that were measured."""
    matrix, t = data.matrix, data.threshold
    rows = []
    for a, b in data.pairs[:_ROWS_SHOWN]:
        curve, null = matrix.ucs[:, a, b], matrix.null_95[:, a, b]
        known = np.isfinite(curve) & np.isfinite(null)
        above = above_chance(curve, null, matrix.p_adjusted[:, a, b]) & known
        rows.append(
            (
                str(matrix.concepts_a[a].number),
                str(matrix.concepts_b[b].number),
                interval(curve[t], matrix.ci_low[t, a, b], matrix.ci_high[t, a, b]),
                number(null[t]),
                f"{int(above.sum())} of {int(known.sum())} thresholds" if known.any() else _NONE,
            )
        )
    threshold = threshold_text(data.threshold_value)
    columns = (
        "concept of A",
        "concept of B",
        f"UCS above {threshold}",
        "chance",
        "above chance at",
    )
    title = f"Best matches, {plain(matrix.layer_a)} of A and {plain(matrix.layer_b)} of B"
    return TitledTable(title, ReportTable(columns, tuple(rows)), (2, 2, 4, 2, 4))


def _found_table(data: MaskPairs) -> TitledTable:
    matrix = data.matrix
    rows = [
        *_found_rows("A", matrix.concepts_a[:_CONCEPTS_SHOWN]),
        *_found_rows("B", matrix.concepts_b[:_CONCEPTS_SHOWN]),
    ]
    columns: tuple[str, ...] = (
        *("model", "concept", "images that show it", "importance", "change of scores", "for class"),
    )
    widths: tuple[int, ...] = (1, 1, 2, 2, 2, 3)
    if not any(one.class_name for one in (*matrix.concepts_a, *matrix.concepts_b)):
        columns, widths, rows = columns[:-1], widths[:-1], [row[:-1] for row in rows]
    return TitledTable("Found concepts", ReportTable(columns, tuple(rows)), widths)


def _found_rows(side: str, concepts: Sequence[FoundConcept]) -> list[tuple[str, ...]]:
    return [
        (
            side,
            str(one.number),
            f"{number(100 * one.presence, 0)} %" if np.isfinite(one.presence) else _NONE,
            number(one.importance) if np.isfinite(one.importance) else _NONE,
            number(one.fidelity) if np.isfinite(one.fidelity) else _NONE,
            plain(one.class_name) or _NONE,
        )
        for one in concepts
    ]
