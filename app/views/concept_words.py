"""What the concepts view says in words. No Qt here."""

from __future__ import annotations

import math

from analysis.figures.data import ConceptDetail, ConceptPoints, ReplacementPoints
from analysis.figures.words import interval, number
from app.widgets.quantities import significant

NOT_AN_ATTRIBUTION = (
    "Patches show where the concept's coefficient is high or mispredicted; "
    "they are not an input attribution."
)


def point_line(data: ConceptPoints, place: int) -> str:
    """The hover line of a concept."""
    name = concept_name(data, place)
    value = interval(
        float(data.cmcs_pearson[place]), float(data.ci_low[place]), float(data.ci_high[place])
    )
    chance, importance = float(data.null_95[place]), float(data.importance[place])
    parts = [f"CMCS {value}"]
    if math.isfinite(chance):
        parts.append(f"chance {number(chance)}")
    parts.append(f"importance {number(importance)}" if math.isfinite(importance) else _NO_HEAD)
    return f"{name}: {', '.join(parts)}"


def replacement_line(data: ReplacementPoints, place: int) -> str:
    """The hover line of a concept in the replacement test."""
    parts = [f"Δ Pearson {number(float(data.delta_pearson[place]))}"]
    parts.append(f"l₂ {significant(float(data.l2[place]))}")
    if math.isfinite(float(data.kl[place])):
        parts.append(f"KL {significant(float(data.kl[place]))} nats")
    if math.isfinite(float(data.match_accuracy[place])):
        parts.append(f"{number(float(data.match_accuracy[place]))} of predictions stay")
    return f"{concept_name(data, place)}: {', '.join(parts)}"


def concept_name(data: ConceptPoints | ReplacementPoints, place: int) -> str:
    """'Concept 3 of Lite0 · mammal', counted from 1."""
    model = data.model_a if data.side[place] == "a" else data.model_b
    return f"Concept {int(data.concept[place]) + 1} of {model} · {data.class_name[place]}"


def numbers_line(detail: ConceptDetail) -> str:
    """What the sentence leaves out: same-model similarity, importance, stability."""
    parts = []
    if math.isfinite(detail.smcs_pearson):
        parts.append(f"{detail.target_model} predicts its own with {number(detail.smcs_pearson)}")
    if math.isfinite(detail.importance):
        parts.append(f"importance {number(detail.importance)} of at most 1")
    else:
        parts.append(_NO_HEAD)
    parts.append(stability_words(detail.stability))
    return " · ".join(parts)


def stability_words(stability: float) -> str:
    """How well the concept comes back when the factorisation starts elsewhere."""
    if not math.isfinite(stability):
        return "stability unknown (one start only)"
    if stability >= 0.9:
        word = "stable"
    elif stability >= 0.7:
        word = "fairly stable"
    else:
        word = "unstable: read with care"
    return f"{word} ({number(stability)} across starts)"


_NO_HEAD = "no importance (no classification head)"
