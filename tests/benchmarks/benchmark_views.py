"""How fast the heavy widgets paint: budgets of 50 ms a selection and 16 ms a scrolled frame.

Run: python tests/benchmarks/benchmark_views.py   (offscreen unless QT_QPA_PLATFORM says otherwise)
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QColor, QPixmap
from PySide6.QtWidgets import QApplication, QWidget

from analysis.figures.data import ConceptPoints, ReplacementPoints
from app import theme
from app.views.concepts_view import ConceptsView
from app.widgets.heatmap import Heatmap
from app.widgets.heatmap_data import HeatmapData
from app.widgets.image_grid import GridItem, ImageGrid
from app.widgets.scatter_data import PointStyle, ScatterData
from app.widgets.scatter_plot import ScatterPlot
from app.widgets.table_model import Column
from app.widgets.table_twin import TableTwin

POINTS, PATCHES = 20_000, 5_000


class Source(QObject):
    """Pixmaps at once, so that painting alone is measured."""

    ready = Signal(int)

    def request(self, image_id: int, box: object, size: int) -> QPixmap:
        pixmap = QPixmap(size, size)
        pixmap.fill(QColor.fromHsv(image_id % 360, 200, 200))
        return pixmap

    def path(self, image_id: int) -> None:
        return None


class PaintCounter(QObject):
    """Makes sure that what is timed was painted."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__()
        self.paints = 0
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: object) -> bool:
        self.paints += event.type() == event.Type.Paint  # type: ignore[attr-defined]
        return False


def measure(name: str, budget: float | None, viewport: QWidget, steps: list[Callable]) -> None:
    """Milliseconds from a change to its pixels: median and worst, and the processor's share.

    On a machine that does other work, the processor's time is the one to compare.
    """
    counter = PaintCounter(viewport)
    times, busy = [], []
    for step in steps:
        before = counter.paints
        start, start_busy = time.perf_counter(), time.process_time()
        step()
        viewport.repaint()
        times.append(1000 * (time.perf_counter() - start))
        busy.append(1000 * (time.process_time() - start_busy))
        if counter.paints == before:
            raise SystemExit(f"{name}: nothing was painted")
        QApplication.processEvents()
    limit = "" if budget is None else f"   budget {budget:.0f} ms"
    wall = f"median {np.median(times):6.1f} ms   worst {max(times):6.1f} ms"
    print(f"{name:44s} {wall}   processor {np.median(busy):5.1f}, {max(busy):5.1f} ms{limit}")


def scatter() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, POINTS))
    ids = rng.permutation(POINTS) + 1000
    data = ScatterData(
        ids,
        x,
        y,
        "similarity",
        "importance",
        group=np.arange(POINTS) % 2,
        styles=(PointStyle("o"), PointStyle("s")),
        level=rng.random(POINTS),
    )
    plot = ScatterPlot()
    plot.resize(760, 520)
    plot.show()
    start = time.perf_counter()
    plot.set_data(data)
    plot.canvas.viewport().repaint()
    shown = 1000 * (time.perf_counter() - start)
    print(f"{'scatter: 20,000 points shown first':44s} once   {shown:6.1f} ms")
    QApplication.processEvents()
    everything = frozenset(ids.tolist())
    halves = [everything, frozenset(ids[: POINTS // 2].tolist())] * 10
    viewport = plot.canvas.viewport()
    select = [lambda s=s: plot.set_selection(s) for s in halves]
    measure("scatter: select 20,000 or 10,000 points", 50, viewport, select)
    one = [lambda i=i: plot.set_focus(int(i)) for i in ids[:20]]
    measure("scatter: focus one of 20,000 points", 50, viewport, one)
    zoom = [lambda: plot.plot.getViewBox().scaleBy((0.99, 0.99))] * 20
    measure("scatter: zoom with 20,000 points selected", None, viewport, zoom)


def concept_points() -> ConceptPoints:
    """20,000 concepts of 1,000 classes."""
    rng = np.random.default_rng(0)
    numbers = {
        f.name: rng.random(POINTS)
        for f in fields(ConceptPoints)
        if f.name not in ("run", "model_a", "model_b", "layer_a", "layer_b")
    }
    number = np.arange(POINTS)
    words = {
        "side": np.where(number % 2 == 0, "a", "b"),
        "class_name": np.array([f"class {i // 20:04d}" for i in number.tolist()]),
        "concept": number // 2 % 10,
        "concept_id": rng.permutation(POINTS) + 1000,
    }
    return ConceptPoints(1, "Lite0", "Lite2", "penultimate", "penultimate", **numbers | words)


def replacement_points(points: ConceptPoints) -> ReplacementPoints:
    """The replacement test of the same concepts."""
    rng = np.random.default_rng(1)
    same = {
        f.name: getattr(points, f.name)
        for f in fields(ReplacementPoints)
        if hasattr(points, f.name)
    }
    names = ("delta_pearson", "l2", "kl", "match_accuracy")
    return ReplacementPoints(**same, **{name: rng.random(POINTS) for name in names})


def concepts() -> None:
    view = ConceptsView()
    view.resize(1400, 860)
    points = concept_points()
    view.show()
    start = time.perf_counter()
    view.show_points(points)
    view.show_replacement(replacement_points(points))
    view.repaint()
    shown = 1000 * (time.perf_counter() - start)
    print(f"{'concepts: 20,000 concepts shown first':44s} once   {shown:6.1f} ms")
    QApplication.processEvents()
    ids = points.concept_id.tolist()
    viewport = view.similarity.scatter.canvas.viewport()
    halves = [frozenset(ids), frozenset(ids[: POINTS // 2])] * 8
    select = [lambda s=s: view.set_selection(s) for s in halves]
    measure("concepts: select 20,000 in all linked views", 50, viewport, select)
    focus = [lambda i=i: view.set_concept(i) for i in ids[:20]]
    measure("concepts: focus one in all linked views", 50, viewport, focus)


def grid() -> None:
    view = ImageGrid(size=96)
    view.resize(900, 700)
    view.set_source(Source())
    view.set_items(GridItem(i + 7, i, (0, 0, 64, 64), str(i), "#009E73") for i in range(PATCHES))
    view.show()
    QApplication.processEvents()
    bar = view.verticalScrollBar()
    fine = [lambda v=v: bar.setValue(v) for v in range(0, 100 * 60, 60)]
    measure("grid: scroll 5,000 patches by 60 px", 16, view.viewport(), fine)
    pages = [lambda v=v: bar.setValue(v) for v in range(0, bar.maximum(), bar.pageStep())]
    measure("grid: scroll 5,000 patches by pages", 16, view.viewport(), pages)


def table() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(8, POINTS))
    twin = TableTwin("concept")
    twin.resize(760, 320)
    columns = [
        Column(f"c{i}", f"c{i}", v, "decimal", v - 0.1, v + 0.1) for i, v in enumerate(values)
    ]
    twin.set_columns((rng.permutation(POINTS) + 5).tolist(), columns)
    twin.show()
    QApplication.processEvents()
    viewport = twin.table.viewport()
    sort = [lambda i=i: twin.model.sort(i % 8) for i in range(16)]
    measure("table: sort 20,000 rows", None, viewport, sort)
    bar = twin.table.verticalScrollBar()
    scroll = [lambda v=v: bar.setValue(v) for v in range(0, 50 * 48, 48)]
    measure("table: scroll 20,000 rows", 16, viewport, scroll)


def heatmap() -> None:
    rng = np.random.default_rng(0)
    names = tuple(f"encoder.blocks.{i}.output" for i in range(60))
    data = HeatmapData(
        names,
        names,
        rng.random((60, 60)),
        np.full((60, 60), 0.3),
        np.linspace(0, 1, 60),
        np.linspace(0, 1, 60),
        "A",
        "B",
        "MMCS",
    )
    view = Heatmap()
    view.resize(1000, 760)
    view.set_data(data)
    view.show()
    QApplication.processEvents()
    moves = [lambda i=i: view.set_cell(names[i], names[59 - i]) for i in range(40)]
    measure("heatmap: move the crosshair over 60 × 60", 50, view.canvas.viewport(), moves)


def main() -> None:
    application = QApplication([])
    theme.apply(application, "light")
    for part in (scatter, concepts, grid, table, heatmap):
        part()


if __name__ == "__main__":
    main()
