"""What the window does to make images with a planted concept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Slot

from app.dialogs.planting_dialog import PlantingDialog, PlantingWish
from app.lanes import JobState

if TYPE_CHECKING:
    from app.commands import Commands
    from app.main_window import MainWindow

JOB_KIND = "plant"


class PlantingCommands(QObject):
    """Asks what is to be planted, and makes the images as a job."""

    def __init__(self, window: MainWindow, commands: Commands) -> None:
        super().__init__(window)
        self._window = window
        self._commands = commands
        self._workspace = window.workspace
        self.actions: Mapping[str, Callable[[], Any]] = {"plant-concept": self.ask}
        self._workspace.jobs.ended.connect(self._on_ended)

    def ask(self) -> None:
        """Ask for the concept, the images and the folder."""
        dialog = PlantingDialog(self._workspace, self._window)
        dialog.wished.connect(self.plant)
        self._commands.show(dialog)

    @Slot(object)
    def plant(self, wish: PlantingWish) -> int | None:
        """Make the images, as a job; returns the job's id."""
        project = self._workspace.project
        if project is None:
            return None
        settings = {
            "name": wish.name,
            "concept": wish.concept,
            "image_set": wish.image_set,
            "images": wish.images,
            "share": wish.share,
        }
        work = partial(self._workspace.backend.plant, project, settings, wish.folder)
        return self._workspace.jobs.submit_progress(f"images “{wish.name}”", work, JOB_KIND)

    @Slot(int)
    def _on_ended(self, number: int) -> None:
        record = self._workspace.jobs.record(number)
        if record is not None and record.kind == JOB_KIND and record.state is JobState.DONE:
            sentence = record.result.sentence()
            record.write(sentence)
            self._window.status_line.set_message(sentence)
