"""Masks and boxes over pictures, category marks, score bars and the flowing row."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QColor, QImage, QPainter, QPixmap
from PySide6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot

from analysis.figures.words import NOT_COUNTED
from app.theme import CATEGORIES
from app.widgets.category_marks import category_icon, category_word
from app.widgets.flow_layout import FlowLayout
from app.widgets.masked_pictures import DIM, MaskedPicture, MaskedPictures, compose, mask_overlay
from app.widgets.score_bar import paint_score


def left_half(side: int = 8) -> np.ndarray:
    mask = np.zeros((side, side), dtype=bool)
    mask[:, : side // 2] = True
    return mask


def pixels(image: QImage) -> np.ndarray:
    image = image.convertToFormat(QImage.Format.Format_ARGB32)
    flat = np.frombuffer(image.constBits(), np.uint8)
    return flat.reshape(image.height(), image.width(), 4)[..., ::-1].copy()  # A R G B


def picture(mask: np.ndarray | None) -> MaskedPicture:
    return MaskedPicture(1, 5, (100, 100, 80, 80), mask, (120, 110, 20, 40))


def grey() -> QPixmap:
    pixmap = QPixmap(80, 80)
    pixmap.fill(QColor(200, 200, 200))
    return pixmap


def test_overlay_darkens_outside_and_lines_the_border(qtbot: QtBot) -> None:
    overlay = pixels(mask_overlay(left_half(), 80, 80))
    assert (overlay[:, 60:, 0] == DIM).all()
    assert (overlay[:, :30, 0] == 0).all()
    column = overlay[40, :, 0]
    assert np.flatnonzero(column == 255).tolist() == [39]  # one pixel, at the border alone


@pytest.mark.parametrize("ratio", [1, 3])
def test_border_is_as_thick_as_asked(qtbot: QtBot, ratio: int) -> None:
    overlay = pixels(mask_overlay(left_half(), 80, 80, ratio))
    assert (overlay[40, :, 0] == 255).sum() == ratio


def test_full_and_empty_masks(qtbot: QtBot) -> None:
    assert (pixels(mask_overlay(np.ones((5, 5), bool), 33, 20))[..., 0] == 0).all()
    assert (pixels(mask_overlay(np.zeros((5, 5), bool), 33, 20))[..., 0] == DIM).all()


def test_modes(qtbot: QtBot) -> None:
    plain = pixels(compose(grey(), picture(left_half()), "plain", 1).toImage())
    assert (plain[..., 1] == 200).all()
    masked = pixels(compose(grey(), picture(left_half()), "mask", 1).toImage())
    assert masked[40, 70, 1] < 120
    assert masked[40, 10, 1] == 200
    boxed = pixels(compose(grey(), picture(left_half()), "box", 1).toImage())
    assert boxed[30, 30, 1] == 200  # inside of the box, and outside, the picture is left alone
    assert boxed[70, 70, 1] == 200
    assert boxed[30, 20, 1] == 255  # its left side: (120 − 100) pixels from the frame


def test_without_a_mask_the_box_is_drawn(qtbot: QtBot) -> None:
    without = pixels(compose(grey(), picture(None), "mask", 1).toImage())
    boxed = pixels(compose(grey(), picture(None), "box", 1).toImage())
    assert (without == boxed).all()
    nowhere = MaskedPicture(1, 5, (0, 0, 80, 80), None, (0, 0, 0, 0))
    assert (pixels(compose(grey(), nowhere, "mask", 1).toImage())[..., 1] == 200).all()


def test_pictures_are_composed_once_a_mode_and_size(qtbot: QtBot) -> None:
    class Source:
        asked = 0

        def request(self, image_id: int, box: object, size: int) -> QPixmap:
            self.asked += 1
            return grey()

    source, pictures = Source(), MaskedPictures()
    pictures.set_source(source)  # type: ignore[arg-type]
    for mode in ("mask", "box", "mask", "mask"):
        done = pictures.pixmap(picture(left_half()), 40, 2.0, mode)
        assert done is not None
        assert done.width() == 80
    assert source.asked == 2


def test_every_category_has_its_own_mark(qtbot: QtBot) -> None:
    names = [*CATEGORIES, "class", NOT_COUNTED[0]]
    drawn = {pixels(category_icon(n).pixmap(QSize(12, 12)).toImage()).tobytes() for n in names}
    assert len(drawn) == len(names)
    assert category_word("color") == "colour"
    spelt_as_data = category_icon("color").pixmap(QSize(12, 12)).toImage()
    assert spelt_as_data == category_icon("colour").pixmap(QSize(12, 12)).toImage()


def score_bar(score: float, null: float, colour: QColor | None) -> np.ndarray:
    image = QImage(100, 12, QImage.Format.Format_ARGB32)
    image.fill(QColor("#FFFFFF"))
    painter = QPainter(image)
    paint_score(painter, QRectF(0, 0, 100, 12), score, null, 0.5, colour)
    painter.end()
    return pixels(image)


def test_bar_is_as_long_as_its_score_and_the_null_is_marked(qtbot: QtBot) -> None:
    bar = score_bar(0.25, float("nan"), QColor("#FF0000"))
    red = (bar[6, :, 1] == 255) & (bar[6, :, 2] == 0)
    assert np.flatnonzero(red).tolist() == list(range(50))
    marked = score_bar(0.25, 0.4, QColor("#FF0000"))
    changed = np.flatnonzero((marked != bar).any(axis=(0, 2)))
    assert changed.min() >= 78
    assert changed.max() <= 82


def test_bar_of_what_does_not_count_has_no_colour(qtbot: QtBot) -> None:
    bar = score_bar(0.4, 0.1, None)
    spread = bar[..., 1:].astype(int).max(axis=2) - bar[..., 1:].astype(int).min(axis=2)
    assert spread.max() < 40
    assert (score_bar(float("nan"), float("nan"), None)[6] == bar[6, 90]).all()


def test_row_goes_on_in_the_next_line(qtbot: QtBot) -> None:
    box = QWidget()
    qtbot.addWidget(box)
    flow = FlowLayout(box, spacing=4)
    buttons = [QPushButton("x") for _ in range(4)]
    for button in buttons:
        button.setFixedSize(50, 20)
        flow.addWidget(button)
    assert flow.heightForWidth(300) == 20
    assert flow.heightForWidth(110) == 44
    assert flow.heightForWidth(10) == 4 * 24 - 4
    buttons[0].hide()
    flow.invalidate()
    assert flow.heightForWidth(160) == 20
    assert flow.takeAt(9) is None
    assert flow.count() == 4
