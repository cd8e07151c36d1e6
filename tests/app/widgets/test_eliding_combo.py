from __future__ import annotations

from app.widgets.eliding_combo import ElidingComboBox


def test_a_long_name_keeps_both_ends(qtbot) -> None:
    combo = ElidingComboBox()
    qtbot.addWidget(combo)
    combo.addItem("pink-sensitive network, second seed")
    combo.resize(140, 28)
    combo.show()
    short = combo.shown_text()
    assert short.startswith("pink")
    assert short.endswith("seed")
    assert "…" in short
    combo.resize(600, 28)
    assert combo.shown_text() == "pink-sensitive network, second seed"
    assert not combo.grab().isNull()
