"""Sentences and numbers about units, as the window writes them."""

from __future__ import annotations

import math

from analysis.figures.unit_data import UnitDetail, UnitPatch, UnitTable
from analysis.figures.words import DEAD, FAILED_THRESHOLD, NOT_A_NUMBER, NOT_COUNTED, count, number
from app.views.unit_index import Found
from app.widgets.category_marks import category_word
from app.widgets.quantities import significant

_NO_IMAGES = "imported from a table: no images are known"
_NEVER_ACTIVE = "no image: it is never active"
NO_NULL = "no null was drawn"
NO_NUMBER = "the unit is dead, its threshold failed, or its overlap could not be measured"
NOT_IN_TABLE = "the imported table does not have it"
_MOST_NAMED = 6


def found_line(found: Found) -> str:
    """Which models know what was searched for, in one line."""
    if not found.any_concept:
        return f"“{found.words}”: no concept of this run is called like that"
    weaker = f"{count(found.weaker, 'unit')} below the threshold or chance" if found.weaker else ""
    if not found.units:
        return f"{found.words}: no unit knows it" + (f" · {weaker}" if weaker else "")
    models = count(len(found.models), "model")
    parts = [
        f"{found.words}: {count(found.units, 'unit')} in {models} ({_named(found.models)})",
    ]
    if len(found.concepts) > 1:
        parts.append(f"{count(len(found.concepts), 'concept')}: {_named(found.concepts)}")
    if weaker:
        parts.append(f"besides {weaker}")
    return " · ".join(parts)


def _named(amounts: tuple[tuple[str, int], ...]) -> str:
    named = ", ".join(f"{name} {amount:,}" for name, amount in amounts[:_MOST_NAMED])
    left = len(amounts) - _MOST_NAMED
    return named if left <= 0 else f"{named} and {left} more"


def unit_name(model: str, layer: str, unit: int) -> str:
    """Where a unit is."""
    return f"{model} · {layer} · unit {unit:,}"


def concept_words(concept: str, category: str) -> str:
    """A unit's concept, or why it has none."""
    if category in NOT_COUNTED or not concept:
        return category or "no concept"
    return concept


def concept_line(concept: str, category: str) -> str:
    """A unit's concept with its category, or why it has none."""
    words = concept_words(concept, category)
    return words if category in ("", *NOT_COUNTED) else f"{words} · {category_word(category)}"


def percent(share: float) -> str:
    """A share as per cent, without noughts at its end."""
    text = significant(100 * share, 2)
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} %"


def unit_line(table: UnitTable, row: int, interpretable: bool) -> str:
    """A unit of the table read aloud."""
    where = unit_name(str(table.model[row]), str(table.layer[row]), int(table.unit[row]))
    what = concept_line(str(table.concept[row]), str(table.category[row]))
    score, null = float(table.iou[row]), float(table.null_iou[row])
    numbers = f"IoU {number(score, 3)}" if math.isfinite(score) else "no IoU"
    if math.isfinite(null):
        numbers += f", chance {number(null, 3)}"
    ending = "" if interpretable else ", not interpretable"
    return f"{what}: {numbers}{ending}\n{where}"


def unit_sentence(detail: UnitDetail, iou_threshold: float, quantile: float) -> str:
    """What one may say of a unit."""
    who = f"Unit {detail.unit:,} of {detail.model}"
    if detail.category == DEAD:
        return f"{who} is dead: no image activates it."
    if detail.category == FAILED_THRESHOLD:
        if not math.isfinite(detail.active_fraction):
            return f"The threshold of unit {detail.unit:,} of {detail.model} failed."
        found, asked = percent(detail.active_fraction), percent(quantile)
        return (
            f"The threshold of unit {detail.unit:,} of {detail.model} failed: it is active at "
            + (f"{found} of the places where {asked} were asked for.")
        )
    if detail.category == NOT_A_NUMBER or not math.isfinite(detail.iou):
        return f"{who} gave no number that could be compared with a concept."
    if not detail.concept:
        return f"{who} overlaps with no concept."
    score = f"IoU {number(detail.iou, 3)}"
    if math.isfinite(detail.null_iou) and not detail.iou > detail.null_iou:
        return f"{who} matches “{detail.concept}” no better than chance ({score}{_chance(detail)})."
    if not detail.iou > iou_threshold:
        return (
            f"{who} matches “{detail.concept}” best, but not well enough "
            f"({score}, the threshold is {number(iou_threshold, 3)})."
        )
    return f"{who} stands for “{detail.concept}” ({score}{_chance(detail)})."


def _chance(detail: UnitDetail) -> str:
    return f", chance {number(detail.null_iou, 3)}" if math.isfinite(detail.null_iou) else ""


def numbers_line(detail: UnitDetail) -> str:
    """The numbers known about a unit; those that are not known are not there."""
    parts = []
    if math.isfinite(detail.p):
        parts.append(f"p {significant(detail.p, 2)}")
    if math.isfinite(detail.active_fraction):
        parts.append(f"active at {percent(detail.active_fraction)} of places")
    if math.isfinite(detail.threshold):
        parts.append(f"threshold {significant(detail.threshold)}")
    return " · ".join(parts)


def patch_line(patch: UnitPatch) -> str:
    """The hover line of one of a unit's images."""
    return (
        f"{patch.rank + 1} · image {patch.image}: peak activation {significant(patch.activation)}"
    )


def pictureless_words(detail: UnitDetail) -> str:
    """Why there is no picture beside a unit."""
    if detail.category == DEAD:
        return _NEVER_ACTIVE
    if detail.slice_name and detail.images_known:
        return f"none of its {detail.images_known} images is in the slice"
    return _NO_IMAGES
