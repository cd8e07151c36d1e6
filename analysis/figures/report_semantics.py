"""The chapter of a report on semantic similarity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.errors import AuditError
from analysis.figures import report_words
from analysis.figures.columns import run_parameters
from analysis.figures.export import prepare_figure
from analysis.figures.report_parts import (
    Picture,
    ReportTable,
    Section,
    TitledTable,
    parameters_table,
    picture_if_any,
    state_sentence,
)
from analysis.figures.report_semantics_tables import semantics_tables
from analysis.figures.semantics_choice import MaskPairs
from analysis.figures.semantics_data import (
    SemanticsIndex,
    Separability,
    SpaceSimilarityMatrix,
)
from analysis.figures.semantics_readers import (
    above_chance,
    semantics_index,
    separability,
    space_similarity,
    tcav_layers,
)
from analysis.figures.semantics_words import threshold_text
from analysis.figures.words import count, interval, number, plain

if TYPE_CHECKING:
    from analysis.project import Project

_ROBUST = 0.75
_LEAST_PAIRS = 6  # of layers, for a sentence on depth
_LEFT_OUT_SHOWN = 40


def semantics_section(project: Project, run: Any) -> tuple[Section, str]:
    """The chapter on a semantics run, and a sentence that sums it up."""
    number_of_run = run["id"]
    index = semantics_index(project, number_of_run)
    spaces = space_similarity(project, number_of_run)
    vectors = [separability(project, number_of_run, name) for name in dict.fromkeys(index.models)]
    masks = _masks(project, number_of_run)
    pair = f"{plain(index.models[0])} (A) and {plain(index.models[1])} (B)"
    similar = _space_sentence(spaces)
    matched = _mask_sentence(masks) if masks is not None else ""
    paragraphs = (
        _what_sentence(index, masks) + state_sentence(run),
        *_untrained_sentences(index),
        *(_vector_sentence(one) for one in vectors if one.accuracy.size),
        similar,
        _depth_sentence(spaces),
        matched,
        *_warnings(run_parameters(run), masks),
    )
    section = Section(
        f"Semantics of {pair}",
        tuple(text for text in paragraphs if text),
        report_words.HOW_TO_READ_SEMANTICS,
        tuple(_pictures(project, number_of_run, index)),
        parameters_table(run),
        (*semantics_tables(project, index, spaces, vectors, masks), *_settings_tables(index)),
    )
    summary = " ".join(text for text in (similar, matched) if text)
    return section, f"{pair}: {summary}" if summary else f"{pair} were compared by concepts."


def _masks(project: Project, run: int) -> MaskPairs | None:
    try:
        pairs: MaskPairs = prepare_figure(project, "mask-similarity", run).data
    except AuditError:
        return None
    return pairs


def _what_sentence(index: SemanticsIndex, masks: MaskPairs | None) -> str:
    parts = []
    if index.concepts:
        layers = " and ".join(str(len(side)) for side in index.layers)
        parts.append(
            f"{count(len(index.concepts), 'concept')} given by examples in {layers} layers"
        )
    if masks is not None:
        matrix = masks.matrix
        parts.append(
            f"{len(matrix.concepts_a)} and {len(matrix.concepts_b)} concepts found in"
            f" {plain(matrix.layer_a)} of A and {plain(matrix.layer_b)} of B"
        )
    return f"Compared by {', and by '.join(parts)}." if parts else "Nothing is compared yet."


def _untrained_sentences(index: SemanticsIndex) -> list[str]:
    names = [
        f"{plain(name)} ({side})"
        for name, side, trained in zip(index.models, "AB", index.trained, strict=True)
        if not trained
    ]
    if not names:
        return []
    verb = "is" if len(names) == 1 else "are"
    return [
        f"{' and '.join(names)} {verb} untrained: the weights are random, and the numbers say what"
        " pictures and architecture alone give."
    ]


def _vector_sentence(data: Separability) -> str:
    tried = np.isfinite(data.accuracy)
    told = [
        concept
        for row, concept in enumerate(data.concepts)
        if data.separates[row, _deepest(tried[row])]
    ]
    return (
        f"In {plain(data.model)} {int((data.separates & tried).sum())} of"
        f" {count(int(tried.sum()), 'vector')} tell their concept from permuted labels; in the"
        f" deepest layer {len(told)} of {count(len(data.concepts), 'concept')} do."
    )


def _deepest(tried: np.ndarray) -> int:
    """The last place that was tried; layers stand in order of depth."""
    known = np.flatnonzero(tried)
    return int(known[-1]) if len(known) else len(tried) - 1


def _space_sentence(data: SpaceSimilarityMatrix) -> str:
    if not np.isfinite(data.pearson).any():
        return ""
    i, j = np.unravel_index(np.nanargmax(data.pearson), data.pearson.shape)
    score = interval(data.pearson[i, j], data.ci_low[i, j], data.ci_high[i, j])
    chance = data.null_95[i, j]
    beside = f", chance {number(chance)}" if np.isfinite(chance) else ""
    if np.isfinite(data.fisher[i, j]):
        beside = f", mean by Fisher's z {number(data.fisher[i, j])}{beside}"
    above = above_chance(data.pearson, data.null_95, data.p_adjusted)
    known = np.isfinite(data.pearson)
    return (
        f"By the mean of the given concepts {plain(data.layers_a[i].name)} of A and"
        f" {plain(data.layers_b[j].name)} of B are most alike (SFSS {score}{beside});"
        f" {int(above.sum())} of {count(int(known.sum()), 'pair')} of layers are more alike than"
        " chance would make them."
    )


def _depth_sentence(data: SpaceSimilarityMatrix) -> str:
    """Whether similarity goes with relative depth: a description, since pairs share layers."""
    depths = [
        np.array([layer.depth for layer in layers]) for layers in (data.layers_a, data.layers_b)
    ]
    apart = np.abs(depths[0][:, None] - depths[1][None])
    known = np.isfinite(data.pearson) & np.isfinite(apart)
    if known.sum() < _LEAST_PAIRS:
        return ""
    found = rank_correlation(apart[known], data.pearson[known])
    if not np.isfinite(found):
        return ""
    return (
        "Over these pairs, SFSS and the difference of relative depth have a rank correlation of"
        f" {number(found)} (−1: the closer in depth, the more alike)."
    )


def rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Spearman's correlation, equal values sharing their mean rank; NaN where one is constant."""
    ranks = []
    for values in (first, second):
        _, place, amount = np.unique(values, return_inverse=True, return_counts=True)
        ranks.append((np.cumsum(amount) - (amount - 1) / 2)[place])
    if min(float(np.ptp(one)) for one in ranks) == 0:
        return float("nan")
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def _mask_sentence(data: MaskPairs) -> str:
    if not data.pairs:
        return ""
    matrix, t = data.matrix, data.threshold
    rows, columns = (list(side) for side in zip(*data.pairs, strict=True))
    ucs, null = matrix.ucs[t, rows, columns], matrix.null_95[t, rows, columns]
    beaten = above_chance(matrix.ucs, matrix.null_95, matrix.p_adjusted)[:, rows, columns]
    a, b = data.pairs[0]
    best = interval(ucs[0], matrix.ci_low[t, a, b], matrix.ci_high[t, a, b])
    text = (
        f"Of {count(len(rows), 'matched pair')} of found concepts {int(beaten[t].sum())} overlap"
        f" more than chance above {threshold_text(data.threshold_value)}; best are"
        f" {matrix.concepts_a[a].number} of A and {matrix.concepts_b[b].number} of B"
        f" (UCS {best}, chance {number(null[0])})"
    )
    high = int(np.argmin(np.abs(matrix.thresholds - _ROBUST)))
    if high != t and np.isclose(matrix.thresholds[high], _ROBUST):
        text += f"; {int((beaten[t] & beaten[high]).sum())} of them also above {_ROBUST}"
    return text + "."


def _warnings(parameters: dict[str, Any], masks: MaskPairs | None) -> list[str]:
    if masks is None or parameters.get("normalisation") != "image":
        return []
    return [
        "Masks are scaled by the largest value in each image: every image has a mask of every"
        " concept, and UCS is higher than with one scale for all images."
    ]


def _pictures(project: Project, run: int, index: SemanticsIndex) -> list[Picture]:
    pictures = picture_if_any(
        project,
        run,
        "space-similarity",
        "Heatmap of the similarity of the layers of A and B, mean of all concepts",
        "Similarity of feature spaces (SFSS) of layers, mean of the given concepts.",
    )
    pictures += picture_if_any(
        project,
        run,
        "separability",
        "Curves of the accuracy of each concept's vector over the depth of the models",
        "How well each concept is told apart, by relative depth; hollow marks do not separate.",
    )
    for model in dict.fromkeys(index.models):
        if tcav_layers(project, run, model):
            text = f"TCAV scores of the concepts in the deepest layer of {plain(model)}."
            pictures += picture_if_any(project, run, "tcav", text, text, model=model)
    pictures += picture_if_any(
        project,
        run,
        "mask-similarity",
        "Heatmap of the overlap of found concepts of A and B",
        "UCS of found concepts; frames are best matches, hatched cells are not above chance.",
    )
    pictures += picture_if_any(
        project,
        run,
        "mask-pair",
        "Masks of the best match of found concepts over images",
        "The best match of found concepts, images from the most to the least alike.",
    )
    pictures += picture_if_any(
        project,
        run,
        "robustness",
        "Curves of UCS over the threshold of the masks for matched concepts",
        "UCS of matched concepts as the threshold rises, and what chance gives.",
    )
    return pictures


def _settings_tables(index: SemanticsIndex) -> list[TitledTable]:
    tables = []
    if index.settings:
        said = tuple((plain(name), plain(text)) for name, text in index.settings)
        tables.append(TitledTable("Measured with", ReportTable(("what", "how"), said), (1, 2)))
    if index.left_out:
        shown = [(plain(subject), plain(reason)) for subject, reason in index.left_out]
        rows = shown[:_LEFT_OUT_SHOWN]
        if len(shown) > len(rows):
            rows.append((f"… {len(shown) - len(rows):,} more", "listed in the project"))
        table = ReportTable(("what", "why it was left out"), tuple(rows))
        tables.append(TitledTable("What could not be done", table, (1, 2)))
    return tables
