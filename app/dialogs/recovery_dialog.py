"""After a session that was cut off: open its project again, and go on with its runs."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app import theme
from app.labels import wrapped_label
from app.problems import shorten
from app.recovery import UncleanEnd
from app.widgets.tick_box import TickBox


class RecoveryDialog(QDialog):
    """`reopen(path, resume)`; `diagnostics`: copy what is known of the end."""

    reopen = Signal(str, bool)
    diagnostics = Signal()

    def __init__(self, end: UncleanEnd, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Parallax")
        self._end = end
        self.title = wrapped_label("Parallax did not end properly last time.")
        self.title.setFont(theme.font("title", bold=True))
        self.text = wrapped_label(shorten(_words(end), 400))
        self.resume = TickBox("Continue the runs that were cut off")
        self.resume.setToolTip("Each goes on after its last finished unit of work")
        self.resume.setChecked(True)
        self.buttons = QDialogButtonBox()
        self.open_button = QPushButton("Open it again")
        self.open_button.setDefault(True)
        self.copy_button = QPushButton("Copy diagnostics")
        self.copy_button.setAutoDefault(False)
        self.copy_button.setToolTip("Copy what is known of the end, for a report")
        self.later = QPushButton("Not now")
        self.later.setAutoDefault(False)
        roles = QDialogButtonBox.ButtonRole
        self.buttons.addButton(self.copy_button, roles.HelpRole)
        self.buttons.addButton(self.later, roles.RejectRole)
        if end.project is not None:
            self.buttons.addButton(self.open_button, roles.AcceptRole)
        self.resume.setVisible(end.project is not None and not end.read_only)
        column = QVBoxLayout(self)
        column.setContentsMargins(*(theme.PADDING,) * 4)
        column.setSpacing(theme.PADDING)
        for part in (self.title, self.text, self.resume, self.buttons):
            column.addWidget(part)
        self.setMinimumWidth(480)
        self.buttons.rejected.connect(self.reject)
        self.buttons.accepted.connect(self._open)
        self.copy_button.clicked.connect(self.diagnostics)

    @Slot()
    def _open(self) -> None:
        self.accept()
        resume = not self._end.read_only and self.resume.isChecked()
        self.reopen.emit(str(self._end.project), resume)

    @Slot()
    def say_copied(self) -> None:
        """The diagnostics are on the clipboard."""
        if QGuiApplication.clipboard().text():
            self.copy_button.setText("Copied")


def _words(end: UncleanEnd) -> str:
    if end.project is None:
        return f"The session of {end.started} was cut off. No project was open."
    return (
        f"The session of {end.started} was cut off while “{end.project.name}” was open."
        " Every change and every finished unit of work is in the project file."
    )
