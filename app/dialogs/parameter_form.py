"""A form made from an audit's parameters: one field each, with its help."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QCompleter,
    QFormLayout,
    QLabel,
    QLineEdit,
    QSpinBox,
    QWidget,
)

from app import theme
from app.project_index import as_text
from app.widgets.tick_box import TickBox

_LARGEST_SPIN = 2**31 - 1
_TITLES = {
    "layer_a": "layer of A",
    "layer_b": "layer of B",
    "iou_threshold": "IoU threshold",
}
_MEASURES = frozenset({"mmcs", "cka", "rsa", "sfss", "ucs", "cmcs"})
_LAYER_FIELDS = frozenset({"layer_a", "layer_b", "layer"})


class ParameterForm(QWidget):
    """Fields by parameter name; `changed` after every edit."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._form = QFormLayout(self)
        self._form.setContentsMargins(0, 0, 0, 0)
        self._form.setHorizontalSpacing(theme.PADDING)
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        self._fields: dict[str, QWidget] = {}
        self._wheel = _WheelGuard(self)

    def show_fields(self, fields: Sequence[Any], values: Mapping[str, Any]) -> None:
        """Make the form anew; `values` replace defaults where they are given."""
        while self._form.rowCount():
            self._form.removeRow(0)
        self._fields.clear()
        for field in fields:
            widget = self._make(field)
            widget.installEventFilter(self._wheel)
            title = _title(field.name)
            widget.setAccessibleName(title)
            label = QLabel(title)
            for each in (widget, label):
                each.setToolTip(f"<p>{field.help}</p>")
            self._fields[field.name] = widget
            self._form.addRow(label, widget)
            self.set_value(field.name, as_text(values.get(field.name, field.default)))
            self._watch(widget)

    def set_layers(self, layers: Mapping[str, Sequence[str]]) -> None:
        """The layers that the fields `layer_a`, `layer_b` and `layer` offer, by field."""
        for name, offered in layers.items():
            combo = self._fields.get(name)
            if isinstance(combo, QComboBox):
                text = combo.currentText()
                combo.blockSignals(True)
                combo.clear()
                combo.addItems(list(offered))
                combo.setEditText(text)
                combo.blockSignals(False)

    def values(self) -> dict[str, str]:
        """Every value as text."""
        return {name: _value(widget) for name, widget in self._fields.items()}

    def set_value(self, name: str, text: str) -> None:
        _set_value(self._fields[name], text)

    def field(self, name: str) -> QWidget:
        return self._fields[name]

    def names(self) -> tuple[str, ...]:
        return tuple(self._fields)

    def _make(self, field: Any) -> QWidget:
        if field.kind == "choice":
            combo = QComboBox()
            for choice in field.choices:
                combo.addItem(_choice_words(choice), choice)
            return combo
        if field.kind == "boolean":
            return TickBox()
        if field.kind == "integer" and _fits_spin(field):
            spin = QSpinBox()
            low = -_LARGEST_SPIN if field.minimum is None else int(field.minimum)
            high = _LARGEST_SPIN if field.maximum is None else int(field.maximum)
            spin.setRange(low, high)
            spin.setGroupSeparatorShown(True)
            return spin
        if field.name in _LAYER_FIELDS:
            combo = QComboBox()
            edit = QLineEdit()
            edit.setMaxLength(1000)
            combo.setEditable(True)
            combo.setLineEdit(edit)
            combo.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
            completer = QCompleter(combo.model(), combo)
            completer.setFilterMode(Qt.MatchFlag.MatchContains)
            combo.setCompleter(completer)
            return combo
        edit = QLineEdit()
        edit.setMaxLength(1000 if field.kind == "text" else 40)
        edit.setPlaceholderText(meaning_of_empty(field.help) if field.kind == "text" else "")
        return edit

    def _watch(self, widget: QWidget) -> None:
        if isinstance(widget, QComboBox):
            widget.currentTextChanged.connect(self.changed)
        elif isinstance(widget, QCheckBox):
            widget.toggled.connect(self.changed)
        elif isinstance(widget, QSpinBox):
            widget.valueChanged.connect(self.changed)
        elif isinstance(widget, QLineEdit):
            widget.textChanged.connect(self.changed)


def _title(name: str) -> str:
    """A parameter's name as it stands before its field."""
    words = _TITLES.get(name, name.replace("_", " "))
    return words[:1].upper() + words[1:]


def _choice_words(choice: str) -> str:
    """One of a parameter's choices, without underscores; short names of measures in capitals."""
    if "_" not in choice:
        return choice
    return " ".join(w.upper() if w in _MEASURES else w for w in choice.split("_"))


def meaning_of_empty(help_text: str) -> str:
    """What a parameter's help says about leaving it empty; an empty text if it does not."""
    found = re.search(r"\bempty(?::| means) ([^;]+)", help_text)
    return found[1].strip() if found else ""


class _WheelGuard(QObject):
    """Scrolling through the form must not change the values under the pointer."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if (
            event.type() == QEvent.Type.Wheel
            and isinstance(watched, QWidget)
            and not watched.hasFocus()
        ):
            event.ignore()
            return True
        return super().eventFilter(watched, event)


def _fits_spin(field: Any) -> bool:
    limits = [limit for limit in (field.minimum, field.maximum) if limit is not None]
    return all(abs(limit) <= _LARGEST_SPIN for limit in limits)


def _value(widget: QWidget) -> str:
    if isinstance(widget, QComboBox):
        chosen = None if widget.isEditable() else widget.currentData()
        return widget.currentText().strip() if chosen is None else str(chosen)
    if isinstance(widget, QCheckBox):
        return as_text(widget.isChecked())
    if isinstance(widget, QSpinBox):
        return str(widget.value())
    return widget.text().strip() if isinstance(widget, QLineEdit) else ""


def _set_value(widget: QWidget, text: str) -> None:
    if isinstance(widget, QComboBox):
        if widget.isEditable():
            widget.setEditText(text)
        else:
            widget.setCurrentIndex(max(0, widget.findData(text)))
    elif isinstance(widget, QCheckBox):
        widget.setChecked(text.lower() in ("true", "yes", "1"))
    elif isinstance(widget, QSpinBox):
        try:
            widget.setValue(int(text))
        except (ValueError, OverflowError):
            widget.setValue(widget.minimum())
    elif isinstance(widget, QLineEdit):
        widget.setText(text)
