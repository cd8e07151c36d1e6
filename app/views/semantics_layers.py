"""Layers in lists: named from the right end, with their relative depth."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt

from analysis.figures.semantics_data import DepthLayer
from analysis.figures.words import layer_labels, number
from app.views.saliency_bar import Chooser

_NAME_LENGTH = 18  # signs, unless more are needed to tell them apart


def list_layers(chooser: Chooser, layers: Sequence[DepthLayer]) -> None:
    """Fill a list with layers; each carries its name, which is written in full on hover."""
    combo = chooser.combo
    combo.clear()
    short = layer_labels([layer.name for layer in layers], _NAME_LENGTH)
    for place, (layer, name) in enumerate(zip(layers, short, strict=True)):
        depth = number(layer.depth)
        combo.addItem(f"{name} ({depth})", layer.name)
        words = f"{layer.name}, relative depth {depth}"
        combo.setItemData(place, words, Qt.ItemDataRole.ToolTipRole)


def choose_layer(chooser: Chooser, name: str) -> None:
    """Show a layer of the list."""
    combo = chooser.combo
    combo.setCurrentIndex(combo.findData(name))
    combo.setToolTip(str(combo.currentData(Qt.ItemDataRole.ToolTipRole) or ""))


def deepest(first: Sequence[DepthLayer], second: Sequence[DepthLayer]) -> tuple[str, str]:
    """The deepest layer of each model; empty where there is none."""
    return (
        max(first, key=lambda layer: layer.depth).name if first else "",
        max(second, key=lambda layer: layer.depth).name if second else "",
    )
