"""What a run of saliency was measured with, and which methods its models refuse."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from analysis.figures.saliency_data import SaliencyIndex
from analysis.figures.words import count
from app.views.run_settings import RunSettingsPanel
from app.widgets.table_twin import TableTwin

_COLUMNS = (("method", "Method"), ("model", "Model"), ("reason", "Why it does not apply"))


class SaliencySettingsPanel(RunSettingsPanel):
    """Left the settings, right each method that does not apply, with its reason."""

    def __init__(self, parent: QWidget | None = None) -> None:
        table = TableTwin("method", "methods", filters=False)
        table.table.setAccessibleName("Methods that do not apply, with the reason")
        super().__init__(table, (400, 500), 240, parent)

    def show_index(self, index: SaliencyIndex | None) -> None:
        """Show the settings of a run."""
        self.show_settings(index.settings if index is not None else (), "No run is shown.")
        refused = index.refused if index is not None else ()
        rows = [(method, model, reason) for model, method, reason in refused]
        words = f"{count(len(rows), 'method')} left out" if rows else "No method is left out"
        self.show_left_out(rows, _COLUMNS, words)
