"""What a run of semantics was measured with, and what could not be done."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from analysis.figures.semantics_data import SemanticsIndex
from analysis.figures.words import count
from app.views.run_settings import RunSettingsPanel
from app.widgets.table_twin import TableTwin

_COLUMNS = (("subject", "What"), ("reason", "Why it was left out"))


class SemanticsSettingsPanel(RunSettingsPanel):
    """Left the settings, right what was left out, each with its reason."""

    def __init__(self, parent: QWidget | None = None) -> None:
        table = TableTwin("item", filters=False)
        table.table.setAccessibleName("What was left out, with the reason")
        super().__init__(table, (520, 700), 320, parent)
        self.show_index(None)

    def show_index(self, index: SemanticsIndex | None) -> None:
        """Show the settings of a run."""
        settings = index.settings if index is not None else ()
        self.show_settings(settings, "No run of semantics is shown.")
        left_out = index.left_out if index is not None else ()
        words = f"{count(len(left_out), 'item')} left out" if left_out else "Nothing is left out"
        self.show_left_out(left_out, _COLUMNS, words)
        self.heading.setVisible(index is not None)
