"""Concepts, thresholds and settings of a semantics run, as people call them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from analysis.figures.columns import parameter_number
from analysis.figures.saliency_words import frame_words, run_frame
from analysis.figures.semantics_data import MEAN
from analysis.figures.words import count, number, plain, shorten

_LONGEST = 200  # characters of a text that a file says of itself
_NORMALISATIONS = {
    "image": "by the largest value in each image, which gives every image a mask and inflates UCS",
    "data set": "by the largest value in all images",
}


def concept_title(concept: str) -> str:
    """A concept given by examples, or the mean of all."""
    return plain(concept) if concept != MEAN else "mean of all concepts"


def threshold_text(threshold: float) -> str:
    """A threshold with as many decimals as it needs, at least two."""
    return number(threshold, 2 if math.isclose(threshold, round(threshold, 2)) else 3)


def settings_words(
    parameters: Mapping[str, Any], images: int, concepts: int
) -> tuple[tuple[str, str], ...]:
    """What all numbers of a run were measured with, as name and text.

    What the parameters do not say, or say in a way that cannot be read, is left out.

    :param images: that masks were made for; `concepts`: that were given by examples.
    """
    known = dict(parameters)
    numbers = {name: parameter_number(known, name) for name in _NUMBERS}
    components, sets = numbers["components"], numbers["random_sets"]
    examples, side = numbers["examples"], numbers["mask_side"]
    said = [
        ("Images of the masks", f"{images:,}" if images else ""),
        ("Square", frame_words(run_frame(known))),
        ("Concepts given by examples", f"{concepts:,}" if concepts else ""),
        ("Examples of a concept", f"{int(examples):,} at most" if examples >= 1 else ""),
        ("Negatives", _negative_words(known)),
        ("Random sets of negatives", f"{int(sets):,}, one vector each" if sets >= 1 else ""),
        ("Concepts found", f"{int(components):,} in each layer" if components >= 1 else ""),
        ("Grid of the masks", f"{int(side)} × {int(side)}" if side >= 1 else ""),
        ("Masks scaled", _NORMALISATIONS.get(str(known.get("normalisation")), "")),
        ("Presence gate", _presence_words(numbers["presence"])),
        *_doubt(numbers),
    ]
    return tuple((name, text) for name, text in said if text)


_NUMBERS = (
    "mask_side",
    "examples",
    "components",
    "random_sets",
    "presence",
    "replicates",
    "permutations",
    "seed",
)


def _negative_words(parameters: dict[str, Any]) -> str:
    value = parameters.get("negatives")
    if isinstance(value, str):
        return shorten(plain(value), _LONGEST) or "drawn at random"
    amount = parameter_number(parameters, "negatives")
    return f"{int(amount):,} drawn at random" if amount >= 1 else ""


def _presence_words(presence: float) -> str:
    if not 0 <= presence <= 1:
        return ""
    if presence == 0:
        return "none: a concept is looked for in every image"
    return f"a concept is in an image from {number(presence)} of its largest value on"


def _doubt(numbers: Mapping[str, float]) -> list[tuple[str, str]]:
    said = []
    if numbers["replicates"] >= 1:
        samples = count(int(numbers["replicates"]), "bootstrap sample")
        said.append(("Intervals", f"95 %, {samples} of images"))
    if numbers["permutations"] >= 1:
        text = f"{count(int(numbers['permutations']), 'permutation')} of the images"
        said.append(("Chance", text))
    if numbers["seed"] >= 0:
        said.append(("Seed", f"{int(numbers['seed'])}"))
    return said
