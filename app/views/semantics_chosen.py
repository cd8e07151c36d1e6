"""What is chosen among the things alike by meaning, as title, sentence and numbers. No Qt here."""

from __future__ import annotations

import math

import numpy as np

from analysis.figures.semantics_data import (
    MEAN,
    ConceptSetInfo,
    FoundConcept,
    MaskSimilarityMatrix,
    SemanticsIndex,
    Separability,
    SpaceSimilarityMatrix,
    TcavScores,
)
from analysis.figures.words import interval, number
from app.views.semantics_words import (
    NOT_APART,
    concept_word,
    found_name,
    kind_word,
    mask_counts,
    p_word,
    set_line,
    space_counts,
    tcav_counts,
)
from app.words import Chosen, Reading

_INTERVAL = "In brackets its 95 % interval over images."
_CHANCE = "What 95 % of shufflings of the images stay below: a similarity under it means nothing."


def chosen_layers(
    data: SpaceSimilarityMatrix,
    index: SemanticsIndex,
    apart: tuple[Separability | None, Separability | None],
    pair: tuple[str, str],
) -> Chosen:
    """A pair of layers, for a concept or the mean."""
    at = (
        [layer.name for layer in data.layers_a].index(pair[0]),
        [layer.name for layer in data.layers_b].index(pair[1]),
    )
    value = float(data.pearson[at])
    where = f"{index.models[0]} · {pair[0]} ~ {index.models[1]} · {pair[1]}"
    readings = [
        Reading(
            "SFSS",
            interval(value, float(data.ci_low[at]), float(data.ci_high[at])),
            "How alike both layers order the images by this concept: the correlation of the"
            f" cosines of their features with its vector. {_INTERVAL}",
        ),
        *_known("by rank", float(data.spearman[at]), "The same by ranks (Spearman)."),
        *_known("by Fisher's z", float(data.fisher[at]), "The mean over concepts by Fisher's z."),
        *_known("chance", float(data.null_95[at]), _CHANCE),
        *_probability(float(data.p_adjusted[at]), "all pairs of layers"),
    ]
    for side, one, layer in zip("AB", apart, pair, strict=True):
        readings += _separability(one or apart[0], data.concept, layer, f"told apart, {side}")
    readings.append(Reading("images", f"{data.n:,}", "Images behind the similarity."))
    if not math.isfinite(value):
        verdict = "There is no number: the concept is not told apart in both layers."
    elif bool(space_counts(data)[at]):
        verdict = "More alike than chance would make them."
    else:
        verdict = "No more alike than chance would make them."
    return Chosen(concept_word(data.concept), f"{where}. {verdict}", tuple(readings))


def _separability(data: Separability | None, concept: str, layer: str, name: str) -> list[Reading]:
    """How well one concept is told apart in a layer; nothing for the mean of all."""
    if data is None or concept == MEAN or concept not in data.concepts:
        return []
    layers = [one.name for one in data.layers]
    if layer not in layers:
        return []
    at = (data.concepts.index(concept), layers.index(layer))
    text = interval(float(data.accuracy[at]), float(data.ci_low[at]), float(data.ci_high[at]))
    unused = "" if bool(data.separates[at]) else ", no better than chance"
    meaning = (
        "Share of held-out examples that the concept's vector tells from others, both kinds"
        f" weighing the same: 0.5 is guessing. {_INTERVAL}"
    )
    return [Reading(name, f"{text}{unused}", meaning)]


def chosen_masks(
    data: MaskSimilarityMatrix, index: SemanticsIndex, step: int, pair: tuple[int, int]
) -> Chosen:
    """A pair of found concepts, by their places, at a threshold."""
    at = (step, *pair)
    first, second = data.concepts_a[pair[0]], data.concepts_b[pair[1]]
    value, threshold = float(data.ucs[at]), number(float(data.thresholds[step]))
    where = (
        f"{index.models[0]} · {data.layer_a}, concept {found_name(first)} ~"
        f" {index.models[1]} · {data.layer_b}, concept {found_name(second)}"
    )
    if not math.isfinite(value):
        verdict = "There is no number: no image has a mask of either."
    elif not math.isfinite(float(data.null_95[at])):
        verdict = "What chance would give is not known here."
    elif bool(mask_counts(data)[at]):
        verdict = "They lie in the same places more than chance would have it."
    else:
        verdict = "They lie in the same places no more than chance would have it."
    readings = [
        Reading(
            "UCS",
            interval(value, float(data.ci_low[at]), float(data.ci_high[at])),
            f"Mean overlap (IoU) of both concepts' masks over the images. {_INTERVAL}",
        ),
        Reading("threshold", threshold, "Masks hold what is above it."),
        *_known("chance", float(data.null_95[at]), _CHANCE),
        *_probability(float(data.p_adjusted[at]), "all pairs of concepts"),
        Reading(
            "best match",
            "yes" if data.matched[at] else "no",
            "Whether the assignment of all concepts that overlap most has this pair.",
        ),
        *_found("A", first),
        *_found("B", second),
        Reading("images", f"{data.n:,}", "Images that were looked at."),
    ]
    return Chosen(
        f"Found concepts {found_name(first)} and {found_name(second)}",
        f"{where}. {verdict}",
        tuple(readings),
    )


def _found(side: str, concept: FoundConcept) -> list[Reading]:
    whom = f" for {concept.class_name}" if concept.class_name else ""
    presence = f"{round(100 * concept.presence)} %" if math.isfinite(concept.presence) else ""
    found = _known(
        f"importance, {side}",
        concept.importance,
        f"How much more of the concept raises the score{whom}, beside the model's most important"
        " concept; below zero it lowers it.",
    )
    if presence:
        meaning = "Share of the images in which the concept is strong enough to count."
        found.append(Reading(f"present, {side}", presence, meaning))
    return found


def chosen_score(data: TcavScores, row: tuple[str, str]) -> Chosen:
    """A concept's score for a class."""
    at = (data.concepts.index(row[0]), data.classes.index(row[1]))
    usable = bool(np.asarray(data.separates)[at[0]])
    value = float(data.score[at])
    low, high = float(data.null_low[at]), float(data.null_high[at])
    chance = f"{number(low)} to {number(high)}" if math.isfinite(low + high) else ""
    readings = [
        Reading(
            "TCAV",
            interval(value, float(data.ci_low[at]), float(data.ci_high[at])),
            "Share of the class's images whose score for the class more of the concept would"
            f" raise. {_INTERVAL}",
        ),
        *([Reading("random", chance, "What 95 % of random concepts give.")] if chance else []),
        *_probability(float(data.p_adjusted[at]), "all scores of the model"),
    ]
    if not usable:
        verdict = f"The concept {NOT_APART}."
    elif bool(tcav_counts(data)[at]):
        verdict = "It counts for the class otherwise than random concepts do."
    else:
        verdict = "It counts for the class no more than random concepts do."
    return Chosen(
        f"{row[0]} for {row[1]}",
        f"{data.model} · {data.layer}. {verdict}",
        tuple(readings) if usable else (),
    )


def chosen_set(info: ConceptSetInfo) -> Chosen:
    """A concept given by examples."""
    readings = [Reading("given by", kind_word(info), "Where its examples come from.")]
    if info.positives is not None:
        readings.append(Reading("examples", f"{info.positives:,}", "What shows the concept."))
    readings.append(
        Reading(
            "negatives",
            "drawn at random" if not info.negatives else f"{info.negatives:,}",
            "What the concept is told from.",
        )
    )
    return Chosen(info.name, set_line(info), tuple(readings))


def _known(name: str, value: float, meaning: str) -> list[Reading]:
    return [Reading(name, number(value), meaning)] if math.isfinite(value) else []


def _probability(p: float, over: str) -> list[Reading]:
    if not math.isfinite(p):
        return []
    return [Reading("p", p_word(p), f"Corrected for having looked at {over}.")]
