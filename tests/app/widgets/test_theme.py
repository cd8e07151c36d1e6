"""Colours of the theme: readable in both schemes, each with one meaning."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app import theme as theming
from app.theme import CATEGORIES, DARK, LIGHT, MODEL_COLOURS, PATCH_KINDS, Theme, Tokens
from app.widgets.colour_maps import colour_map, contrast, levels_of, luminance


@pytest.fixture
def theme(qapp: QApplication) -> Iterator[Theme]:
    yield theming.apply(qapp, "light")
    theming.theme().set_scheme("light")


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])
def test_text_passes_wcag_aa(tokens: Tokens) -> None:
    inks = (tokens.text, tokens.muted, tokens.link, tokens.warning_text)
    for ink in (*inks, tokens.model_a_text, tokens.model_b_text):
        for ground in (tokens.window, tokens.surface, tokens.alternate, tokens.raised):
            assert contrast(ink, ground) >= 4.5, (ink, ground)
    assert contrast(tokens.highlight_text, tokens.highlight) >= 4.5
    assert contrast(tokens.text, tokens.highlight) >= 4.5
    assert contrast(tokens.text, tokens.no_value) >= 4.5


def test_contrast_of_black_and_white_is_21() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)


def test_signs_are_readable_on_their_colour() -> None:
    for kind in PATCH_KINDS.values():
        assert contrast("#000000", kind.colour) >= 4.5
    assert [k.sign for k in PATCH_KINDS.values()] == ["＝", "▲", "▼"]


def test_colours_and_shapes_are_told_apart() -> None:
    assert len({c.symbol for c in CATEGORIES.values()}) == len(CATEGORIES) == 6
    assert len({c.colour for c in CATEGORIES.values()}) == 6
    kinds = {k.colour for k in PATCH_KINDS.values()}
    assert not kinds & set(MODEL_COLOURS.values())


@pytest.mark.parametrize("name", ["cividis", "viridis"])
def test_magnitudes_grow_lighter(name: str, theme: Theme) -> None:
    for scheme in ("light", "dark"):
        theme.set_scheme(scheme)
        light = luminance(theme.magnitudes(name))
        assert (np.diff(light[::8]) > 0).all()


@pytest.mark.parametrize(("name", "ground"), [("signed", 1), ("signed dark", -1)])
def test_signed_values_are_symmetric_around_the_ground(name: str, ground: int) -> None:
    light = luminance(colour_map(name)) * ground
    assert 120 <= int(np.argmax(light)) <= 136
    assert abs(light[20] - light[235]) < 0.15


def test_levels_of_values() -> None:
    assert levels_of(np.array([0.0, 0.5, 1.0, np.nan, 9.0]), 0, 1).tolist() == [0, 127, 255, 0, 255]
    assert levels_of(np.array([2.0]), 2, 2).tolist() == [0]


def test_schemes_change_the_palette_and_tell(
    qtbot: QtBot, theme: Theme, qapp: QApplication
) -> None:
    with qtbot.waitSignal(theme.changed):
        theme.set_scheme("dark")
    assert qapp.palette().color(QPalette.ColorRole.Window).name().upper() == DARK.window
    with pytest.raises(ValueError, match="pink"):
        theme.set_scheme("pink")


def test_follows_the_system_until_told_otherwise(
    qtbot: QtBot, theme: Theme, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Hints:
        scheme = Qt.ColorScheme.Dark

        def colorScheme(self) -> Qt.ColorScheme:
            return self.scheme

    monkeypatch.setattr(QGuiApplication, "styleHints", staticmethod(Hints))
    theme.set_scheme("system")
    assert theme.dark
    Hints.scheme = Qt.ColorScheme.Light
    theme.follow_system()
    assert not theme.dark
    theme.set_scheme("light")
    Hints.scheme = Qt.ColorScheme.Dark
    theme.follow_system()
    assert not theme.dark


def test_three_sizes_and_tabular_digits(qapp: QApplication) -> None:
    assert [theming.font(s).pixelSize() for s in ("title", "body", "small")] == [15, 13, 11]
    assert theming.font("body", tabular=True).featureTags()
