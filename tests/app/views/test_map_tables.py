"""The table twins of pictures of maps: where each map is highest, and walking by the table."""

from __future__ import annotations

import numpy as np
from PySide6.QtGui import QGuiApplication

from analysis.figures.saliency_data import AttentionDepth
from app.views.map_peaks import head_columns, head_ids, peaks
from app.views.saliency_depth import SaliencyDepthPanel
from app.views.saliency_map_table import plan_cells
from app.views.saliency_view import SaliencyView
from tests.app.views.made_saliency import index


def test_peaks_agree_with_a_plain_search() -> None:
    values = np.random.default_rng(3).random((5, 4, 7)).astype(np.float32)
    values[2, 1, 1] = np.nan
    highest, across, down = peaks(values)
    for place, one in enumerate(values):
        best = max(
            ((r, c) for r in range(4) for c in range(7) if np.isfinite(one[r, c])),
            key=lambda at: one[at],
        )
        assert highest[place] == one[best]
        assert across[place] == 100 * (best[1] + 0.5) / 7
        assert down[place] == 100 * (best[0] + 0.5) / 4


def test_heads_are_listed_layer_by_layer_and_shown_from_the_table(qtbot) -> None:
    values = np.random.default_rng(0).random((3, 2, 4, 4)).astype(np.float32)
    depth = AttentionDepth(1, "vit", ("first", "second", "third"), values, (0, 0, 40, 40))
    assert head_ids(depth) == [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)]
    columns = {column.key: column.values.tolist() for column in head_columns(depth)}
    assert columns["layer"] == [1, 1, 2, 2, 3, 3]
    assert columns["head"] == [1, 2, 1, 2, 1, 2]
    assert columns["name"][3] == "second"
    assert columns["highest"] == values.max(axis=(2, 3)).ravel().tolist()
    panel = SaliencyDepthPanel()
    qtbot.addWidget(panel)
    panel.set_models(("vit",), "vit")
    panel.show_depth(depth)
    panel.table.row_focused.emit((0, 1))
    assert panel.slider.value() == 0
    assert "head 2 of 2" in panel.note.text()


def test_the_table_of_maps_walks_and_selects_in_the_grid(qtbot) -> None:
    view = SaliencyView()
    qtbot.addWidget(view)
    view.resize(1100, 800)
    view.show_index(index())
    view.show()
    view.panel.show_table(True)
    table = view.table
    cells = plan_cells(view.grid.grid_model.plan)
    assert table.model.ids == cells
    assert len(cells) == view.grid.grid_model.rowCount() * view.grid.grid_model.columnCount()
    with qtbot.waitSignal(view.cells_selected) as told:
        table.table.selectRow(1)
    assert told.args == [(cells[1],)]
    assert view.grid.focus() == cells[1]
    assert view.chosen().image == cells[1].image
    view.panel.copy_data()
    copied = QGuiApplication.clipboard().text().splitlines()
    assert len(copied) == len(cells) + 1
    assert copied[0].startswith("id\tmodel\tmethod\timage")
