"""The saliency view with a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from pytestqt.qtbot import QtBot

from app.views.saliency_view import SaliencyView
from tests.app.views import made_saliency as made


@pytest.fixture
def view(qtbot: QtBot, make_source: Callable) -> Iterator[SaliencyView]:
    view = SaliencyView()
    qtbot.addWidget(view)
    source = make_source()
    view.set_source(source)
    view.resize(1000, 800)
    view.show_index(made.index())
    yield view
    view.set_source(None)
