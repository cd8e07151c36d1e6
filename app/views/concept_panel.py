"""One concept: real against predicted coefficients, and its three patch sets (paper, Fig. 2)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from analysis.figures.data import ConceptDetail, ConceptPatch
from app.concept_examples import Example
from app.labels import ElidedLabel, WrappedLabel
from app.theme import GRID, PATCH_KINDS, PatchKind, font, mute
from app.views.columns import detail_columns
from app.views.concept_words import NOT_AN_ATTRIBUTION, numbers_line
from app.views.patch_dialog import ShownPatch
from app.widgets.empty_state import EmptyState
from app.widgets.figure_panel import FigurePanel
from app.widgets.image_grid import GridItem, ImageGrid
from app.widgets.image_source import ImageSource
from app.widgets.quantities import significant
from app.widgets.scatter_data import PointStyle, ScatterData
from app.widgets.scatter_plot import ScatterPlot
from app.widgets.splitter import Splitter
from app.widgets.table_twin import TableTwin
from app.words import concept_title, similarity_sentence

_EMPTY = "Click a concept to see where the other model predicts it well, too high and too low."
_ORDER = ("top", "over", "under")
_STYLES = (
    PointStyle("o", "muted", 5.0),
    *(PointStyle(PATCH_KINDS[k].symbol, PATCH_KINDS[k].colour, 10.0) for k in _ORDER),
)


class PatchSet(QWidget):
    """One of the three patch grids, under its sign, its word and its count."""

    def __init__(self, kind: PatchKind, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.kind = kind
        self.grid = ImageGrid(f"{kind.word} patches", fit=True)
        sign = QLabel(kind.sign)
        sign.setFont(font("small", bold=True))
        sign.setAlignment(Qt.AlignmentFlag.AlignCenter)
        sign.setFixedWidth(22)
        sign.setStyleSheet(f"background: {kind.colour}; color: #000000; border-radius: 3px;")
        self.word = QLabel(kind.word)
        self.word.setFont(font("body", bold=True))
        self.count = ElidedLabel()
        self.count.setFont(font("small"))
        self.count.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        head = QHBoxLayout()
        head.setSpacing(GRID // 2)
        head.addWidget(sign)
        head.addWidget(self.word)
        head.addWidget(self.count, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID // 4)
        layout.addLayout(head)
        layout.addWidget(self.grid, 1)
        self.setMinimumHeight(84)

    def show_patches(self, patches: Sequence[ConceptPatch]) -> None:
        """Show patches, best first."""
        ranked = sorted(patches, key=_rank)
        self.grid.set_items(
            GridItem(p.patch_id, p.image, box_of(p), caption(p), self.kind.colour) for p in ranked
        )
        found = f"{len(ranked)} · {self.kind.meaning}" if ranked else "none was found"
        self.count.setText(found)


class ConceptPanel(QWidget):
    """Intents: `patch_activated(patch_id, image)`, −1 for a patch that is in no set;
    `patch_hovered(patch_id or None)`; `patch_focused(patch_id, image)`."""

    patch_activated = Signal(int, int)
    patch_focused = Signal(int, int)
    patch_hovered = Signal(object)
    export_requested = Signal(str, str)
    action_requested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.detail: ConceptDetail | None = None
        self._patches: dict[int, ConceptPatch] = {}
        self._patch_of_point: dict[int, int] = {}
        self._point_of_patch: dict[int, int] = {}
        self.name = WrappedLabel()
        self.name.setFont(font("title", bold=True))
        self.sentence = WrappedLabel()
        self.numbers = WrappedLabel()
        self.numbers.setFont(font("small"))
        mute(self.numbers)
        self.caution = WrappedLabel(NOT_AN_ATTRIBUTION)
        self.caution.setFont(font("small"))
        mute(self.caution)
        for label in (self.name, self.sentence, self.numbers, self.caution):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
            label.setMinimumWidth(40)
        self.scatter = ScatterPlot("Real and predicted coefficients")
        self.table = TableTwin("patch", "patches")
        self.panel = FigurePanel(
            "concept", "Real and predicted", self.scatter, self.table, EmptyState(_EMPTY)
        )
        self.sets = {key: PatchSet(PATCH_KINDS[key]) for key in _ORDER}
        self._build()
        self._connect()
        self.show_detail(None)

    def _build(self) -> None:
        self.splitter = Splitter(Qt.Orientation.Vertical)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(self.panel)
        self.grids = QWidget()
        below = QVBoxLayout(self.grids)
        below.setContentsMargins(0, 0, 0, 0)
        below.setSpacing(GRID // 2)
        for patch_set in self.sets.values():
            below.addWidget(patch_set, 1)
        below.addWidget(self.caution)
        self.splitter.addWidget(self.grids)
        self.splitter.setStretchFactor(0, 2)
        self.splitter.setStretchFactor(1, 3)
        self.splitter.setSizes([270, 410])  # the patches are the heart
        self.panel.setMinimumHeight(190)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID // 2)
        for label in (self.name, self.sentence, self.numbers):
            layout.addWidget(label)
        layout.addWidget(self.splitter, 1)

    def _connect(self) -> None:
        self.scatter.show_identity_line()
        self.scatter.point_focused.connect(self._point_focused)
        self.scatter.point_activated.connect(self._point_activated)
        self.scatter.point_hovered.connect(self._point_hovered)
        self.table.row_focused.connect(self._point_focused)
        self.table.row_activated.connect(self._point_activated)
        self.panel.export_requested.connect(self.export_requested)
        self.panel.action.connect(self.action_requested)
        for patch_set in self.sets.values():
            patch_set.grid.item_focused.connect(self._patch_focused)
            patch_set.grid.item_activated.connect(self._patch_activated)
            patch_set.grid.item_hovered.connect(self._patch_hovered)

    # -- setters

    def set_source(self, source: ImageSource | None) -> None:
        """Take pictures from another source."""
        for patch_set in self.sets.values():
            patch_set.grid.set_source(source)

    def show_detail(self, detail: ConceptDetail | None) -> None:
        """Show a concept, or the empty view."""
        self.detail = detail
        there = detail is not None
        for part in (self.name, self.sentence, self.numbers, self.grids):
            part.setVisible(there)
        self.panel.show_content(detail is not None and len(detail.real) > 0)
        sets = _sets(detail)
        self._patches = {p.patch_id: p for patches in sets.values() for p in patches}
        for key, patch_set in self.sets.items():
            patch_set.show_patches(sets[key])
        if detail is None:
            self.scatter.set_data(None)
            self.table.set_columns([], [])
            return
        self.name.setText(concept_title(detail))
        self.sentence.setText(similarity_sentence(detail))
        self.numbers.setText(numbers_line(detail))
        self._show_points(detail, sets)

    def set_focused_patch(self, patch_id: int | None) -> None:
        """Put the focus on a patch without telling anyone."""
        for patch_set in self.sets.values():
            patch_set.grid.set_focus(patch_id)
        point = None if patch_id is None else self._point_of_patch.get(patch_id)
        self.scatter.set_focus(point)
        self.table.set_focus(point)

    def set_hovered_patch(self, patch_id: int | None) -> None:
        """Ring the patch that is hovered elsewhere."""
        self.scatter.set_hover(None if patch_id is None else self._point_of_patch.get(patch_id))

    def selected(self) -> list[Example]:
        """The patches that are selected, in the order of the sets."""
        chosen = [one for patch_set in self.sets.values() for one in patch_set.grid.selected()]
        patches = [self._patches[one] for one in chosen if one in self._patches]  # type: ignore[index]
        return [Example(patch.image, box_of(patch)) for patch in patches]

    def has_patch(self, patch_id: int) -> bool:
        """Whether a patch is in one of the sets; one of a slice may have a negative id."""
        return patch_id in self._patches

    def shown_patches(self, patch_id: int) -> tuple[list[ShownPatch], int]:
        """The stops of the large view for the set of a patch, and where the patch is in it."""
        chosen = self._patches[patch_id]
        patches = sorted((p for p in self._patches.values() if p.kind == chosen.kind), key=_rank)
        colour = PATCH_KINDS[chosen.kind].colour
        stops = [ShownPatch(p.patch_id, p.image, box_of(p), caption(p), colour) for p in patches]
        return stops, patches.index(chosen)

    def _show_points(
        self, detail: ConceptDetail, sets: dict[str, tuple[ConceptPatch, ...]]
    ) -> None:
        count = len(detail.real)
        group = np.zeros(count, dtype=int)
        kinds = np.full(count, "", dtype=object)
        place_of = {
            (int(image), *map(int, box)): i
            for i, (image, box) in enumerate(
                zip(detail.image.tolist(), detail.box.tolist(), strict=True)
            )
        }
        self._patch_of_point, self._point_of_patch = {}, {}
        for number, key in enumerate(_ORDER, start=1):
            for patch in sets[key]:
                place = place_of.get((patch.image, *box_of(patch)))
                if place is not None:
                    group[place], kinds[place] = number, PATCH_KINDS[key].word
                    self._patch_of_point[place] = patch.patch_id
                    self._point_of_patch[patch.patch_id] = place
        places = np.arange(count)
        self.table.set_columns(places.tolist(), detail_columns(detail, kinds))
        self.scatter.set_data(
            ScatterData(
                ids=places,
                x=np.asarray(detail.real, float),
                y=np.asarray(detail.predicted, float),
                x_title="real coefficient",
                y_title="predicted coefficient",
                group=group,
                styles=_STYLES,
                always=(1, 2, 3),
                describe=self._describe,
            )
        )
        self.panel.set_note(
            f"{count:,} held-out patches, drawn as their density" if self.scatter.is_density else ""
        )

    def _describe(self, point: int) -> str:
        detail = self.detail
        if detail is None or not 0 <= point < len(detail.real):
            return ""
        patch = self._patches.get(self._patch_of_point.get(point, -1))
        if patch is not None:
            return caption(patch)
        real, predicted = float(detail.real[point]), float(detail.predicted[point])
        numbers = f"real {significant(real, 3)}, predicted {significant(predicted, 3)}"
        return f"Image {int(detail.image[point])}: {numbers}"

    # -- by hand

    def _point_focused(self, point: int | None) -> None:
        if point is None or self.detail is None:
            return
        patch_id = self._patch_of_point.get(point, -1)
        self.scatter.set_focus(point)
        self.table.set_focus(point)
        for patch_set in self.sets.values():
            patch_set.grid.set_focus(None if patch_id == -1 else patch_id)
        self.patch_focused.emit(patch_id, int(self.detail.image[point]))

    def _point_activated(self, point: int | None) -> None:
        if point is not None and self.detail is not None:
            patch_id = self._patch_of_point.get(point, -1)
            self.patch_activated.emit(patch_id, int(self.detail.image[point]))

    def _point_hovered(self, point: int | None) -> None:
        patch_id = None if point is None else self._patch_of_point.get(point)
        self.patch_hovered.emit(patch_id)

    def _patch_focused(self, patch_id: int) -> None:
        self.set_focused_patch(patch_id)
        self.patch_focused.emit(patch_id, self._patches[patch_id].image)

    def _patch_activated(self, patch_id: int) -> None:
        self.patch_activated.emit(patch_id, self._patches[patch_id].image)

    def _patch_hovered(self, patch_id: int | None) -> None:
        self.set_hovered_patch(patch_id)
        self.patch_hovered.emit(patch_id)


def box_of(patch: ConceptPatch) -> tuple[int, int, int, int]:
    """The patch's box in pixels of the upright original."""
    return patch.x, patch.y, patch.width, patch.height


def caption(patch: ConceptPatch) -> str:
    """The hover line of a patch."""
    kind = PATCH_KINDS[patch.kind]
    return (
        f"{kind.sign} {kind.word} {patch.rank + 1} · image {patch.image}: "
        f"coefficient {significant(patch.coefficient, 3)}, "
        f"predicted {significant(patch.predicted, 3)}"
    )


def _rank(patch: ConceptPatch) -> int:
    return patch.rank


def _sets(detail: ConceptDetail | None) -> dict[str, tuple[ConceptPatch, ...]]:
    if detail is None:
        return {"top": (), "over": (), "under": ()}
    return {"top": detail.top, "over": detail.over, "under": detail.under}
