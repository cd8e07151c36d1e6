"""Questions that do not block: yes or no, and a name."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QAbstractButton, QLineEdit, QMessageBox, QWidget

from analysis.errors import AuditError
from app.dialogs.form import FormDialog
from app.problems import shorten
from app.project_edits import clean_name


class Question(QMessageBox):
    """A question with one way on and one way back; `confirmed` carries the payload."""

    confirmed = Signal(object)

    def __init__(
        self,
        text: str,
        hint: str,
        go_on: str,
        go_back: str,
        payload: object = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setObjectName("question")
        self.setIcon(QMessageBox.Icon.Question)
        self.setWindowTitle("Parallax")
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(shorten(text))
        self.setInformativeText(shorten(hint))
        self.payload = payload
        self.go_on = self.addButton(go_on, QMessageBox.ButtonRole.AcceptRole)
        self.go_back = self.addButton(go_back, QMessageBox.ButtonRole.RejectRole)
        self.setDefaultButton(self.go_back)
        self.setEscapeButton(self.go_back)
        self.buttonClicked.connect(self._on_clicked)

    @Slot(QAbstractButton)
    def _on_clicked(self, button: QAbstractButton) -> None:
        if button is self.go_on:
            self.confirmed.emit(self.payload)


class NameDialog(FormDialog):
    """Asks for a name that is not taken; `chosen` carries the payload and the name."""

    chosen = Signal(object, str)

    def __init__(
        self,
        title: str,
        name: str,
        taken: frozenset[str],
        payload: object = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(title, "Rename", parent)
        self._taken = taken - {name}
        self._payload = payload
        self.name = QLineEdit(name)
        self.name.setMaxLength(1000)
        self.name.setAccessibleName("New name")
        self.form.addRow("Name", self.name)
        self.name.textChanged.connect(self._check)
        self.name.selectAll()
        self._check()

    @Slot()
    def _check(self) -> None:
        try:
            clean_name(self.name.text(), self._taken)
        except AuditError as error:
            self.say(str(error))
        else:
            self.say("")

    def accept(self) -> None:
        self._check()
        if self.accept_button.isEnabled():
            self.chosen.emit(self._payload, clean_name(self.name.text(), self._taken))
            super().accept()
