"""What the dialogs share: a form, a line that says what is wrong, and fields for paths."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Qt, Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app import theme
from app.labels import wrapped_label
from app.problems import Problem, shorten

_LONGEST_INPUT = 4096


class FormDialog(QDialog):
    """A dialog that never blocks, checks as the user types, and keeps everything on an error."""

    def __init__(self, title: str, accept_text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setObjectName(type(self).__name__)
        self.form = QFormLayout()
        self.form.setHorizontalSpacing(theme.PADDING)
        self.form.setVerticalSpacing(theme.GRID)
        self.form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        self.message = wrapped_label()
        self.message.setAccessibleName("What is missing or wrong")
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.accept_button = QPushButton(accept_text)
        self.accept_button.setDefault(True)
        self.buttons.addButton(self.accept_button, QDialogButtonBox.ButtonRole.AcceptRole)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(*(theme.PADDING,) * 4)
        self.column.setSpacing(theme.PADDING)
        self.column.addLayout(self.form)
        self.column.addWidget(self.message)
        self.column.addWidget(self.buttons)
        self.setMinimumWidth(520)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        first = self.focusWidget()
        if not event.spontaneous() and (first is None or self.buttons.isAncestorOf(first)):
            self._focus_first_field()

    def _focus_first_field(self) -> None:
        """One begins at the top: left alone, Qt takes Cancel, the oldest part, and Enter closes."""
        part = self.nextInFocusChain()
        while part is not None and part is not self:
            by_keys = bool(part.focusPolicy() & Qt.FocusPolicy.TabFocus) and part.isEnabled()
            if by_keys and part.isVisibleTo(self) and not self.buttons.isAncestorOf(part):
                part.setFocus(Qt.FocusReason.TabFocusReason)
                return
            part = part.nextInFocusChain()

    def say(self, problem: str, hint: str = "") -> None:
        """Show what stands in the way (or nothing), and allow to go on only if nothing does."""
        self.message.setText(shorten(problem or hint, 400))
        tokens = theme.theme().tokens
        colour = tokens.warning_text if problem else tokens.muted
        self.message.setStyleSheet(f"color: {colour};")
        self.accept_button.setEnabled(not problem)

    def say_problem(self, problem: Problem) -> None:
        """Show an error that came after the fact; the user may try again at once."""
        self.say(problem.text)
        self.accept_button.setEnabled(True)


class PathField(QWidget):
    """A path that can be typed, chosen or dropped."""

    changed = Signal(str)

    def __init__(
        self,
        name: str,
        mode: str,
        filters: str = "",
        parent: QWidget | None = None,
    ) -> None:
        """`mode`: open, save or folder."""
        super().__init__(parent)
        self._name, self._mode, self._filters = name, mode, filters
        self.edit = QLineEdit()
        self.edit.setMaxLength(_LONGEST_INPUT)
        self.edit.setAccessibleName(name)
        self.button = QPushButton("Choose…")
        self.button.setAccessibleName(f"Choose {name}")
        self.button.setAutoDefault(False)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.edit, 1)
        row.addWidget(self.button)
        self.edit.textChanged.connect(self.changed)
        self.button.clicked.connect(self._choose)
        self.edit.installEventFilter(self)
        self.setFocusProxy(self.edit)

    def text(self) -> str:
        return self.edit.text().strip()

    def set_text(self, text: str) -> None:
        self.edit.setText(text)

    def path(self) -> Path | None:
        """The path typed, or None if it is empty or cannot be one."""
        text = self.text()
        if not text or "\0" in text:
            return None
        try:
            return Path(text).expanduser()
        except RuntimeError:  # ~somebody who does not exist
            return Path(text)

    def dialog(self) -> QFileDialog:
        """The system's dialog for this field."""
        dialog = QFileDialog(self, f"Choose {self._name}")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if self._mode == "folder":
            dialog.setFileMode(QFileDialog.FileMode.Directory)
        elif self._mode == "save":
            dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
            dialog.setFileMode(QFileDialog.FileMode.AnyFile)
        else:
            dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        if self._filters:
            dialog.setNameFilter(self._filters)
        path = self.path()
        if path is not None:
            dialog.setDirectory(str(path if is_folder(path) else path.parent))
        dialog.fileSelected.connect(self.set_text)
        return dialog

    @Slot()
    def _choose(self) -> None:
        self.dialog().open()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A file dropped on the field replaces its text."""
        if event.type() in (QEvent.Type.DragEnter, QEvent.Type.Drop):
            urls = event.mimeData().urls()  # type: ignore[attr-defined]
            if urls and urls[0].isLocalFile():
                event.acceptProposedAction()  # type: ignore[attr-defined]
                if event.type() == QEvent.Type.Drop:
                    self.set_text(urls[0].toLocalFile())
                return True
        return super().eventFilter(watched, event)


def is_there(path: Path | None) -> bool:
    """Whether a path exists; False also for what the system refuses to look at."""
    try:
        return path is not None and path.exists()
    except (OSError, ValueError):
        return False


def is_folder(path: Path) -> bool:
    """Whether a path is a folder; False also for what the system refuses to look at."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def is_file(path: Path) -> bool:
    """Whether a path is an ordinary file; False also for what the system refuses to look at."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def suggest_name(path: Path, taken: set[str]) -> str:
    """A name for what lies at `path` that is not taken yet."""
    stem = path.name if is_folder(path) else path.stem
    stem = "".join(c for c in stem if c.isprintable()).strip()[:100] or "untitled"
    number, name = 2, stem
    while name in taken:
        name, number = f"{stem} {number}", number + 1
    return name
