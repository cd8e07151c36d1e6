"""Sentences that say what numbers mean. No Qt here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from analysis.figures.data import ConceptDetail
from analysis.figures.unit_data import UnitDetail
from analysis.figures.words import count, interval, number
from app.project_index import ModelEntry

_CANNOT = 0.3
_IN_PART = 0.6
_WELL = 0.8


@dataclass(frozen=True)
class Reading:
    """One number with its name, its value as shown, and what it means."""

    name: str
    value: str
    meaning: str


@dataclass(frozen=True)
class Chosen:
    """What is in front: a title, what it says in a sentence, and its numbers."""

    title: str
    sentence: str
    readings: tuple[Reading, ...]


def similarity_sentence(detail: ConceptDetail) -> str:
    """What the concept's similarity says, with its interval and what chance would give."""
    predictor, target = detail.predictor_model, detail.target_model
    value = detail.cmcs_pearson
    if detail.slice_name and not detail.n_images:
        return (
            f"None of the images of class {detail.class_name} that were held out from the fit is in"
            f" the slice “{detail.slice_name}”."
        )
    if not math.isfinite(value):
        return (
            f"{predictor} could not be compared on this concept of {target}: "
            "the concept or its prediction is the same for every image."
        )
    verdict = _verdict(value, detail.null_95)
    numbers = f"CMCS {interval(value, detail.ci_low, detail.ci_high)}"
    if math.isfinite(detail.null_95):
        numbers += f", chance {number(detail.null_95)}"
    if detail.slice_name:
        numbers += f", {count(detail.n_images, 'image')} of the slice “{detail.slice_name}”"
    return f"{predictor} {verdict.format(f'this concept of {target}')} ({numbers})."


def _verdict(value: float, chance: float) -> str:
    """What the predictor does; the braces stand for what it is to predict."""
    if math.isfinite(chance) and value <= chance:
        return "predicts {} no better than chance"
    if value < _CANNOT:
        return "cannot predict {}"
    if value < _IN_PART:
        return "predicts only part of {}"
    return "predicts most of {}" if value < _WELL else "predicts {} well"


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


def unit_title(detail: UnitDetail) -> str:
    """What a unit stands for, or why it stands for nothing."""
    return detail.concept or detail.category or "no concept"


def unit_place(detail: UnitDetail) -> str:
    """Where a unit is, and whether its concept counts."""
    where = f"Unit {detail.unit} of {detail.model}, layer {detail.layer}"
    if not detail.concept:
        return f"{where}: it has no concept."
    if detail.interpretable and not math.isfinite(detail.null_iou):
        return f"{where}: interpretable, its IoU is above the threshold; chance is not known."
    if detail.interpretable:
        return f"{where}: interpretable, its IoU is above the threshold and above chance."
    return f"{where}: not interpretable, its IoU is not above both threshold and chance."


def unit_readings(detail: UnitDetail) -> tuple[Reading, ...]:
    """What is known about a unit; an imported table may lack most of it."""
    others = [
        c for c in detail.candidates if (c.concept, c.category) != (detail.concept, detail.category)
    ]
    known = (
        ("category", detail.category, "Kind of the concept, or why there is none."),
        (
            "IoU",
            _finite(detail.iou, 3),
            "Overlap of the places where the unit is active with those of the concept, over the"
            " whole image set.",
        ),
        (
            "chance",
            _finite(detail.null_iou, 3),
            "What the best IoU stays below in 95 % of pairings of the unit with other images.",
        ),
        ("p", _finite(detail.p, 3), "Share of such pairings with an IoU at least as high."),
        (
            "active",
            f"{100 * detail.active_fraction:.2g} %"
            if math.isfinite(detail.active_fraction)
            else "",
            "Share of all places where the unit is above its threshold.",
        ),
        ("threshold", _finite(detail.threshold, 3), "In units of the activations."),
        (
            "also",
            ", ".join(f"{c.concept} {number(c.iou, 3)}" for c in others),
            "Other concepts that the unit may stand for, with their IoU.",
        ),
    )
    return tuple(Reading(*each) for each in known if each[1])


def _finite(value: float, digits: int) -> str:
    return number(value, digits) if math.isfinite(value) else ""


def models_title(models: Sequence[ModelEntry]) -> str:
    """The model selected, or how many there are."""
    return models[0].name if len(models) == 1 else f"{len(models)} models selected"


def models_sentence(models: Sequence[ModelEntry], compare_keys: str) -> str:
    """What may be done with the models selected."""
    if len(models) == 1 and models[0].imported:
        return "Known from an imported table: there is no network to run."
    if len(models) == 2 and not any(model.imported for model in models):
        return f"{compare_keys} compares their concepts."
    return ""


def model_readings(models: Sequence[ModelEntry]) -> tuple[Reading, ...]:
    """Facts of one model; the names of several."""
    if len(models) != 1:
        return tuple(
            Reading(str(place), model.name, model.specification)
            for place, model in enumerate(models, 1)
        )
    model = models[0]
    known = (
        ("source", "" if model.imported else model.specification, "Where the model comes from."),
        ("architecture", model.architecture, "Name of its architecture in that library."),
        (
            "classes",
            ""
            if model.imported
            else f"{model.num_classes:,}"
            if model.num_classes
            else "no class head",
            "Classes that it tells apart.",
        ),
        (
            "layers",
            f"{len(model.layers):,}" if model.layers else "",
            "Layers that can be looked at.",
        ),
    )
    return tuple(Reading(*each) for each in known if each[1])
