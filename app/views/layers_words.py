"""Words and numbers of a pair of layers. No Qt here."""

from __future__ import annotations

import numpy as np

from analysis.figures.data import LayerSimilarity
from analysis.figures.words import count, interval, number
from app.words import Chosen, Reading

MEASURES = {
    "mmcs_pearson": "MMCS Pearson",
    "mmcs_spearman": "MMCS Spearman",
    "cka": "CKA",
    "rsa": "RSA",
    "procrustes": "Procrustes",
}
SHORT = {**MEASURES, "mmcs_pearson": "MMCS", "mmcs_spearman": "MMCS ρ"}
MEANINGS = {
    "mmcs_pearson": "How well the concepts of one layer are matched by concepts of the other",
    "mmcs_spearman": "The same by the ranks of the concepts' coefficients",
    "cka": "Debiased linear CKA: whether patches lie alike in both layers, by inner products",
    "rsa": "Whether both layers take the same pairs of patches to be unlike, by ranks",
    "procrustes": "How well one layer can be turned to fit the other; high by chance where a layer"
    " has more features than there are patches",
}
_CHANCE = "What 95 % of shufflings of the images stay below: a similarity under it means nothing."
_BY_BOOTSTRAP = "In brackets its 95 % interval; its width is from images drawn anew."
_BY_JACKKNIFE = "In brackets its 95 % interval, from images left out one after another."
_NO_INTERVAL = "This run has no interval of it."
_CLASSES = "Classes behind the mean; each has its own concepts."


def pair_line(data: LayerSimilarity, layer_a: str, layer_b: str) -> str:
    """One pair of layers in a sentence, with its interval and what chance would give."""
    at = _place(data, layer_a, layer_b)
    who = f"{data.model_a} · {layer_a} ~ {data.model_b} · {layer_b}"
    value, null = float(data.values[at]), float(data.null_95[at])
    if not np.isfinite(value):
        return f"{who}: not computed yet."
    text = interval(value, float(data.ci_low[at]), float(data.ci_high[at]))
    parts = [f"{SHORT.get(data.measure, data.measure)} {text}"]
    if np.isfinite(null):
        parts.append(
            f"chance {number(null)}" + (", no better than chance" if value <= null else "")
        )
    parts.append(count(int(data.classes[at]), "class", "classes"))
    return f"{who}: {', '.join(parts)}"


def chosen_pair(data: LayerSimilarity, layer_a: str, layer_b: str) -> Chosen | None:
    """A pair of layers for the inspector; None where one of them is not in the data."""
    if layer_a not in data.layers_a or layer_b not in data.layers_b:
        return None
    at = _place(data, layer_a, layer_b)
    value, null = float(data.values[at]), float(data.null_95[at])
    measure = SHORT.get(data.measure, data.measure)
    readings = []
    if np.isfinite(value):
        text = interval(value, float(data.ci_low[at]), float(data.ci_high[at]))
        meaning = f"{MEANINGS.get(data.measure, measure)}. {_interval_words(data, at)}"
        readings.append(Reading(measure, text, meaning))
    if np.isfinite(null):
        readings.append(Reading("chance", number(null), _CHANCE))
    for side, depths, place in (("A", data.depths_a, at[0]), ("B", data.depths_b, at[1])):
        meaning = f"Where the layer of {side} lies: 0 at the input, 1 at the output."
        readings.append(Reading(f"depth in {side}", f"{float(depths[place]):.2f}", meaning))
    readings += _best_matches(data, at)
    readings.append(Reading("classes", f"{int(data.classes[at]):,}", _CLASSES))
    title = f"{layer_a} ~ {layer_b}"
    return Chosen(title, _verdict(data, value, null), tuple(readings))


def _interval_words(data: LayerSimilarity, at: tuple[int, int]) -> str:
    if not np.isfinite(data.ci_low[at]):
        return _NO_INTERVAL
    return _BY_BOOTSTRAP if data.measure == "mmcs_pearson" else _BY_JACKKNIFE


def _place(data: LayerSimilarity, layer_a: str, layer_b: str) -> tuple[int, int]:
    return data.layers_a.index(layer_a), data.layers_b.index(layer_b)


def _verdict(data: LayerSimilarity, value: float, null: float) -> str:
    who = f"{data.model_a} and {data.model_b}"
    if not np.isfinite(value):
        return f"{who}: not computed yet."
    if not np.isfinite(null):
        return f"{who}: what chance would give is not in this run; compare the layers once more."
    if value <= null:
        return f"{who}: no more alike than chance would make them."
    return f"{who}: more alike than chance would make them."


def _best_matches(data: LayerSimilarity, at: tuple[int, int]) -> list[Reading]:
    """The layer of the other model that each of both is most like."""
    found = []
    row, column = data.values[at[0]], data.values[:, at[1]]
    for side, other, values, names in (
        ("A", "B", row, data.layers_b),
        ("B", "A", column, data.layers_a),
    ):
        if np.isfinite(values).any():
            best = int(np.nanargmax(values))
            text = f"{names[best]} ({number(float(values[best]))})"
            meaning = f"The layer of {other} that this layer of {side} is most like."
            found.append(Reading(f"{side} is most like", text, meaning))
    return found
