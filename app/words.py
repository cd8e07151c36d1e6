"""Sentences that say what numbers mean. No Qt here."""

from __future__ import annotations

import math
from dataclasses import dataclass

from analysis.figures.data import ConceptDetail
from analysis.figures.words import interval, number

_CANNOT = 0.3
_IN_PART = 0.6
_WELL = 0.8


@dataclass(frozen=True)
class Reading:
    """One number with its name, its value as shown, and what it means."""

    name: str
    value: str
    meaning: str


def similarity_sentence(detail: ConceptDetail) -> str:
    """What the concept's similarity says, with its interval and what chance would give."""
    predictor, target = detail.predictor_model, detail.target_model
    value = detail.cmcs_pearson
    if not math.isfinite(value):
        return (
            f"{predictor} could not be compared on this concept of {target}: "
            "the concept or its prediction is the same for every image."
        )
    verdict = _verdict(value, detail.null_95)
    numbers = f"CMCS {interval(value, detail.ci_low, detail.ci_high)}"
    if math.isfinite(detail.null_95):
        numbers += f", chance {number(detail.null_95)}"
    return f"{predictor} {verdict} this concept of {target} ({numbers})."


def _verdict(value: float, chance: float) -> str:
    if math.isfinite(chance) and value <= chance:
        return "predicts no better than chance"
    if value < _CANNOT:
        return "cannot predict"
    if value < _IN_PART:
        return "predicts only part of"
    return "predicts most of" if value < _WELL else "predicts well"


def concept_title(detail: ConceptDetail) -> str:
    """The concept's name: counted from 1 within its class and model."""
    return f"Concept {detail.concept + 1} of {detail.target_model} · {detail.class_name}"


def concept_readings(detail: ConceptDetail) -> tuple[Reading, ...]:
    """Every number known about a concept, each with its doubt."""
    return (
        Reading(
            "CMCS",
            interval(detail.cmcs_pearson, detail.ci_low, detail.ci_high),
            "Correlation of the concept's coefficients with those predicted from the other"
            " model's activations, on images not used for the fit; in brackets its 95 %"
            " interval over images.",
        ),
        Reading(
            "chance",
            number(detail.null_95),
            "What 95 % of random pairings of images stay below: a similarity under it means"
            " nothing.",
        ),
        Reading("CMCS, ranks", number(detail.cmcs_spearman), "The same by ranks (Spearman)."),
        Reading(
            "same model",
            number(detail.smcs_pearson),
            "How well the model predicts its own concept: what a perfect partner could reach.",
        ),
        Reading(
            "best match",
            number(detail.mcs_pearson),
            "The highest correlation with any single concept of the other model.",
        ),
        Reading(
            "importance",
            number(detail.importance) if math.isfinite(detail.importance) else "no class head",
            "The concept's share in the model's decision, as a part of its most important one.",
        ),
        Reading(
            "stability",
            number(detail.stability)
            if math.isfinite(detail.stability)
            else "one factorisation only",
            "How well the concept comes back when the factorisation starts elsewhere, 0…1.",
        ),
        Reading(
            "error",
            number(detail.reconstruction_error),
            "What the concepts of this class leave out of its activations, 0…1.",
        ),
        Reading("images", f"{detail.n_images:,}", "Images behind the similarity."),
    )
