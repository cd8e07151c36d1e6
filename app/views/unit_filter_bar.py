"""What units are shown: search, categories, threshold. Every change counts again at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from analysis.figures.words import NOT_COUNTED, count, number
from app.labels import ElidedLabel
from app.theme import GRID, font
from app.views.unit_index import NO_CATEGORY, UnitFilters
from app.widgets.category_marks import category_icon, category_word
from app.widgets.flow_layout import FlowLayout
from app.widgets.tick_box import TickBox

_ORDER = ("object", "part", "material", "color", "colour", "texture", "scene", "class")
_STEPS = 1000  # slider steps of an IoU of 1


class CategoryChip(QToolButton):
    """Shows units of one category only while it is down; several may be."""

    def __init__(self, category: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.category = category
        self.setObjectName(f"category {category}")
        self.setCheckable(True)
        self.setIcon(category_icon(category))
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setFont(font("small"))

    def show_count(self, amount: int) -> None:
        """Write how many units there are."""
        word = category_word(self.category)
        self.setText(f"{word} {amount:,}")
        counted = self.category not in (*NOT_COUNTED, NO_CATEGORY)
        units = count(amount, "interpretable unit" if counted else "unit")
        self.setAccessibleName(f"Only {word}: {units}")
        self.setToolTip(f"{units}; press to see only {word}")


class UnitFilterBar(QWidget):
    """Setters are silent. `changed`: the filters are others; `threshold_changed(IoU)`;
    `search_changed(words)` as typed; `compare_requested`: the button for two selected models."""

    changed = Signal()
    threshold_changed = Signal(float)
    search_changed = Signal(str)
    compare_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._models: tuple[str, ...] = ()
        self._own_threshold = self._threshold = 0.04
        self.chips: dict[str, CategoryChip] = {}
        self._make_search()
        self._make_threshold()
        self._make_boxes()
        self.compare = QPushButton("Show their concept comparison")
        self.compare.setFont(font("small"))
        self.compare.hide()
        self.compare.clicked.connect(self.compare_requested)
        first = QHBoxLayout()
        first.setSpacing(GRID)
        first.addWidget(self.search)
        first.addWidget(self.found, 1)
        first.addWidget(self.compare)
        self._chip_flow = FlowLayout(spacing=GRID // 2)
        self._own_parts = (self.level, self.interpretable_only, self.selected_only)
        for part in self._own_parts:
            self._chip_flow.addWidget(part)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID // 2)
        layout.addLayout(first)
        layout.addLayout(self._chip_flow)

    def _make_search(self) -> None:
        self.search = QLineEdit()
        self.search.setPlaceholderText("Which units know … (wheel)")
        self.search.setClearButtonEnabled(True)
        self.search.setAccessibleName("Search units by their concept")
        self.search.setFixedWidth(220)
        self.search.textChanged.connect(self._typed)
        self.found = ElidedLabel()
        self.found.setAccessibleName("What was found")

    def _make_threshold(self) -> None:
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName("IoU threshold, in thousandths")
        self.slider.setFixedWidth(150)
        self.slider.setRange(0, _STEPS // 2)
        self.slider.setPageStep(10)
        self.slider.valueChanged.connect(self._slid)
        self.threshold = QDoubleSpinBox()
        self.threshold.setAccessibleName("IoU threshold")
        self.threshold.setToolTip("Units count as interpretable strictly above this IoU")
        self.threshold.setDecimals(3)
        self.threshold.setSingleStep(0.005)
        self.threshold.setRange(0.0, 1.0)
        self.threshold.setFont(font("small", tabular=True))
        self.threshold.valueChanged.connect(self._typed_threshold)
        self.back = QToolButton()
        self.back.setText("↺")
        self.back.setFont(font("small"))
        self.back.clicked.connect(self._to_own_threshold)
        label = QLabel("IoU above")
        label.setFont(font("small"))
        label.setBuddy(self.threshold)
        self.counts = QLabel()
        self.counts.setFont(font("small", tabular=True))
        self.counts.setAccessibleName("Interpretable units")
        self.level = QWidget()
        line = QHBoxLayout(self.level)
        line.setContentsMargins(0, 0, GRID, 0)
        line.setSpacing(GRID // 2)
        for part in (label, self.slider, self.threshold, self.back, self.counts):
            line.addWidget(part)

    def _make_boxes(self) -> None:
        self.interpretable_only = TickBox("interpretable only")
        self.interpretable_only.setToolTip(
            "Hide units below the threshold or no better than chance"
        )
        self.selected_only = TickBox("selected models only")
        self.selected_only.setToolTip(
            "Once models are selected, here or elsewhere, hide the others"
        )
        self.selected_only.setChecked(True)
        self.selected_only.hide()  # until there are some
        for box in (self.interpretable_only, self.selected_only):
            box.setFont(font("small"))
            box.toggled.connect(self.changed)

    # -- what is asked for

    def filters(self) -> UnitFilters:
        """The filters as they stand."""
        return UnitFilters(
            words=self.search.text().strip(),
            categories=frozenset(c for c, chip in self.chips.items() if chip.isChecked()),
            models=frozenset(self._models if self.selected_only.isChecked() else ()),
            interpretable_only=self.interpretable_only.isChecked(),
        )

    def iou_threshold(self) -> float:
        """The IoU above which units count."""
        return self._threshold

    # -- setters

    def set_categories(self, categories: Sequence[str]) -> None:
        """Offer other categories; those that are still there stay pressed."""
        if set(categories) == set(self.chips):
            return
        pressed = {c for c, chip in self.chips.items() if chip.isChecked()}
        for old in self.chips.values():
            self._chip_flow.removeWidget(old)
            old.deleteLater()
        self.chips = {}
        for part in self._own_parts:
            self._chip_flow.removeWidget(part)
        for category in sorted(categories, key=_place):
            chip = CategoryChip(category, self)
            chip.setChecked(category in pressed)
            chip.toggled.connect(self.changed)
            self.chips[category] = chip
            self._chip_flow.addWidget(chip)
        for part in self._own_parts:
            self._chip_flow.addWidget(part)
        self._order_tabs()

    def _order_tabs(self) -> None:
        parts = [self.search, *self.chips.values(), self.slider, self.threshold, self.back]
        parts += [self.interpretable_only, self.selected_only, self.compare]
        for before, after in pairwise(parts):
            QWidget.setTabOrder(before, after)

    def set_own_threshold(self, value: float, highest: float, keep: bool = False) -> None:
        """The run's own threshold, and the highest IoU that the slider has to reach.

        :param keep: leave the threshold where it has been moved to.
        """
        self._own_threshold = value
        self.slider.blockSignals(True)
        self.slider.setMaximum(max(100, round(highest * _STEPS)))
        self.slider.blockSignals(False)
        self.back.setToolTip(f"Back to the threshold of the run, {number(value, 3)}")
        self.back.setAccessibleName(self.back.toolTip())
        self.set_threshold(self._threshold if keep else value)

    def set_threshold(self, value: float) -> None:
        """Move the threshold without telling anyone."""
        self._threshold = value  # the box rounds it
        for part, at in ((self.threshold, value), (self.slider, round(value * _STEPS))):
            part.blockSignals(True)
            part.setValue(at)  # type: ignore[arg-type]
            part.blockSignals(False)
        self.back.setEnabled(value != self._own_threshold)

    def set_search(self, words: str) -> None:
        """Search for something else without telling anyone."""
        self.search.blockSignals(True)
        self.search.setText(words)
        self.search.blockSignals(False)

    def clear(self) -> None:
        """Show every unit, without telling anyone."""
        self.set_search("")
        for part in (*self.chips.values(), self.interpretable_only, self.selected_only):
            part.blockSignals(True)
            part.setChecked(False)
            part.blockSignals(False)

    def set_models(self, models: tuple[str, ...]) -> None:
        """The models that are selected."""
        self._models = models
        self.selected_only.setVisible(bool(models))
        self.compare.setVisible(len(models) == 2)
        if len(models) == 2:
            both = f"Compare the concepts of {models[0]} and {models[1]}"
            self.compare.setToolTip(both)
            self.compare.setAccessibleName(both)

    def show_counts(self, by_category: Mapping[str, int], line: str) -> None:
        """Write the amounts that hold now."""
        for category, chip in self.chips.items():
            chip.show_count(by_category.get(category, 0))
        if line != self.counts.text():
            self.counts.setText(line)
            self.counts.updateGeometry()

    def show_found(self, line: str) -> None:
        """Write who knows what was searched for."""
        self.found.setText(line)

    # -- by hand

    def _typed(self, words: str) -> None:
        self.changed.emit()
        self.search_changed.emit(words.strip())

    def _slid(self, step: int) -> None:
        self._take(step / _STEPS)

    def _typed_threshold(self, value: float) -> None:
        self._take(value)

    def _to_own_threshold(self) -> None:
        self._take(self._own_threshold)

    def _take(self, value: float) -> None:
        self.set_threshold(value)
        self.threshold_changed.emit(value)


def _place(category: str) -> tuple[int, str]:
    if category in NOT_COUNTED:
        return len(_ORDER) + 2 + NOT_COUNTED.index(category), category
    if category == NO_CATEGORY:
        return len(_ORDER) + 1, category
    return (_ORDER.index(category) if category in _ORDER else len(_ORDER)), category
