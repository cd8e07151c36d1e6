"""Light and dark, by the menu; the next window begins as the last one was left."""

from __future__ import annotations

from PySide6.QtWidgets import QApplication

from app import settings
from app.theme import theme
from tests.e2e.hands import Hands


def _brightness(hands: Hands) -> int:
    """How bright the window is at the middle of its navigator."""
    picture = hands.window.grab().toImage()
    place = hands.window.navigator.mapTo(
        hands.window, hands.window.navigator.rect().bottomLeft() / 2
    )
    ratio = picture.devicePixelRatio()
    return picture.pixelColor(int(place.x() * ratio) + 4, int(place.y() * ratio)).lightness()


def test_dark_and_light_from_the_menu(at_work: Hands) -> None:
    at_work.menu("View", "Light")
    assert not theme().dark
    light = _brightness(at_work)
    at_work.menu("View", "Dark")
    assert theme().dark
    QApplication.processEvents()
    assert _brightness(at_work) < light - 100
    assert settings.scheme() == "dark"
    at_work.menu("View", "Light")
    QApplication.processEvents()
    assert _brightness(at_work) == light
