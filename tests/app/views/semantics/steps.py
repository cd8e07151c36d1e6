"""What tests of the semantics view do by hand, and what they hear from it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QApplication

from app.views.semantics_view import SemanticsView
from tests.app.views import made_semantics as made

SIGNALS = (
    "concept_chosen", "layers_chosen", "threshold_changed", "pair_chosen", "model_chosen",
    "layer_chosen", "concept_set_focused", "set_added", "set_renamed", "set_removed",
    "examples_removed", "examples_turned", "examples_wanted", "export_requested",
    "action_requested",
)  # fmt: skip
DEEPEST = (made.LAYERS_A[11].name, made.LAYERS_B[8].name)


class Heard:
    """What a view has told."""

    def __init__(self, view: SemanticsView) -> None:
        self.told: list[tuple[str, tuple[object, ...]]] = []
        for name in SIGNALS:
            getattr(view, name).connect(self._listener(name))

    def _listener(self, name: str) -> Callable[..., None]:
        def listen(*what: object) -> None:
            self.told.append((name, what))

        return listen

    def all(self, name: str) -> list[tuple[object, ...]]:
        return [what for who, what in self.told if who == name]


def fill(view: SemanticsView) -> None:
    view.show_index(made.index())
    view.show_space(made.space())
    view.show_separability(made.separability(), made.separability(made.MODEL_B))
    view.show_masks(made.masks())
    view.show_tcav(made.tcav())
    view.show_sets(made.concept_sets())


def show(view: SemanticsView, tab: str = "layers") -> None:
    view.show_tab(tab)
    view.show()
    QApplication.processEvents()
