"""One unit: what it may stand for, with what doubt, and the images that activate it most."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from analysis.figures.unit_data import UnitDetail, UnitPatch
from app.concept_examples import Example
from app.labels import ElidedLabel, wrapped_label
from app.theme import GRID, font, mute
from app.views.patch_dialog import ShownPatch
from app.views.unit_candidates import CandidateList
from app.views.unit_grid_delegate import masked
from app.views.unit_patch_columns import patch_columns
from app.views.unit_words import (
    DEAD,
    concept_words,
    numbers_line,
    patch_line,
    unit_name,
    unit_sentence,
)
from app.widgets.category_marks import category_icon, category_word
from app.widgets.empty_state import EmptyState
from app.widgets.image_source import ImageSource
from app.widgets.masked_grid import MaskedGrid
from app.widgets.splitter import Splitter
from app.widgets.table_twin import TableTwin

_EMPTY = "Click a unit to see what it may stand for and the images that activate it most."
_IMPORTED = "This unit comes from a table: no images of it are known."
_DEAD = "No image activates this unit."
_MARK = 14


class UnitPanel(QWidget):
    """`patch_activated(patch id, image)`, `patch_focused(patch id, image)`;
    `concept_activated(name)`: which other units know this candidate?"""

    patch_activated = Signal(int, int)
    patch_focused = Signal(int, int)
    concept_activated = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.detail: UnitDetail | None = None
        self.iou_threshold, self.quantile, self.full = 0.04, 0.01, 0.1
        self._patches: dict[object, UnitPatch] = {}
        self.mark = QLabel()
        self.mark.setFixedWidth(_MARK)
        self.name = ElidedLabel()
        self.name.setFont(font("title", bold=True))
        self.place = ElidedLabel(mode=Qt.TextElideMode.ElideMiddle)
        self.place.setFont(font("small"))
        mute(self.place)
        self.sentence = wrapped_label()
        self.numbers = ElidedLabel()
        self.numbers.setFont(font("small", tabular=True))
        self.candidates = CandidateList()
        self.grid = MaskedGrid("Images that activate the unit most")
        self.table = TableTwin("image", filters=False)
        self.table_button = QToolButton()
        self.table_button.setText("Table")
        self.table_button.setFont(font("small"))
        self.table_button.setCheckable(True)
        self.table_button.setToolTip("Show the numbers of these images as a table")
        self.no_images = wrapped_label(muted=True)
        self.no_images.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._build()
        self.grid.item_focused.connect(self._focused)
        self.grid.item_activated.connect(self._activated)
        self.candidates.concept_activated.connect(self.concept_activated)
        self.table_button.toggled.connect(self._choose_pictures)
        self.table.row_focused.connect(self._focused)
        self.table.row_activated.connect(self._activated)
        self.show_detail(None)

    def _build(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(GRID // 2)
        head.addWidget(self.mark)
        head.addWidget(self.name, 1)
        head.addWidget(self.table_button)
        self.pictures = QStackedWidget()
        self.pictures.addWidget(self.grid)
        self.pictures.addWidget(self.no_images)
        self.pictures.addWidget(self.table)
        self.splitter = Splitter(Qt.Orientation.Horizontal)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setHandleWidth(GRID)
        self.splitter.addWidget(self.candidates)
        self.splitter.addWidget(self.pictures)
        self.splitter.setStretchFactor(1, 1)
        self.splitter.setSizes([160, 480])
        self.candidates.setMinimumWidth(130)
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID // 4)
        layout.addLayout(head)
        for part in (self.place, self.sentence, self.numbers):
            layout.addWidget(part)
        layout.addWidget(self.splitter, 1)
        self.stack = QStackedWidget()
        self.stack.addWidget(EmptyState(_EMPTY))
        self.stack.addWidget(content)
        around = QVBoxLayout(self)
        around.setContentsMargins(0, 0, 0, 0)
        around.addWidget(self.stack)

    # -- setters

    def set_source(self, source: ImageSource | None) -> None:
        """Take pictures from another source."""
        self.grid.set_source(source)

    def set_mode(self, mode: str) -> None:
        """Show images with their 'mask', with a 'box', or 'plain'."""
        self.grid.set_mode(mode)

    def set_scale(self, iou_threshold: float, quantile: float, full: float) -> None:
        """The thresholds that hold, and the IoU of a full bar."""
        self.iou_threshold, self.quantile, self.full = iou_threshold, quantile, full
        self._write()

    def show_detail(self, detail: UnitDetail | None) -> None:
        """Show a unit, or ask for one."""
        self.detail = detail
        self.stack.setCurrentIndex(0 if detail is None else 1)
        patches = sorted(detail.patches, key=_rank) if detail is not None else []
        self._patches = {masked(patch).identity: patch for patch in patches}
        self.grid.show_pictures([masked(p) for p in patches], [patch_line(p) for p in patches])
        self.table.set_columns([masked(p).identity for p in patches], patch_columns(patches))
        self.table_button.setVisible(bool(patches))
        self._choose_pictures()
        self._write()

    def _choose_pictures(self) -> None:
        """The images, the same as a table, or why there are none."""
        there = self.table if self.table_button.isChecked() else self.grid
        self.pictures.setCurrentWidget(there if self._patches else self.no_images)

    def _write(self) -> None:
        detail = self.detail
        self.candidates.show_unit(detail, self.iou_threshold, self.full)
        if detail is None:
            return
        self.mark.setPixmap(
            category_icon(detail.category).pixmap(QSize(_MARK, _MARK), self.devicePixelRatioF())
        )
        self.mark.setToolTip(category_word(detail.category))
        self.name.setText(concept_words(detail.concept, detail.category))
        self.place.setText(unit_name(detail.model, detail.layer, detail.unit))
        self.sentence.setText(unit_sentence(detail, self.iou_threshold, self.quantile))
        numbers = numbers_line(detail)
        self.numbers.setText(numbers)
        self.numbers.setVisible(bool(numbers))
        self.candidates.setVisible(bool(detail.candidates))
        if detail.slice_name and detail.images_known:
            self.no_images.setText(
                f"None of the {detail.images_known} images that activate this unit most is in the"
                f" slice “{detail.slice_name}”."
            )
        else:
            self.no_images.setText(_DEAD if detail.category == DEAD else _IMPORTED)

    def selected(self) -> list[Example]:
        """The images that are selected, best first."""
        chosen = self.grid.selected()
        return [_example(self._patches[one]) for one in chosen if one in self._patches]

    # -- by hand

    def _focused(self, identity: object) -> None:
        patch = self._patches[identity]
        self.patch_focused.emit(patch.patch_id, patch.image)

    def _activated(self, identity: object) -> None:
        patch = self._patches[identity]
        self.patch_activated.emit(patch.patch_id, patch.image)


def shown_patches(detail: UnitDetail, mode: str) -> list[ShownPatch]:
    """The images of a unit as stops of the large view, best first."""
    who = unit_name(detail.model, detail.layer, detail.unit)
    what = concept_words(detail.concept, detail.category)
    stops = []
    for patch in sorted(detail.patches, key=_rank):
        mask = patch.mask if mode == "mask" else None
        outlined = mode == "box" or (mode == "mask" and mask is None)
        place = (patch.x, patch.y, patch.width, patch.height)
        box = place if outlined else None
        caption = f"{what} · {who} · {patch_line(patch)}"
        stops.append(
            ShownPatch(
                patch.patch_id, patch.image, box, caption, "#FFFFFF", mask, patch.frame, place
            )
        )
    return stops


def _example(patch: UnitPatch) -> Example:
    return Example(patch.image, (patch.x, patch.y, patch.width, patch.height))


def _rank(patch: UnitPatch) -> int:
    return patch.rank
