"""What is said below the TCAV scores."""

from __future__ import annotations

from dataclasses import replace

from app.views.semantics_tcav import TcavPanel
from tests.app.views import made_semantics as made


def test_an_interval_of_no_width_is_explained(qtbot) -> None:
    panel = TcavPanel()
    qtbot.addWidget(panel)
    panel.set_index(made.index())
    scores = made.tcav()
    panel.set_model(scores.model)
    panel.set_layer(scores.layer)
    panel.show_tcav(scores)
    assert "same gradient" not in panel.note.text()
    panel.show_tcav(replace(scores, ci_low=scores.score, ci_high=scores.score))
    assert "same gradient" in panel.note.text()
