"""What tests of the embedding view do by hand, and what they hear from it."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from app.views.embedding_view import EmbeddingView
from app.widgets.model_scatter import ModelScatter
from tests.app.views import made_embedding as made

LEFT = Qt.MouseButton.LeftButton
CONTROL = Qt.KeyboardModifier.ControlModifier


def fill(view: EmbeddingView) -> None:
    view.show_points(made.points())
    view.show_loadings(made.loadings())
    view.show_profiles(made.profiles())
    view.show_correlations(made.correlations("profile"), made.correlations("performance"))
    view.show_groups(made.groups())
    view.show_stability(made.stability())
    view.show_tasks(("ImageNet", "Cars"))
    view.show_ensembles(("linear probe", "k-NN (k = 20)"), made.ensembles())


def spot(view: EmbeddingView, plot: ModelScatter, model: str) -> QPoint:
    place = plot.points.place_of[view._ids.id_of(model)]
    x, y = plot.canvas.to_pixels(plot.points.x[[place]], plot.points.y[[place]])
    return QPoint(round(x[0]), round(y[0]))


def click(qtbot: QtBot, view: EmbeddingView, model: str, *modifiers: object) -> None:
    plot = view.scatter.flat
    qtbot.mouseClick(plot.canvas.viewport(), LEFT, *modifiers, pos=spot(view, plot, model))


def listed(signal) -> list[tuple[object, ...]]:
    told: list[tuple[object, ...]] = []
    signal.connect(lambda *values: told.append(values))
    return told
