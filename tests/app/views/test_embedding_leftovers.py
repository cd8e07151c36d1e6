"""An embedding view that is gone leaves nothing behind."""

from __future__ import annotations

import gc

import shiboken6
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.theme import theme
from app.views.embedding_view import EmbeddingView
from tests.app.views import made_embedding as made


def open_and_close() -> None:
    view = EmbeddingView()
    view.show_points(made.points())
    view.show_loadings(made.loadings())
    view.show_profiles(made.profiles())
    view.show_correlations(made.correlations("profile"), made.correlations("performance"))
    view.show_surface(made.surface())
    view.show()
    for key in ("loadings", "correlations", "ensembles", "groups", "stability"):
        view.tabs.show_tab(key)
    view.scatter.turning.click()
    view.grab()
    view.close()
    view.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    QApplication.processEvents()
    gc.collect()
    assert not shiboken6.isValid(view)


def test_a_destroyed_view_leaves_no_widgets_and_hears_nothing(qtbot: QtBot) -> None:
    gc.collect()
    before = set(QApplication.allWidgets())
    for _ in range(2):
        open_and_close()
    gc.collect()
    assert [w for w in QApplication.allWidgets() if w not in before] == []
    theme().changed.emit()  # an exception in a slot of a destroyed object would fail the test
    QApplication.processEvents()
