"""The bar that is always there: which two models, which class, which layers."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QPalette, QResizeEvent
from PySide6.QtWidgets import (
    QComboBox,
    QCompleter,
    QHBoxLayout,
    QLabel,
    QLayout,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from app import theme
from app.slice_bar import SliceControl
from app.widgets.eliding_combo import ElidingComboBox

ALL_CLASSES = "all classes"
_CHIP = 18  # pixels, of the letters A and B
_ON_CHIP = {"a": "#FFFFFF", "b": "#000000"}
_FEWEST_LETTERS = 5
_ARROW = 38  # what a choice has beside its text
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
        self.layer_a = _combo("Layer of model A", Qt.TextElideMode.ElideLeft)
        self.layer_b = _combo("Layer of model B", Qt.TextElideMode.ElideLeft)
        for combo in (self.layer_a, self.layer_b):
            combo.setPlaceholderText("no layer")
        self.slices = SliceControl()
        self._make_searchable(self.class_name)
        self.swap = QToolButton()
        self.swap.setText("⇄")
        self.swap.setAutoRaise(True)
        self.swap.setToolTip("Exchange A and B")
        self.swap.setAccessibleName("Exchange models A and B")
        self._chips = {side: QLabel(side.upper()) for side in ("a", "b")}
        self._captions = [QLabel(text) for text in ("class", "layers", "and")]
        self._with_layers = True
        self._build()
        for combo in (self.model_a, self.model_b):
            combo.activated.connect(self._emit_pair)
        for combo in (self.layer_a, self.layer_b):
            combo.activated.connect(self._emit_layers)
        self.class_name.activated.connect(self._emit_class)
        self.swap.clicked.connect(self.swap_requested)
        self._dress()

    def _build(self) -> None:
        row = self._row = QHBoxLayout(self)
        row.setContentsMargins(theme.PADDING, theme.GRID // 2, theme.PADDING, theme.GRID // 2)
        row.setSpacing(theme.GRID)
        row.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)  # names give way instead
        class_caption, layers, between = self._captions
        for widget, stretch in (
            (self._chips["a"], 0),
            (self.model_a, 4),
            (self.swap, 0),
            (self._chips["b"], 0),
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

    def show_layers(self, shown: bool) -> None:
        """Whether class and layers are chosen here, or the two models and the slice alone."""
        self._with_layers = shown
        for choice in (self.class_name, self.layer_a, self.layer_b):
            choice.setVisible(shown)
        self._make_room(self.width())

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
        for combo, name in ((self.model_a, model_a), (self.model_b, model_b)):
            _choose(combo, name)
            _keep_readable(combo, self._name_width(self.width()))

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

    def _dress(self) -> None:
        """The chips in their models' colours; the rest of the bar in the second rank."""
        for side, chip in self._chips.items():
            colours = chip.palette()
            colours.setColor(QPalette.ColorRole.Window, QColor(theme.MODEL_COLOURS[side]))
            colours.setColor(QPalette.ColorRole.WindowText, QColor(_ON_CHIP[side]))
            chip.setPalette(colours)
            chip.setAutoFillBackground(True)
            chip.setFont(theme.font("small", bold=True))
            chip.setAlignment(Qt.AlignmentFlag.AlignCenter)
            chip.setFixedSize(_CHIP, _CHIP)
        for caption in self._captions:
            caption.setFont(theme.font("small"))
            theme.mute(caption)
        self.slices.caption.setFont(theme.font("small"))
        for combo in (self.class_name, self.layer_a, self.layer_b, self.slices.choice):
            combo.setFont(theme.font("small"))
            combo.setMinimumContentsLength(_FEWEST_LETTERS)

    def _name_width(self, width: int) -> int:
        """How wide a model's name may be in a bar of this width."""
        row = self._row
        margins = row.contentsMargins()
        rest = width - margins.left() - margins.right() + row.spacing()
        for item in filter(None, map(row.itemAt, range(row.count()))):
            part = item.widget()
            if part is None:
                rest -= item.sizeHint().width() + row.spacing()
            elif part in (self.model_a, self.model_b):
                rest -= row.spacing()
            elif not part.isHidden():
                rest -= max(part.minimumSizeHint().width(), part.minimumWidth()) + row.spacing()
        return max(100, rest // 2)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._make_room(event.size().width())

    def _make_room(self, width: int) -> None:
        for caption, least in zip(self._captions, _CAPTIONS_FROM, strict=True):
            caption.setVisible(self._with_layers and width > least)
        self.slices.caption.setVisible(not self._with_layers or width > _CAPTIONS_FROM[1])
        for combo in (self.model_a, self.model_b):
            _keep_readable(combo, self._name_width(width))

    def minimumSizeHint(self) -> QSize:
        return QSize(360, super().minimumSizeHint().height())


def _combo(name: str, mode: Qt.TextElideMode = Qt.TextElideMode.ElideMiddle) -> QComboBox:
    combo = ElidingComboBox(mode)
    combo.setAccessibleName(name)
    combo.setToolTip(name)
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setMinimumContentsLength(6)
    combo.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    combo.setMaxVisibleItems(24)
    combo.setMaximumWidth(340)
    return combo


def _keep_readable(combo: QComboBox, most: int) -> None:
    """The names of the models come before all else in the bar, up to a width."""
    name = combo.fontMetrics().horizontalAdvance(combo.currentText())
    combo.setMinimumWidth(min(name + _ARROW, most))


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
