"""How far groups and points move when units, models or the threshold change."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
from PySide6.QtWidgets import QWidget

from analysis.figures.embedding_data import Stability
from analysis.figures.words import number
from app.views.embedding_columns import stability_columns
from app.views.embedding_words import BOOTSTRAP, SECTIONS, percent, stability_label
from app.widgets.bar_data import BarColumn, BarData, BarRow, upper_limit
from app.widgets.bar_table import BarTable
from app.widgets.empty_state import EmptyState
from app.widgets.figure_panel import FigurePanel
from app.widgets.table_twin import TableTwin

_EMPTY = "Whether groups and places stay when units, models or the threshold change."

_INDEX = "adjusted Rand index"  # of the draws; their other agreement is a share


class StabilityPanel(FigurePanel):
    """One row a change: do the groups stay, and how far do the points move?"""

    def __init__(self, parent: QWidget | None = None) -> None:
        self.bars = BarTable("Stability of the embedding", selecting=False)
        empty = EmptyState(_EMPTY, "Embed models…", "run embedding")
        super().__init__("stability", "Stability", self.bars, TableTwin("change"), empty, parent)
        self.data: Stability | None = None
        assert self.table is not None
        self.bars.row_focused.connect(self.table.set_focus)
        self.table.row_focused.connect(self.bars.set_focus)

    def show_stability(self, data: Stability | None) -> None:
        """Show what changes do, or the empty state."""
        self.data = data if data is not None and len(data.kind) else None
        self.show_content(self.data is not None)
        assert self.table is not None
        if self.data is None:
            self.bars.set_data(None)
            self.table.set_columns([], [])
            return
        data = self.data
        kinds, settings = data.kind.tolist(), data.setting.tolist()
        order = sorted(range(len(kinds)), key=lambda i: list(SECTIONS).index(kinds[i]))
        rows = tuple(
            BarRow(
                (kinds[i], settings[i]),
                stability_label(kinds[i], settings[i]),
                SECTIONS[kinds[i]],
            )
            for i in order
        )
        agreement = np.asarray(data.agreement, float)[order]
        moved = np.asarray(data.displacement, float)[order]
        shares = [kinds[i] == BOOTSTRAP and settings[i] != _INDEX for i in order]
        columns = (
            BarColumn(
                "Groups stay",
                agreement,
                tuple(
                    (percent(a, 0) if share else number(a)) if np.isfinite(a) else "—"
                    for a, share in zip(agreement.tolist(), shares, strict=True)
                ),
                (min(0.0, float(np.nanmin(agreement, initial=0.0))), 1.0),
            ),
            BarColumn(
                "Points move by",
                moved,
                tuple(number(m) if np.isfinite(m) else "—" for m in moved.tolist()),
                (0.0, upper_limit(moved)),
            ),
        )
        self.bars.set_data(BarData(rows, columns, self._describe))
        ids = list(zip(kinds, settings, strict=True))
        self.table.set_columns(ids, stability_columns(data))
        self.set_note(
            "Agreement of groups: adjusted Rand index, 1 the same groups, 0 chance. Points move by"
            " their mean distance, in units of the embedding."
        )

    def _describe(self, identity: Hashable) -> str:
        if not isinstance(identity, tuple):
            return ""
        return f"{SECTIONS.get(identity[0], identity[0])}: {identity[1]}"
