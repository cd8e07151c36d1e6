"""Adding one model: it is loaded while the dialog stays open, and then says what it found."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QProgressBar, QWidget

from app.dialogs.details import load_report_text
from app.dialogs.form import FormDialog
from app.dialogs.model_form import ModelForm
from app.labels import wrapped_label
from app.lanes import JobState
from app.project_index import ProjectIndex
from app.workspace import Workspace


class ModelDialog(FormDialog):
    """Specification → load → report. Nothing typed is lost if loading fails."""

    def __init__(
        self, workspace: Workspace, weights: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__("Add a model", "Load", parent)
        self._workspace = workspace
        self._job: int | None = None
        self._loaded: str | None = None
        self.fields = ModelForm(workspace, self._taken(workspace.index))
        self.progress = QProgressBar()
        self.progress.setAccessibleName("Progress of loading the model")
        self.progress.setRange(0, 0)
        self.progress.setTextVisible(False)
        self.progress.setMaximumHeight(8)
        self.progress.hide()
        self.report = wrapped_label()
        self.report.setAccessibleName("What was loaded")
        self.report.hide()
        self.form.addRow(self.fields)
        self.column.insertWidget(1, self.progress)
        self.column.insertWidget(2, self.report)
        self.fields.changed.connect(self._on_changed)
        workspace.jobs.changed.connect(self._on_job)
        workspace.index_changed.connect(self._on_index)
        if weights:
            self.fields.weights.set_text(weights)
        self._on_changed()

    @staticmethod
    def _taken(index: ProjectIndex | None) -> set[str]:
        return {model.name for model in index.models} if index is not None else set()

    @Slot()
    def _on_changed(self) -> None:
        if self._job is None and self._loaded is None:
            self.say(self.fields.problem)

    def accept(self) -> None:
        if self._loaded is not None:
            super().accept()
            return
        if self.fields.problem or self._job is not None:
            return
        self._job = self._workspace.add_model(
            self.fields.name.text().strip(), self.fields.canonical
        )
        self._workspace.keep_quiet(self._job)
        self.fields.setEnabled(False)
        self.progress.show()
        self.say("", "Loading, and finding its layers…")
        self.accept_button.setEnabled(False)

    def reject(self) -> None:
        if self._job is not None:
            self._workspace.jobs.cancel(self._job)
        super().reject()

    @Slot(int)
    def _on_job(self, number: int) -> None:
        record = self._workspace.jobs.record(number) if number == self._job else None
        if record is None or not record.state.finished:
            return
        self._job = None
        self.progress.hide()
        if record.state == JobState.DONE:
            self._loaded = str(record.result)
            self.accept_button.setText("Done")
            self.say("", "Loaded.")
            return
        self.fields.setEnabled(True)
        if record.problem is not None:
            self.say_problem(record.problem)
        else:
            self._on_changed()

    @Slot(object)
    def _on_index(self, index: ProjectIndex | None) -> None:
        if index is None:
            self.close()
            return
        model = index.model(self._loaded)
        if model is not None:
            self.report.setText(load_report_text(model))
            self.report.show()
        elif self._loaded is None and self._job is None:
            self.fields.set_taken(self._taken(index))
