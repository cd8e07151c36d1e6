"""The semantics view, and what it tells."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication

from app.theme import theme
from app.views.semantics_view import SemanticsView
from tests.app.views.semantics.steps import Heard


@pytest.fixture
def view(qapp: QApplication, make_source: Callable) -> Iterator[SemanticsView]:
    before = theme().scheme
    made_view = SemanticsView()
    made_view.resize(1280, 860)
    made_view.set_source(make_source())
    yield made_view
    made_view.close()
    made_view.deleteLater()  # now, and not with the last test: a change of theme asks every widget
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    if theme().scheme != before:
        theme().set_scheme(before)


@pytest.fixture
def heard(view: SemanticsView) -> Heard:
    return Heard(view)
