"""The heatmap of layers: how similar each layer of model A is to each layer of model B."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.figures import style
from analysis.figures.data import LayerSimilarity
from analysis.figures.heat_sheet import HeatSheet, render_sheet
from analysis.figures.words import count, layer_labels, number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MEASURE_WORDS = {
    "mmcs_pearson": "Mean maximum concept similarity (Pearson)",
    "mmcs_spearman": "Mean maximum concept similarity (Spearman)",
    "cka": "Debiased linear CKA",
    "rsa": "Representational similarity analysis (Spearman)",
    "procrustes": "Procrustes similarity",
}
_SHORT_WORDS = {
    "mmcs_pearson": "MMCS (Pearson)",
    "mmcs_spearman": "MMCS (Spearman)",
    "cka": "Debiased linear CKA",
    "rsa": "RSA (Spearman)",
    "procrustes": "Procrustes",
}


def render_layers(
    data: LayerSimilarity, width_mm: float = style.DOUBLE_COLUMN_MM, depth: bool = False
) -> Figure:
    """A heatmap, first layers at the lower left (paper, Fig. 5); call inside `journal_style`.

    Cells that do not exceed what chance gives (the null) are hatched, without colour; cells that
    are not computed are empty.

    :param depth: relative depth on the axes in place of layer names.
    """
    names_a, names_b = _tick_texts(data, 20 if width_mm > 120 else 14, depth)
    classes = _class_words(data)
    sheet = HeatSheet(
        values=data.values,
        null_95=data.null_95,
        above=~(data.values <= data.null_95),  # without a null, every value counts
        names_a=names_a,
        names_b=names_b,
        model_a=data.model_a,
        model_b=data.model_b,
        title=f"{MEASURE_WORDS[data.measure]}, {classes}",
        short_title=f"{_SHORT_WORDS[data.measure]}, {classes}",
        bar=_SHORT_WORDS[data.measure],
        note=" (relative depth)" if depth else "",
        level=depth,
    )
    return render_sheet(sheet, width_mm)


def _tick_texts(
    data: LayerSimilarity, limit: int, depth: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if depth:
        return (
            tuple(number(value) for value in data.depths_a),
            tuple(number(value) for value in data.depths_b),
        )
    return layer_labels(data.layers_a, limit), layer_labels(data.layers_b, limit)


def _class_words(data: LayerSimilarity) -> str:
    if data.classes_total > data.classes_done:
        return f"{data.classes_done:,} of {count(data.classes_total, 'class', 'classes')}"
    return count(data.classes_done, "class", "classes")
