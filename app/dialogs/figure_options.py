"""How large a figure is written, and what it shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app import theme
from app.dialogs.parameter_form import ParameterForm

_SIZES = (
    ("two columns of a journal (175 mm)", 175.0),
    ("one column of a journal (85 mm)", 85.0),
    ("a slide (254 mm)", 254.0),
)
_OWN = "another width"
_NARROWEST, _WIDEST = 60.0, 600.0
_RESOLUTIONS = (50, 1200)


class FigureOptions(QWidget):
    """Width, resolution and the figure's own parameters; `changed` after every edit."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.size_choice = QComboBox()
        self.size_choice.setAccessibleName("Width of the figure")
        for text, width in _SIZES:
            self.size_choice.addItem(text, width)
        self.size_choice.addItem(_OWN, None)
        self.size_choice.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.size_choice.setMinimumContentsLength(20)
        self.width_box = QDoubleSpinBox()
        self.width_box.setAccessibleName("Width in millimetres")
        self.width_box.setRange(_NARROWEST, _WIDEST)
        self.width_box.setDecimals(0)
        self.width_box.setSuffix(" mm")
        self.width_box.setValue(_SIZES[0][1])
        self.resolution = QSpinBox()
        self.resolution.setAccessibleName("Resolution in dots an inch")
        self.resolution.setRange(*_RESOLUTIONS)
        self.resolution.setSingleStep(50)
        self.resolution.setValue(300)
        self.resolution.setSuffix(" dots an inch")
        self.parameters = ParameterForm()
        self._build()
        self._show_own_width()
        self.size_choice.currentIndexChanged.connect(self._on_size)
        self.width_box.valueChanged.connect(self.changed)
        self.parameters.changed.connect(self.changed)

    def _build(self) -> None:
        form = QFormLayout()
        form.setHorizontalSpacing(theme.PADDING)
        form.setVerticalSpacing(theme.GRID)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        width = QHBoxLayout()
        width.addWidget(self.size_choice, 1)
        width.addWidget(self.width_box)
        form.addRow("Width", width)
        form.addRow("Resolution", self.resolution)
        self.heading = QLabel("What it shows")
        theme.mute(self.heading)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(self.parameters)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.GRID)
        column.addLayout(form)
        column.addWidget(self.heading)
        column.addWidget(area, 1)

    def show_fields(self, fields: Sequence[Any], values: Mapping[str, Any]) -> None:
        """Show the parameters of another figure; `values`: as the view has them."""
        self.parameters.show_fields(fields, values)
        self.heading.setVisible(bool(fields))

    def set_sized(self, sized: bool, pixels: bool) -> None:
        """Whether the file has a size, and whether it is made of pixels."""
        self.size_choice.setEnabled(sized)
        self.width_box.setEnabled(sized)
        self.resolution.setEnabled(sized)
        self.resolution.setToolTip(
            "" if pixels else "Of the pictures inside: lines and text have no pixels in this format"
        )

    def names(self) -> tuple[str, ...]:
        """The parameters that can be chosen."""
        return self.parameters.names()

    def values(self) -> dict[str, str]:
        """Every parameter as text."""
        return self.parameters.values()

    def width_mm(self) -> float:
        """How wide the figure is to be, in millimetres."""
        chosen = self.size_choice.currentData()
        return self.width_box.value() if chosen is None else float(chosen)

    def dpi(self) -> float:
        """Dots an inch."""
        return float(self.resolution.value())

    @Slot()
    def _on_size(self) -> None:
        self._show_own_width()
        self.changed.emit()

    def _show_own_width(self) -> None:
        chosen = self.size_choice.currentData()
        self.width_box.setVisible(chosen is None)
