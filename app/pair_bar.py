"""The bar that is always there: which two models, which class, which layers."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QComboBox,
    QCompleter,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from app import theme
from app.slice_bar import SliceControl
from app.widgets.eliding_combo import ElidingComboBox

ALL_CLASSES = "all classes"
_CAPTIONS_FROM = (1060, 860, 1060)  # widths from which “class”, “layers” and “and” have room


class PairBar(QWidget):
    """Shows and changes the active pair. Setters are silent; signals are the user's wishes."""

    pair_changed = Signal(object, object)  # names of A and B, None if unset
    swap_requested = Signal()
    class_changed = Signal(object)  # class or None for all
    layers_changed = Signal(object, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("pair bar")
        self.model_a = _combo("Model A, blue")
        self.model_b = _combo("Model B, vermilion")
        self.class_name = _combo("Class")
        self.layer_a = _combo("Layer of model A")
        self.layer_b = _combo("Layer of model B")
        self.slices = SliceControl()
        self._make_searchable(self.class_name)
        self.swap = QToolButton()
        self.swap.setText("⇄")
        self.swap.setAutoRaise(True)
        self.swap.setToolTip("Exchange A and B")
        self.swap.setAccessibleName("Exchange models A and B")
        self._dots = {"a": QLabel("●"), "b": QLabel("●")}
        self._captions = [QLabel(text) for text in ("A", "B", "class", "layers", "and")]
        self._build()
        for combo in (self.model_a, self.model_b):
            combo.activated.connect(self._emit_pair)
        for combo in (self.layer_a, self.layer_b):
            combo.activated.connect(self._emit_layers)
        self.class_name.activated.connect(self._emit_class)
        self.swap.clicked.connect(self.swap_requested)
        self._colour()
        theme.theme().changed.connect(self._colour)

    def _build(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.PADDING, theme.GRID // 2, theme.PADDING, theme.GRID // 2)
        row.setSpacing(theme.GRID)
        a, b, class_caption, layers, between = self._captions
        for widget, stretch in (
            (a, 0),
            (self._dots["a"], 0),
            (self.model_a, 4),
            (self.swap, 0),
            (b, 0),
            (self._dots["b"], 0),
            (self.model_b, 4),
        ):
            row.addWidget(widget, stretch)
        row.addSpacing(theme.GRID)
        for widget, stretch in (
            (class_caption, 0),
            (self.class_name, 2),
            (layers, 0),
            (self.layer_a, 3),
            (between, 0),
            (self.layer_b, 3),
        ):
            row.addWidget(widget, stretch)
        row.addSpacing(theme.GRID)
        row.addWidget(self.slices, 2)

    def _make_searchable(self, combo: QComboBox) -> None:
        combo.setEditable(True)
        combo.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        completer = QCompleter(combo.model(), combo)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
        combo.setCompleter(completer)
        edit = combo.lineEdit()
        assert edit is not None
        edit.editingFinished.connect(self._restore_class)

    # -- setters -------------------------------------------------------------------------------
    def set_models(self, names: Sequence[str]) -> None:
        for combo in (self.model_a, self.model_b):
            _fill(combo, [(name, name) for name in names], "no model")
        self.swap.setEnabled(len(names) > 0)

    def set_pair(self, model_a: str | None, model_b: str | None) -> None:
        _choose(self.model_a, model_a)
        _choose(self.model_b, model_b)

    def set_classes(self, names: Sequence[str]) -> None:
        entries: list[tuple[str, str | None]] = [(ALL_CLASSES, None)]
        _fill(self.class_name, entries + [(name, name) for name in names], "")
        self.class_name.setEnabled(bool(names))

    def set_class(self, name: str | None) -> None:
        _choose(self.class_name, name)

    def set_layers(self, layers_a: Sequence[str], layers_b: Sequence[str]) -> None:
        for combo, layers in ((self.layer_a, layers_a), (self.layer_b, layers_b)):
            _fill(combo, [(name, name) for name in layers], "no layer yet")

    def set_layer_pair(self, layer_a: str | None, layer_b: str | None) -> None:
        for combo, layer in ((self.layer_a, layer_a), (self.layer_b, layer_b)):
            if layer is not None and combo.findData(layer) < 0:
                with QSignalBlocker(combo):
                    combo.addItem(layer, layer)
                combo.setEnabled(True)
            _choose(combo, layer)

    # -- wishes --------------------------------------------------------------------------------
    @Slot()
    def _emit_pair(self) -> None:
        self.pair_changed.emit(self.model_a.currentData(), self.model_b.currentData())

    @Slot()
    def _emit_layers(self) -> None:
        self.layers_changed.emit(self.layer_a.currentData(), self.layer_b.currentData())

    @Slot()
    def _emit_class(self) -> None:
        self.class_changed.emit(self.class_name.currentData())

    @Slot()
    def _restore_class(self) -> None:
        """A class that does not exist cannot stay in the field."""
        text = self.class_name.currentText()
        index = self.class_name.findText(text, Qt.MatchFlag.MatchFixedString)
        if index >= 0 and index != self.class_name.currentIndex():
            self.class_name.setCurrentIndex(index)
            self._emit_class()
        elif index < 0:
            self.class_name.setEditText(self.class_name.itemText(self.class_name.currentIndex()))

    @Slot()
    def _colour(self) -> None:
        for side, dot in self._dots.items():
            dot.setStyleSheet(f"color: {theme.MODEL_COLOURS[side]}; font-size: 16px;")
        for caption in self._captions:
            caption.setProperty("muted", "true")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        for caption, least in zip(self._captions[2:], _CAPTIONS_FROM, strict=True):
            caption.setVisible(event.size().width() > least)
        self.slices.caption.setVisible(event.size().width() > _CAPTIONS_FROM[1])

    def minimumSizeHint(self) -> QSize:
        return QSize(360, super().minimumSizeHint().height())


def _combo(name: str) -> QComboBox:
    combo = ElidingComboBox()
    combo.setAccessibleName(name)
    combo.setToolTip(name)
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setMinimumContentsLength(6)
    combo.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    combo.setMaxVisibleItems(24)
    combo.setMaximumWidth(340)
    return combo


def _fill(combo: QComboBox, entries: Sequence[tuple[str, str | None]], empty: str) -> None:
    """Replace the entries if they differ, keeping the chosen one if it is still there."""
    present = [(combo.itemText(i), combo.itemData(i)) for i in range(combo.count())]
    wanted = list(entries) or [(empty, None)]
    if present == wanted:
        return
    chosen = combo.currentData()
    with QSignalBlocker(combo):
        combo.clear()
        for text, data in wanted:
            combo.addItem(text, data)
            combo.setItemData(combo.count() - 1, text, Qt.ItemDataRole.ToolTipRole)
    combo.setEnabled(bool(entries))
    _choose(combo, chosen)


def _choose(combo: QComboBox, data: str | None) -> None:
    with QSignalBlocker(combo):
        combo.setCurrentIndex(_index_of(combo, data))
    combo.setToolTip(f"{combo.accessibleName()}: {combo.currentText()}")


def _index_of(combo: QComboBox, data: str | None) -> int:
    for index in range(combo.count()):
        if combo.itemData(index) == data:
            return index
    return -1
