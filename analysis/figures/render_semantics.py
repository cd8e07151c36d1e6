"""Heatmaps of semantic similarity: layers by given concepts (SFSS), found concepts (UCS)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.figures import style
from analysis.figures.heat_sheet import HeatSheet, render_sheet
from analysis.figures.semantics_choice import MaskPairs
from analysis.figures.semantics_data import SemanticsIndex, SpaceSimilarityMatrix
from analysis.figures.semantics_readers import above_chance
from analysis.figures.semantics_words import concept_title, threshold_text
from analysis.figures.words import count, layer_labels, number, shorten

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MEASURES = {"pearson": "Pearson", "spearman": "Spearman"}
_NARROW_MM = 120
_MOST_SIGNS = 40
_CELL_MM = 13.0


def model_words(index: SemanticsIndex, side: int) -> str:
    """A model of the pair; where nothing taught it the word for that comes first, and so stays when
    a long name is shortened."""
    return ("" if index.trained[side] else "untrained ") + index.models[side]


def render_space(
    index: SemanticsIndex,
    data: SpaceSimilarityMatrix,
    width_mm: float = style.DOUBLE_COLUMN_MM,
    measure: str = "pearson",
    depth: bool = False,
) -> Figure:
    """SFSS of every pair of layers; call inside `journal_style`.

    Chance is judged by Pearson, whatever is shown.

    :param measure: one of `MEASURES`.
    :param depth: relative depth on the axes in place of layer names.
    """
    limit = 14 if width_mm < _NARROW_MM else 20
    names = [
        tuple(number(layer.depth) if np.isfinite(layer.depth) else "–" for layer in layers)
        if depth
        else layer_labels([layer.name for layer in layers], limit)
        for layers in (data.layers_a, data.layers_b)
    ]
    values = data.pearson if measure == "pearson" else data.spearman
    concept = shorten(concept_title(data.concept), _MOST_SIGNS)
    images = count(data.n, "image")
    sheet = HeatSheet(
        values=values,
        null_95=data.null_95,
        above=above_chance(data.pearson, data.null_95, data.p_adjusted),
        names_a=names[0],
        names_b=names[1],
        model_a=model_words(index, 0),
        model_b=model_words(index, 1),
        title=_escaped(f"SFSS, {concept}, {images}"),
        short_title=_escaped(f"SFSS, {shorten(concept, 20)}, {images}"),
        bar=f"SFSS ({MEASURES[measure]})",
        note=" (relative depth)" if depth else "",
        level=depth,
        blank_word="does not separate",
        cell_mm=_CELL_MM,
    )
    return render_sheet(sheet, width_mm)


def _escaped(text: str) -> str:
    return text.replace("$", r"\$")


def render_masks(
    data: MaskPairs, width_mm: float = style.DOUBLE_COLUMN_MM, by_match: bool = True
) -> Figure:
    """UCS of every pair of found concepts at a threshold; best matches have a frame.

    Call inside `journal_style`.

    :param by_match: concepts of B stand in the order of their matches, so that matches lie on the
        diagonal.
    """
    matrix, t = data.matrix, data.threshold
    columns = column_order(matrix.matched[t]) if by_match else np.arange(len(matrix.concepts_b))
    values = matrix.ucs[t][:, columns]
    null = matrix.null_95[t][:, columns]
    above = above_chance(values, null, matrix.p_adjusted[t][:, columns])
    threshold = threshold_text(data.threshold_value)
    images = count(matrix.n, "image")
    sheet = HeatSheet(
        values=values,
        null_95=null,
        above=above,
        names_a=[str(one.number) for one in matrix.concepts_a],
        names_b=[str(matrix.concepts_b[place].number) for place in columns.tolist()],
        model_a=model_words(data.index, 0),
        model_b=model_words(data.index, 1),
        layer_a=matrix.layer_a,
        layer_b=matrix.layer_b,
        title=f"UCS of concepts, masks above {threshold}, {images}",
        short_title=f"UCS above {threshold}, {images}",
        bar="UCS",
        level=True,
        outlined=matrix.matched[t][:, columns],
        outline_word="best match",
        blank_word="no masks",
        lowest=0.0,
        cell_mm=_CELL_MM,
    )
    return render_sheet(sheet, width_mm)


def column_order(matched: np.ndarray) -> np.ndarray:
    """Columns in the order of the rows that they are matched with, then those without a match."""
    partner = np.where(matched.any(axis=0), matched.argmax(axis=0), matched.shape[0])
    return np.argsort(partner, kind="stable")
