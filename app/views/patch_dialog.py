"""Large view of a patch: the whole image with the patch outlined, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from app.concept_examples import Example, walked_choices
from app.theme import GRID, PADDING, font, mute
from app.views.away_bar import AwayBar
from app.views.image_canvas import ImageCanvas
from app.widgets.image_source import Box, ImageSource


@dataclass(frozen=True)
class ShownPatch:
    """One stop of the large view: `identity` is the patch's id in the project, −1 without one.

    `mask`, (side, side) bool over the square `frame` of the image, dims what lies outside of it.
    `place`: the patch's box where another one, or none, is outlined.
    """

    identity: int
    image: int
    box: Box | None
    caption: str
    colour: str
    mask: np.ndarray | None = None
    frame: Box | None = None
    place: Box | None = None


class PatchDialog(QDialog):
    """Walks with ← and →, zooms with + and −, 0 fits, Esc closes. Never blocks the window."""

    patch_shown = Signal(int, int)  # patch id (−1 without one), image id
    saliency_requested = Signal(int)  # image id: where do the models look in it?
    action_requested = Signal(str)  # "relocate": the original is not at hand
    concept_requested = Signal(object)  # tuple of ExampleChoice: the patch shown, and its row

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("patch dialog")
        self.setWindowTitle("Patch")
        self.patches: tuple[ShownPatch, ...] = ()
        self.at = 0
        self._source: ImageSource | None = None
        self.canvas = ImageCanvas()
        self.caption = QLabel()
        self.caption.setWordWrap(True)
        self.caption.setTextFormat(Qt.TextFormat.PlainText)
        self.caption.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.caption.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.place = QLabel()
        self.place.setFont(font("small", tabular=True))
        mute(self.place)
        self._build()
        self.resize(self.sizeHint())

    def _build(self) -> None:
        words = QHBoxLayout()
        words.setSpacing(GRID)
        words.addWidget(self.caption, 1)
        words.addWidget(self.place)
        row = QHBoxLayout()
        row.setSpacing(GRID // 2)
        self.away = AwayBar()
        self.away.relocate.clicked.connect(self._relocate)
        self.look = QToolButton()
        self.look.setText("Where do the models look?")
        self.look.setToolTip("Show the maps of this image; without any, explain it at once")
        self.look.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.look.clicked.connect(self._look)
        self.save = QToolButton()
        self.save.setText("Save as concept…")
        self.save.setToolTip("Make this patch, or its whole row, a concept or add it to one")
        self.save.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.save.clicked.connect(self._save)
        row.addWidget(self.look)
        row.addWidget(self.save)
        row.addStretch(1)
        for text, name, slot in (
            ("−", "Zoom out", self._zoom_out),
            ("⤢", "Fit the whole image", self.canvas.fit),
            ("+", "Zoom in", self._zoom_in),
            ("←", "Previous patch", self.previous),
            ("→", "Next patch", self.next),
        ):
            button = QToolButton()
            button.setText(text)
            button.setToolTip(name)
            button.setAccessibleName(name)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.clicked.connect(slot)
            row.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(PADDING, PADDING, PADDING, PADDING)
        layout.setSpacing(GRID)
        layout.addWidget(self.canvas, 1)
        layout.addWidget(self.away)
        layout.addLayout(words)
        layout.addLayout(row)

    def sizeHint(self) -> QSize:
        return QSize(720, 620)

    def set_source(self, source: ImageSource | None) -> None:
        """Take pictures from another source."""
        self.canvas.set_source(source)
        self._source = source

    def show_patches(self, patches: Sequence[ShownPatch], at: int = 0) -> None:
        """Show a row of patches, starting at one of them."""
        self.patches = tuple(patches)
        self._go(at)

    def next(self) -> None:
        """The next patch; stops at the last."""
        self._go(self.at + 1)

    def previous(self) -> None:
        """The patch before; stops at the first."""
        self._go(self.at - 1)

    def _go(self, at: int) -> None:
        if not self.patches:
            return
        self.at = min(max(at, 0), len(self.patches) - 1)
        patch = self.patches[self.at]
        path = self._source.path(patch.image) if self._source is not None else None
        self.away.setVisible(path is None and self._source is not None)
        self.canvas.show_image(patch.image, patch.box, patch.colour)
        self.canvas.show_mask(patch.mask, patch.frame)
        self.canvas.setAccessibleName(f"Image with the patch outlined: {patch.caption}")
        self.caption.setText(patch.caption)
        self.caption.setToolTip(str(path) if path is not None else "")
        self.place.setText(f"{self.at + 1} of {len(self.patches)}")
        self.setWindowTitle(path.name if path is not None else f"Image {patch.image}")
        self.patch_shown.emit(patch.identity, patch.image)

    def _look(self) -> None:
        """The maps are in the window behind: make room for it."""
        if self.patches:
            self.close()
            self.saliency_requested.emit(self.patches[self.at].image)

    def _relocate(self) -> None:
        """The places are listed in the window behind."""
        self.close()
        self.action_requested.emit("relocate")

    def _save(self) -> None:
        """Name the concept in the window behind."""
        if self.patches:
            self.close()
            examples = [Example(patch.image, patch.place or patch.box) for patch in self.patches]
            self.concept_requested.emit(walked_choices(examples, self.at))

    def _zoom_in(self) -> None:
        self.canvas.zoom_by(1.5)

    def _zoom_out(self) -> None:
        self.canvas.zoom_by(1 / 1.5)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys = Qt.Key
        steps = {
            keys.Key_Right: self.next,
            keys.Key_Down: self.next,
            keys.Key_Left: self.previous,
            keys.Key_Up: self.previous,
            keys.Key_Plus: self._zoom_in,
            keys.Key_Equal: self._zoom_in,
            keys.Key_Minus: self._zoom_out,
            keys.Key_0: self.canvas.fit,
            keys.Key_Space: self.close,
        }
        step = steps.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
        else:
            step()
