"""Writing down what was found, or changing what was written."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from PySide6.QtCore import QSize, QStringListModel, Qt, Signal, Slot
from PySide6.QtGui import QImage, QKeyEvent, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import (
    QComboBox,
    QCompleter,
    QLineEdit,
    QPlainTextEdit,
    QSizePolicy,
    QWidget,
)

from analysis.errors import AuditError
from analysis.project.findings import (
    LONGEST_TITLE,
    SEVERITIES,
    VERDICTS,
    Finding,
    Severity,
    Verdict,
    checked,
)
from app.dialogs.form import FormDialog
from app.finding_words import VERDICT_LOOKS, severity_text, verdict_text
from app.theme import IMAGE_MAT, theme
from app.widgets.tick_box import TickBox

_NO_PICTURE = "no picture was kept"


class FindingDialog(FormDialog):
    """`written(Finding, picture or None)`; `finding` is what the form begins with."""

    written = Signal(object, object)

    def __init__(
        self,
        finding: Finding,
        picture: QImage,
        tags: tuple[str, ...],
        parent: QWidget | None = None,
    ) -> None:
        new = not finding.id
        title, button = ("Record a finding", "Record") if new else ("Edit the finding", "Save")
        super().__init__(title, button, parent)
        self._finding = finding
        self._picture = picture
        self.title = QLineEdit(finding.title)
        self.title.setMaxLength(LONGEST_TITLE)
        self.title.setAccessibleName("Title of the finding")
        self.note = QPlainTextEdit(finding.note)
        self.note.setAccessibleName("Note")
        self.note.setPlaceholderText("What is to be seen, why it matters, what to check next")
        self.note.setTabChangesFocus(True)
        self.note.setMinimumHeight(96)
        self.verdict = _combo("Verdict", [(one, verdict_text(one)) for one in VERDICTS])
        for place, one in enumerate(VERDICTS):
            hint = VERDICT_LOOKS[one].meaning
            self.verdict.setItemData(place, hint, Qt.ItemDataRole.ToolTipRole)
        self.severity = _combo("Severity", [(one, severity_text(one)) for one in SEVERITIES])
        self.tags = TagsEdit(tags)
        self.tags.setText(", ".join(finding.tags))
        self.preview = Preview(picture)
        self.kept = TickBox("Keep this picture of the view")
        self.kept.setChecked(not picture.isNull())
        self.kept.setVisible(new and not picture.isNull())
        self.form.addRow("Title", self.title)
        self.form.addRow("Note", self.note)
        self.form.addRow("Verdict", self.verdict)
        self.form.addRow("Severity", self.severity)
        self.form.addRow("Tags", self.tags)
        self.form.addRow("Picture", self.preview)
        self.form.addRow("", self.kept)
        self.verdict.setCurrentIndex(max(0, self.verdict.findData(finding.verdict)))
        self.severity.setCurrentIndex(max(0, self.severity.findData(finding.severity)))
        self.title.textChanged.connect(self._check)
        self.note.textChanged.connect(self._check)
        self.tags.textChanged.connect(self._check)
        self.kept.toggled.connect(self.preview.setEnabled)
        end = len(self.title.text())
        self.title.setSelection(end, -end)  # the beginning is what is seen
        self.title.setFocus()
        self.setMinimumWidth(620)
        self._check()

    def finding(self) -> Finding:
        """What the form says."""
        return replace(
            self._finding,
            title=self.title.text(),
            note=self.note.toPlainText(),
            verdict=cast(Verdict, self.verdict.currentData()),
            severity=cast(Severity, self.severity.currentData()),
            tags=self.tags.tags(),
            changed="",
        )

    @Slot()
    def _check(self) -> None:
        try:
            checked(self.finding())
        except AuditError as error:
            self.say(str(error))
        else:
            self.say("")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Ctrl+Enter is done, also from within the note."""
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if enter and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.accept()
        else:
            super().keyPressEvent(event)

    def accept(self) -> None:
        self._check()
        if self.accept_button.isEnabled():
            kept = self.kept.isChecked() and not self._picture.isNull()
            self.written.emit(checked(self.finding()), self._picture if kept else None)
            super().accept()


class TagsEdit(QLineEdit):
    """Tags with commas between them; the one being typed is completed from those in use."""

    def __init__(self, known: tuple[str, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Tags, with commas between them")
        self.setPlaceholderText("background, watermark")
        self.setMaxLength(2000)
        self._completer = QCompleter(self)
        self._completer.setModel(QStringListModel(list(known), self._completer))
        self._completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self._completer.setWidget(self)
        self._completer.activated.connect(self._complete)
        self.textEdited.connect(self._offer)

    def tags(self) -> tuple[str, ...]:
        """The tags as typed, without repetitions."""
        return tuple(dict.fromkeys(one.strip() for one in self.text().split(",") if one.strip()))

    def _parts(self) -> tuple[str, str, str]:
        """What stands before the tag at the cursor, its beginning, and what follows it."""
        text, place = self.text(), self.cursorPosition()
        start = text.rfind(",", 0, place) + 1
        end = text.find(",", place)
        return text[:start], text[start:place].strip(), "" if end < 0 else text[end:]

    @Slot()
    def _offer(self) -> None:
        begun = self._parts()[1]
        self._completer.setCompletionPrefix(begun)
        if begun and self._completer.completionCount():
            self._completer.complete()
        elif (popup := self._completer.popup()) is not None:
            popup.hide()

    @Slot(str)
    def _complete(self, tag: str) -> None:
        before, _begun, after = self._parts()
        space = " " if before else ""
        self.setText(f"{before}{space}{tag}{after}")
        self.setCursorPosition(len(before) + len(space) + len(tag))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        popup, taken = (
            self._completer.popup(),
            (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Tab),
        )
        if popup is not None and popup.isVisible() and event.key() in taken:
            event.ignore()  # the list of tags takes it
            return
        super().keyPressEvent(event)


class Preview(QWidget):
    """A picture as large as there is room, on neutral grey."""

    def __init__(self, image: QImage, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pixmap = QPixmap.fromImage(image)
        self.setMinimumHeight(200)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Picture of the view" if not image.isNull() else _NO_PICTURE)

    def sizeHint(self) -> QSize:
        return QSize(420, 240)

    def paintEvent(self, _event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            if self._pixmap.isNull():
                painter.setPen(theme().colour("muted"))
                flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
                painter.drawText(self.rect(), int(flags), _NO_PICTURE)
                return
            painter.fillRect(self.rect(), IMAGE_MAT)
            ratio = self.devicePixelRatioF()
            shown = self._pixmap.scaled(
                self.size() * ratio,
                Qt.AspectRatioMode.KeepAspectRatio,
                Qt.TransformationMode.SmoothTransformation,
            )
            shown.setDevicePixelRatio(ratio)
            size = shown.deviceIndependentSize()
            painter.setOpacity(1.0 if self.isEnabled() else 0.25)
            left = round((self.width() - size.width()) / 2)
            painter.drawPixmap(left, round((self.height() - size.height()) / 2), shown)


def _combo(name: str, entries: list[tuple[str, str]]) -> QComboBox:
    combo = QComboBox()
    combo.setAccessibleName(name)
    for value, text in entries:
        combo.addItem(text, value)
    return combo
