"""Errors as the window shows them: what happened, what to do, and details to copy."""

from __future__ import annotations

import logging
import traceback
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget

from analysis.errors import AuditError

logger = logging.getLogger("parallax")


@dataclass(frozen=True)
class Problem:
    """One thing that went wrong, in words a practitioner can act on."""

    summary: str
    hint: str = ""
    details: str = ""  # for a report to the developers; empty for an expected error
    kind: str = ""  # the exception's class name

    @property
    def text(self) -> str:
        return f"{self.summary} {self.hint}".strip()


def problem_of(error: BaseException) -> Problem:
    """The problem behind an exception; unexpected ones keep their traceback as details."""
    kind = type(error).__name__
    if isinstance(error, AuditError):
        cause = "".join(traceback.format_exception(error.__cause__)) if error.__cause__ else ""
        return Problem(error.summary, error.hint, cause, kind)
    details = "".join(traceback.format_exception(error))
    logger.error("Unexpected error\n%s", details)
    if isinstance(error, MemoryError):
        return Problem(
            "The computer ran out of memory.",
            "Close other programs, or run the audit with fewer layers or images.",
            details,
            kind,
        )
    if isinstance(error, OSError) and error.strerror:
        where = f" ({error.filename})" if error.filename else ""
        return Problem(
            f"The system reported: {error.strerror}{where}.",
            "Check that the disk has room and that you may write there.",
            details,
            kind,
        )
    return Problem(
        "Something unexpected went wrong in Parallax.",
        "What is already computed is kept. Copy the details if you report this.",
        details,
        kind,
    )


def show_problem(parent: QWidget | None, problem: Problem, title: str = "Parallax") -> QMessageBox:
    """Show the problem without blocking the event loop; returns the open message box."""
    box = QMessageBox(parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setObjectName("problem")
    box.setIcon(QMessageBox.Icon.Warning)
    box.setWindowTitle(title)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(shorten(problem.summary))
    box.setInformativeText(shorten(problem.hint))
    if problem.details:
        box.setDetailedText(problem.details)
    box.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    box.setStandardButtons(QMessageBox.StandardButton.Ok)
    box.open()
    return box


def shorten(text: str, limit: int = 800) -> str:
    """Keep a message readable when a file name or a value in it is enormous: cut its middle."""
    if len(text) <= limit:
        return text
    tail = limit // 3
    return f"{text[: limit - tail - 1]}…{text[-tail:]}"
