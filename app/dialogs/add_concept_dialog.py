"""Adding a concept: a folder of its pictures, a label of the label planes, or patches to come."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QComboBox, QCompleter, QLineEdit, QWidget

from analysis.errors import AuditError
from app import reversible
from app.dialogs.form import FormDialog, PathField, is_folder, suggest_name
from app.labels import wrapped_label
from app.project_edits import clean_name
from app.workspace import Workspace

_ADD = "add concept"
_LIST = "list the labels"
_KINDS = {
    "folder": "a folder of pictures",
    "labels": "a label of the label planes",
    "patches": "patches, to be chosen in the window",
}
_HELP = {
    "folder": "Every picture in the folder shows the concept. The files stay where they are.",
    "labels": "The regions that carry the label, in the images that a run looks at.",
    "patches": "Select patches or units anywhere in the window, then “Save as concept…”.",
}


class AddConceptDialog(FormDialog):
    """What gives the concept, and its name. Nothing typed is lost if it will not do."""

    added = Signal(int)  # id of the concept

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__("Add a concept", "Add", parent)
        self._workspace = workspace
        self._named_by_user = False
        self.kind = QComboBox()
        self.kind.setAccessibleName("What gives the concept")
        for kind, text in _KINDS.items():
            self.kind.addItem(text, kind)
        self.source = PathField("folder of pictures", "folder")
        self.label = QComboBox()
        self.label.setAccessibleName("Label")
        self.label.setEditable(True)
        self.label.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self._make_searchable()
        self.name = QLineEdit()
        self.name.setMaxLength(200)
        self.name.setAccessibleName("Name of the concept")
        self.help = wrapped_label(muted=True)
        self.form.addRow("Given by", self.kind)
        self.form.addRow("Folder", self.source)
        self.form.addRow("Label", self.label)
        self.form.addRow("Name", self.name)
        self.form.addRow(self.help)
        self.kind.currentIndexChanged.connect(self._on_kind)
        self.source.changed.connect(self._on_given)
        self.label.currentTextChanged.connect(self._on_given)
        self.name.textEdited.connect(self._on_name)
        workspace.project_changed.connect(self._on_project)
        self._on_kind()
        labels = workspace.backend.label_names
        workspace.loader.load(_LIST, labels, workspace.project, then=self._show_labels)

    def _make_searchable(self) -> None:
        completer = QCompleter(self.label.model(), self.label)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        self.label.setCompleter(completer)

    def _show_labels(self, labels: tuple[tuple[str, str], ...]) -> None:
        typed = self.label.currentText()
        self.label.blockSignals(True)
        self.label.clear()
        for name, category in labels:
            self.label.addItem(f"{name} ({category})" if category else name, (name, category))
        self.label.setCurrentIndex(self.label.findText(typed) if typed else -1)
        self.label.setEditText(typed)
        self.label.blockSignals(False)
        edit = self.label.lineEdit()
        if edit is not None:
            nothing = "the name of a label: no label planes say which there are"
            edit.setPlaceholderText(f"one of {len(labels):,} labels" if labels else nothing)

    # -- what is chosen ------------------------------------------------------------------------
    def chosen_label(self) -> tuple[str, str | None]:
        """Name and category; a name that was typed may have any category."""
        text = self.label.currentText().strip()
        place = self.label.findText(text)
        return self.label.itemData(place) if place >= 0 else (text, None)

    def _taken(self) -> set[str]:
        index = self._workspace.index
        return {entry.name for entry in index.concept_sets} if index is not None else set()

    @Slot()
    def _on_kind(self) -> None:
        kind = self.kind.currentData()
        self.form.setRowVisible(self.source, kind == "folder")
        self.form.setRowVisible(self.label, kind == "labels")
        self.help.setText(_HELP[kind])
        self._on_given()

    @Slot()
    def _on_given(self) -> None:
        """Name the concept after what gives it, until it is named by hand."""
        kind, path = self.kind.currentData(), self.source.path()
        label = self.chosen_label()[0]
        if not self._named_by_user:
            given = path if kind == "folder" else Path(label.replace("/", " "))
            some = kind != "patches" and given is not None and str(given) not in ("", ".")
            self.name.setText(suggest_name(given, self._taken()) if some and given else "")
        self._check()

    @Slot(str)
    def _on_name(self, text: str) -> None:
        self._named_by_user = bool(text.strip())
        self._check()

    def _check(self) -> None:
        kind, path = self.kind.currentData(), self.source.path()
        if kind == "folder" and path is None:
            self.say("Choose the folder of the pictures, or drop it here.")
        elif kind == "folder" and path is not None and not is_folder(path):
            self.say("There is no such folder.")
        elif kind == "labels" and not self.chosen_label()[0]:
            self.say("Choose a label, or type its name.")
        else:
            self._check_name()

    def _check_name(self) -> None:
        try:
            clean_name(self.name.text(), frozenset(self._taken()))
        except AuditError as error:
            self.say(str(error))
        else:
            self.say("")

    def accept(self) -> None:
        self._check()
        kind = self.kind.currentData()
        if self._workspace.project is None or not self.accept_button.isEnabled():
            return
        self.accept_button.setEnabled(False)
        folder = self.source.path() if kind == "folder" else None
        label, category = self.chosen_label() if kind == "labels" else (None, None)
        name = self.name.text()
        step = partial(reversible.add_concept, name, kind, folder, label, category)
        self._workspace.undo.do(_ADD, step, self._on_added, self.say_problem)

    def _on_added(self, number: int) -> None:
        self.added.emit(number)
        super().accept()

    @Slot(object)
    def _on_project(self, _project: object) -> None:
        self.close()
