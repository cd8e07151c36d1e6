"""How similarity by meaning is put in words. No Qt here."""

from __future__ import annotations

import math

import numpy as np

from analysis.figures.semantics_data import (
    MEAN,
    ConceptExample,
    ConceptSetInfo,
    FoundConcept,
    MaskSimilarityMatrix,
    SemanticsIndex,
    Separability,
    SpaceSimilarityMatrix,
    TcavScores,
)
from analysis.figures.words import count, interval, number

RUN = "Compare by concepts…"
ACTION = "run semantics"
ALPHA = 0.05

EMPTY_SPACE = (
    "Whether two models hold the same concepts in the same layers: the similarity of every layer "
    "of one model to every layer of the other, concept by concept."
)
EMPTY_SEPARABILITY = "How well each concept is told apart from other images, layer by layer."
EMPTY_MASKS = (
    "Which concepts found in a layer of one model lie in the same places of the same images as "
    "those of a layer of the other."
)
EMPTY_ROBUSTNESS = "Choose a cell: how its similarity holds as the threshold rises."
EMPTY_PAIR = "Choose a cell: both concepts, over the same images."
EMPTY_TCAV = (
    "How often more of a concept would raise the probability of a class, beside what random "
    "concepts do."
)
NO_SETS = (
    "A concept is given by examples. Name one here, then select patches or units anywhere in the "
    "window and choose “Save as concept…”; or take a folder of pictures, or a label."
)
NOT_APART = "cannot be used: held-out examples are told apart no better than by chance"


def concept_word(concept: str) -> str:
    """A concept's name, or what stands for all of them."""
    return "mean of all concepts" if concept == MEAN else concept


def model_word(model: str, trained: bool) -> str:
    """A model's name; of an untrained one that it is."""
    return model if trained else f"{model} (untrained)"


def untrained_line(index: SemanticsIndex) -> str:
    """Which model has random weights; empty where both are trained."""
    names = dict.fromkeys(
        name for name, trained in zip(index.models, index.trained, strict=True) if not trained
    )
    if not names:
        return ""
    who = " and ".join(names)
    verb = "is" if len(names) == 1 else "are"
    return (
        f"{who} {verb} untrained: the weights are random. What is similar here comes from the "
        "architecture and the images, not from anything learned."
    )


def left_out_line(index: SemanticsIndex) -> str:
    """How much could not be done."""
    if not index.left_out:
        return ""
    return f"{count(len(index.left_out), 'item')} left out; the reasons stand under Settings."


def settings_line(index: SemanticsIndex) -> str:
    """What everything was measured with, on one line."""
    return " · ".join(f"{name}: {text}" for name, text in index.settings)


def space_counts(data: SpaceSimilarityMatrix) -> np.ndarray:
    """(layers of A, layers of B) bool: what is above chance, and stays so after correction."""
    with np.errstate(invalid="ignore"):
        beaten = ~(data.pearson <= data.null_95) & ~(data.p_adjusted >= ALPHA)
    return np.isfinite(data.pearson) & beaten


def space_line(
    data: SpaceSimilarityMatrix, models: tuple[str, str], layer_a: str, layer_b: str
) -> str:
    """One pair of layers in a sentence."""
    at = (
        [layer.name for layer in data.layers_a].index(layer_a),
        [layer.name for layer in data.layers_b].index(layer_b),
    )
    who = f"{models[0]} · {layer_a} ~ {models[1]} · {layer_b}, {concept_word(data.concept)}"
    value = float(data.pearson[at])
    if not math.isfinite(value):
        why = (
            "no concept is told apart in both layers"
            if data.concept == MEAN
            else "the concept is not told apart in both layers, or lies the same in all images"
        )
        return f"{who}: no number, since {why}."
    parts = [f"SFSS {interval(value, float(data.ci_low[at]), float(data.ci_high[at]))}"]
    if math.isfinite(float(data.spearman[at])):
        parts.append(f"by rank {number(float(data.spearman[at]))}")
    if math.isfinite(float(data.fisher[at])):
        parts.append(f"mean by Fisher's z {number(float(data.fisher[at]))}")
    null = float(data.null_95[at])
    if math.isfinite(null):
        better = "" if space_counts(data)[at] else ", no better than chance"
        parts.append(f"chance {number(null)}{better}")
    parts.append(count(data.n, "image"))
    return f"{who}: {', '.join(parts)}"


def space_note(data: SpaceSimilarityMatrix) -> str:
    """What hatched and blank cells are."""
    counts, there = space_counts(data), np.isfinite(data.pearson)
    notes = []
    chance, empty = int((there & ~counts).sum()), int((~there).sum())
    if chance:
        notes.append(f"Grey and hatched: {count(chance, 'pair')} no better than chance.")
    if empty:
        notes.append(f"Blank: {count(empty, 'pair')} without a concept told apart in both layers.")
    return " ".join(notes)


def separability_line(data: Separability, concept: int, layer: int) -> str:
    """How well a concept is told apart in a layer, in a sentence."""
    at = (concept, layer)
    place = data.layers[layer]
    who = f"{data.concepts[concept]} in {data.model} · {place.name} (depth {number(place.depth)})"
    value = float(data.accuracy[at])
    if not math.isfinite(value):
        return f"{who}: not measured"
    parts = [
        f"{interval(value, float(data.ci_low[at]), float(data.ci_high[at]))} of held-out examples"
        " told apart"
    ]
    null = float(data.null_95[at])
    if math.isfinite(null):
        worse = "" if bool(data.separates[at]) else ", not above it: its vector is not used"
        parts.append(f"chance {number(null)}{worse}")
    if math.isfinite(float(data.stability[at])):
        parts.append(f"stability {number(float(data.stability[at]))}")
    parts.append(f"{int(data.n_positive[at])} positive, {int(data.n_negative[at])} negative")
    return f"{who}: {', '.join(parts)}"


def found_name(concept: FoundConcept) -> str:
    """A found concept has no name but its number, counted from 1."""
    return str(concept.number + 1)


def found_facts(concept: FoundConcept) -> str:
    """How much a found concept weighs, and how often it is there."""
    parts = []
    if math.isfinite(concept.importance):
        whom = f" for {concept.class_name}" if concept.class_name else ""
        parts.append(f"importance {number(concept.importance)}{whom}")
    if math.isfinite(concept.presence):
        parts.append(f"in {round(100 * concept.presence)} % of the images")
    return ", ".join(parts)


def mask_counts(data: MaskSimilarityMatrix) -> np.ndarray:
    """(thresholds, concepts of A, concepts of B) bool: above chance, also after correction."""
    with np.errstate(invalid="ignore"):
        beaten = ~(data.ucs <= data.null_95) & ~(data.p_adjusted >= ALPHA)
    return np.isfinite(data.ucs) & beaten


def mask_line(
    data: MaskSimilarityMatrix, models: tuple[str, str], step: int, row: int, column: int
) -> str:
    """One pair of found concepts in a sentence."""
    at = (step, row, column)
    first, second = data.concepts_a[row], data.concepts_b[column]
    who = f"{models[0]} concept {found_name(first)} ~ {models[1]} concept {found_name(second)}"
    threshold = number(float(data.thresholds[step]))
    value = float(data.ucs[at])
    if not math.isfinite(value):
        return f"{who}: no number at the threshold {threshold}, since no image has a mask of either"
    parts = [
        f"UCS {interval(value, float(data.ci_low[at]), float(data.ci_high[at]))} at {threshold}"
    ]
    null = float(data.null_95[at])
    if math.isfinite(null):
        better = "" if mask_counts(data)[at] else ", no better than chance"
        parts.append(f"chance {number(null)}{better}")
    if data.matched[at]:
        parts.append("best match")
    return f"{who}: {', '.join(parts)}"


def pair_facts(data: MaskSimilarityMatrix, row: int, column: int) -> str:
    """What is known of both concepts of a pair."""
    parts = [
        f"{side} {found_name(concept)}: {found_facts(concept)}"
        for side, concept in (("A", data.concepts_a[row]), ("B", data.concepts_b[column]))
        if found_facts(concept)
    ]
    return "; ".join(parts)


def tcav_line(data: TcavScores, concept: int, place: int) -> str:
    """A concept's score for a class, in a sentence."""
    at = (concept, place)
    who = f"{data.concepts[concept]} for {data.classes[place]} in {data.model} · {data.layer}"
    if not bool(data.separates[concept]):
        return f"{who} {NOT_APART}"
    value = float(data.score[at])
    if not math.isfinite(value):
        return f"{who}: not measured"
    parts = [f"TCAV {interval(value, float(data.ci_low[at]), float(data.ci_high[at]))}"]
    low, high = float(data.null_low[at]), float(data.null_high[at])
    if math.isfinite(low) and math.isfinite(high):
        parts.append(f"random concepts give {number(low)} to {number(high)}")
    p = float(data.p_adjusted[at])
    if math.isfinite(p):
        parts.append(f"p {p_word(p)} after correction")
    if not tcav_counts(data)[at]:
        parts.append("no more than a random concept")
    return f"{who}: {', '.join(parts)}"


def tcav_counts(data: TcavScores) -> np.ndarray:
    """(concepts, classes) bool: scores outside of what random concepts give, after correction."""
    with np.errstate(invalid="ignore"):
        outside = ~((data.score >= data.null_low) & (data.score <= data.null_high))
        kept = outside & ~(data.p_adjusted >= ALPHA)
    return np.isfinite(data.score) & kept & np.asarray(data.separates, bool)[:, None]


def p_word(p: float) -> str:
    """A probability as "< 0.001" or "0.012"."""
    return "< 0.001" if p < 0.001 else number(p, 3)


_KINDS = {"folder": "folder", "labels": "label", "patches": "patches"}


def kind_word(info: ConceptSetInfo) -> str:
    """How a concept is given."""
    return _KINDS.get(info.kind, info.kind)


def amount_word(amount: int | None, otherwise: str) -> str:
    """A number of examples, or what stands for one that is not known."""
    return otherwise if amount is None else f"{amount:,}"


def set_line(info: ConceptSetInfo) -> str:
    """A concept set in a sentence."""
    source = f" ({info.source})" if info.source else ""
    negatives = (
        "negatives drawn at random"
        if not info.negatives
        else count(info.negatives, "negative example")
    )
    if info.kind == "patches":
        amount = count(info.positives or 0, "example")
        return f"{amount}{source}, {negatives}."
    place = {"folder": "The pictures of a folder", "labels": "Image regions with a label"}
    first = place.get(info.kind, "Examples from elsewhere")
    counted = "" if info.positives is None else f": {info.positives:,}"
    return f"{first}{source}{counted}, {negatives}. They are read when a run starts."


def example_caption(example: ConceptExample) -> str:
    """An example on hover."""
    name = example.image_name
    x, y, width, height = example.box
    where = f"{width} × {height} px at {x}, {y}"
    return f"{name}\n{where}" if name else where
