"""Which two models a run of semantics compared, whether they are trained, and with what."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from analysis.figures.semantics_data import SemanticsIndex
from app.labels import ElidedLabel, wrapped_label
from app.theme import GRID, font, theme
from app.views.semantics_words import left_out_line, model_word, settings_line, untrained_line
from app.widgets.marks import side_icon


class SemanticsBar(QWidget):
    """Two lines: the pair with the settings, and what has to be said of them."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.signs = tuple(QLabel() for _ in "ab")
        self.names = tuple(QLabel() for _ in "ab")
        for sign, side in zip(self.signs, "ab", strict=True):
            sign.setPixmap(side_icon(side).pixmap(12, 12))
        for name, letter in zip(self.names, "AB", strict=True):
            name.setTextFormat(Qt.TextFormat.PlainText)
            name.setFont(font("body", bold=True))
            name.setAccessibleName(f"Model {letter} of the run")
            name.setMaximumWidth(300)
        self.between = QLabel("⇄")
        self.settings = ElidedLabel()
        self.settings.setFont(font("small"))
        self.settings.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self.settings.setAccessibleName("What everything was measured with")
        self.warning = wrapped_label()
        self.warning.setFont(font("small"))
        self.warning.setAccessibleName("What has to be known of this run")
        first = QHBoxLayout()
        first.setSpacing(GRID)
        first.addWidget(self.signs[0])
        first.addWidget(self.names[0])
        first.addWidget(self.between)
        first.addWidget(self.signs[1])
        first.addWidget(self.names[1])
        first.addSpacing(GRID)
        first.addWidget(self.settings, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID // 2)
        layout.addLayout(first)
        layout.addWidget(self.warning)
        theme().changed.connect(self._restyle)
        self._restyle()
        self.show_index(None)

    def _restyle(self) -> None:
        self.warning.setStyleSheet(f"color: {theme().tokens.warning_text};")

    def show_index(self, index: SemanticsIndex | None) -> None:
        """Show another run."""
        self.setVisible(index is not None)
        if index is None:
            return
        for name, model, trained in zip(self.names, index.models, index.trained, strict=True):
            text = model_word(model, trained)
            shown = name.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, 292)
            name.setText(shown)
            name.setToolTip(text)
        self.settings.setText(settings_line(index))
        words = " ".join(part for part in (untrained_line(index), left_out_line(index)) if part)
        self.warning.setText(words)
        self.warning.setVisible(bool(words))
