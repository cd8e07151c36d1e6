"""The steps of the tour: their texts, and the part of the window that each of them points at."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from analysis.resources import resource_path

if TYPE_CHECKING:
    from app.main_window import MainWindow


@dataclass(frozen=True)
class TourStep:
    """One step: the perspective to show, the part to point at, and one or two sentences."""

    perspective: str
    part: str
    title: str
    text: str
    align: str = "top"  # with which end of the part the panel stands level: top, bottom


@cache
def tour_steps() -> tuple[TourStep, ...]:
    """The steps in order, as they ship with Parallax."""
    text = resource_path("tour", "steps.json").read_text(encoding="utf-8")
    return tuple(TourStep(**step) for step in json.loads(text)["steps"])


def part_of_window(window: MainWindow, step: TourStep) -> QWidget:
    """The part that a step points at; where it is not on the screen, the whole perspective."""
    whole = window.presenters[step.perspective].widget
    part = PARTS[step.part](window)
    return part if part is not None and part.isVisible() else whole


def _of_window(name: str) -> Callable[[MainWindow], QWidget | None]:
    def find(window: MainWindow) -> QWidget | None:
        part = getattr(window, name)
        return part if isinstance(part, QWidget) else None

    return find


def _in_view(perspective: str, name: str) -> Callable[[MainWindow], QWidget | None]:
    def find(window: MainWindow) -> QWidget | None:
        presenter = window.presenters[perspective]
        part = getattr(presenter.view, name) if presenter.built else None
        return part if isinstance(part, QWidget) else None

    return find


PARTS: Mapping[str, Callable[[MainWindow], QWidget | None]] = {
    "navigator": _of_window("navigator"),
    "pair bar": _of_window("pair_bar"),
    "find": _of_window("find_button"),
    "concepts plot": _in_view("concepts", "similarity"),
    "concept patches": _in_view("concepts", "concept"),
    "layers heatmap": _in_view("layers", "heatmap"),
    "embedding plot": _in_view("embedding", "scatter"),
    "saliency grid": _in_view("saliency", "grid"),
}
