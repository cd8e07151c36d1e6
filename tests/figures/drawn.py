"""Drawing a figure in a test, and checking that nothing of it is cut off."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from analysis.figures import style
from analysis.figures.export import prepare_figure


def draw(project, name: str, width_mm: float, dpi: float = 100, **parameters) -> Figure:
    prepared = prepare_figure(project, name, **parameters)
    with style.journal_style():
        figure = prepared.definition.render(project, prepared.data, prepared.parameters, width_mm)
        figure.set_dpi(dpi)
        figure.canvas.draw()
    return figure


def figure_table(project, name: str, **parameters) -> tuple[tuple[str, ...], list[tuple]]:
    """The numbers behind a figure: columns and rows."""
    prepared = prepare_figure(project, name, **parameters)
    return prepared.definition.tabulate(prepared.data)


def texts(figure: Figure) -> list[Text]:
    return [text for text in figure.findobj(Text) if text.get_visible() and text.get_text()]


def drawn_texts(figure: Figure) -> list[Text]:
    """Texts that are really drawn."""
    never_drawn = _labels_beyond_axes(figure)
    return [text for text in texts(figure) if id(text) not in never_drawn]


def assert_whole(figure: Figure) -> None:
    renderer = figure.canvas.get_renderer()
    width, height = figure.bbox.width, figure.bbox.height
    shown = drawn_texts(figure)
    assert len(shown) > 3
    for text in shown:
        box = text.get_window_extent(renderer)
        assert box.x0 >= -0.5, text
        assert box.y0 >= -0.5, text
        assert box.x1 <= width + 0.5, text
        assert box.y1 <= height + 0.5, text
    pixels = np.asarray(figure.canvas.buffer_rgba())
    for edge in (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]):
        assert (edge == 255).all()


def _labels_beyond_axes(figure: Figure) -> set[int]:
    """Ids of labels of ticks beyond the ends of their axis: they exist but are never drawn."""
    axes = {id(item): item for item in figure.findobj(Axes)}
    hidden = set()
    for axis in (axis for item in axes.values() for axis in (item.xaxis, item.yaxis)):
        drawn = {id(tick) for tick in axis._update_ticks()} if axis.axes.axison else set()
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
            if id(tick) not in drawn:
                hidden |= {id(tick.label1), id(tick.label2)}
    return hidden
