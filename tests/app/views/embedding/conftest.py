"""The embedding view with a run."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from app.views.embedding_view import EmbeddingView
from tests.app.views.embedding.steps import fill


@pytest.fixture
def view(qtbot: QtBot) -> EmbeddingView:
    view = EmbeddingView()
    qtbot.addWidget(view)
    view.resize(1200, 760)
    fill(view)
    with qtbot.waitExposed(view):
        view.show()
    view.grab()
    return view
