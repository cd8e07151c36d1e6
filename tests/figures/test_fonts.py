"""Signs of other scripts: taken from fonts that have them, else said."""

from __future__ import annotations

import warnings
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from matplotlib import font_manager
from PIL import Image

from analysis.figures import fonts, style

UNASSIGNED = "\U0003fff0"  # a place without any sign: no font has it


@pytest.fixture
def lent_font(tmp_path: Path):
    """A font of the machine that has one sign alone, 鳥, made from the letter O."""
    from fontTools.subset import Options, Subsetter
    from fontTools.ttLib import TTFont

    file = tmp_path / "lent.ttf"
    with TTFont(font_manager.findfont(fonts.OWN)) as font:
        subsetter = Subsetter(Options(notdef_outline=True))
        subsetter.populate(unicodes=[ord("O")])
        subsetter.subset(font)
        for table in font["cmap"].tables:
            table.cmap = {ord("鳥"): "O"}
        for record in font["name"].names:
            if record.nameID in (1, 4, 16):
                record.string = "Lent Font"
        font.save(file)
    known = list(font_manager.fontManager.ttflist)
    font_manager.fontManager.ttflist[:] = [
        one for one in known if one.name in (fonts.OWN, "DejaVu Sans Mono")
    ]
    font_manager.fontManager.addfont(str(file))
    fonts._fonts.cache_clear()
    yield "Lent Font"
    font_manager.fontManager.ttflist[:] = known
    fonts._fonts.cache_clear()


def test_what_the_own_font_has_needs_nothing() -> None:
    assert fonts.cover(["Größe, Ελληνικά, русский, نص, “≥ 0.5” ▲◆ a\u200db"]) == fonts.Cover()


def test_another_font_gives_what_the_own_one_lacks(lent_font: str) -> None:
    found = fonts.cover(["birds 鳥", UNASSIGNED])
    assert found.families == (lent_font,)
    assert found.missing == frozenset(UNASSIGNED)


def test_what_no_font_has_is_said_in_words() -> None:
    assert fonts.missing_words(frozenset()) == ""
    assert "A box stands for a sign" in fonts.missing_words(frozenset(UNASSIGNED))
    many = frozenset(chr(0x3FFF0 + n) for n in range(5))
    assert fonts.missing_words(many).endswith("U+3FFF0, U+3FFF1, U+3FFF2 and 2 more.")


def test_a_broken_font_of_the_machine_is_as_good_as_none(tmp_path: Path) -> None:
    file = tmp_path / "broken.ttf"
    file.write_bytes(b"\0\1\0\0nothing")
    assert fonts._signs((str(file), 0)) == frozenset()
    assert not fonts._can_draw((str(file), 0), ord("a"))


def _named(name: str):
    figure = style.new_figure(80, 30)
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], label=name)
    figure.legend(loc="outside lower left")
    return figure


def _pixels(name: str, tmp_path: Path) -> np.ndarray:
    file = tmp_path / "figure.png"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        file.write_bytes(style.drawn_bytes(partial(_named, name), "png", 150, {}))
    with Image.open(file) as picture:
        return np.asarray(picture.convert("L"))


def test_a_figure_is_drawn_with_the_font_that_has_its_names(lent_font, tmp_path) -> None:
    with_sign, letter = _pixels("鳥", tmp_path), _pixels("O", tmp_path)
    assert with_sign.shape == letter.shape  # no line is below it
    assert np.array_equal(with_sign, letter)  # the lent sign is that letter
    with style.journal_style(), style.journal_style(families=(lent_font,)):
        assert style.text_width_mm("鳥") == pytest.approx(style.text_width_mm("O"), rel=0.1)


@pytest.mark.parametrize("format", ["svg", "pdf", "png"])
def test_below_a_figure_stands_what_no_font_has(format: str, tmp_path: Path) -> None:
    name = f"a {UNASSIGNED}"
    file = tmp_path / "bare.png"
    with style.journal_style():
        file.write_bytes(style.figure_bytes(_named(name), "png", 150, {}))
    with Image.open(file) as picture:
        bare = np.asarray(picture.convert("L"))
    boxed = _pixels(name, tmp_path)
    added = boxed.shape[0] - bare.shape[0]
    assert 0 < added < 0.3 * bare.shape[0]
    assert (boxed[-added:] < 200).any()  # the line
    above, alone = (float((255.0 - part).sum()) for part in (boxed[:-added], bare))
    assert abs(above / alone - 1) < 0.05  # nothing else is covered, or new
    data = style.drawn_bytes(partial(_named, UNASSIGNED), format, 100, {})
    again = style.drawn_bytes(partial(_named, UNASSIGNED), format, 100, {})
    assert len(data) == len(again)
    if format == "svg":
        assert b"Boxes stand" in data or b"A box stands" in data
