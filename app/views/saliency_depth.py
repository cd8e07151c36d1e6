"""Raw attention through the depth of a transformer: a slider over layers, a strip of its heads."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QSlider,
    QToolButton,
    QWidget,
)

from analysis.figures.saliency_data import AttentionDepth
from app.labels import ElidedLabel
from app.theme import PADDING, font
from app.views.map_peaks import head_columns, head_ids
from app.views.saliency_words import depth_line
from app.widgets.empty_state import EmptyState
from app.widgets.figure_panel import FigurePanel
from app.widgets.heat_canvas import HeatCanvas
from app.widgets.heat_grid import HeatGrid
from app.widgets.heat_pictures import HeatLook, HeatPicture
from app.widgets.image_source import ImageSource
from app.widgets.splitter import Splitter
from app.widgets.table_twin import TableTwin

_EMPTY = "Where each head of each layer of a transformer looks, for the image in focus."
_NO_MODEL = (
    "No model of this run keeps its attention: run saliency on a transformer with “depth” on."
)
_NO_IMAGE = "The attention of this image is being read, or was not kept."


class SaliencyDepthPanel(FigurePanel):
    """`model_chosen(name)` by hand."""

    model_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.heads = HeatGrid("Heads of the layer", largest=160)
        self.canvas = HeatCanvas("Attention of one head")
        self.splitter = Splitter(Qt.Orientation.Horizontal)
        self.splitter.addWidget(self.heads)
        self.splitter.addWidget(self.canvas)
        self.splitter.setSizes([560, 300])
        self.splitter.setHandleWidth(PADDING)
        self.splitter.setChildrenCollapsible(False)
        super().__init__(
            "attention-depth",
            "Attention by depth",
            self.splitter,
            TableTwin("head"),
            EmptyState(_EMPTY),
            parent,
        )
        self.title.hide()  # the tab says it
        self.shown: AttentionDepth | None = None
        self._model = ""
        self._layer = 0
        self._head = 0
        self._make_controls()
        self.heads.item_focused.connect(self._take_head)
        self.heads.item_activated.connect(self._take_head)
        self.slider.valueChanged.connect(self._slid)
        assert self.table is not None
        self.table.row_focused.connect(self._take_row)

    def _make_controls(self) -> None:
        self.model = QComboBox()
        self.model.setAccessibleName("Transformer whose attention is shown")
        self.model.setFont(font("small"))
        self.model.activated.connect(self._choose_model)
        self.slider.setAccessibleName("Layer, from the first to the last")
        self.slider.setPageStep(3)
        self.slider.setFixedWidth(180)
        self.slider.setTickPosition(QSlider.TickPosition.TicksBelow)
        self.shallower = self._tool("‹", "Layer before")
        self.shallower.clicked.connect(self._go_up)
        self.deeper = self._tool("›", "Next layer")
        self.deeper.clicked.connect(self._go_down)
        self.layer = ElidedLabel()
        self.layer.setFont(font("small"))
        self.layer.setMinimumWidth(160)
        self.layer.setAccessibleName("Layer shown")
        for part in (self.model, self.shallower, self.slider, self.deeper):
            self.controls.addWidget(part)
        self.controls.addWidget(self.layer, 1)

    def _tool(self, text: str, name: str) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setFont(font("small"))
        button.setAccessibleName(name)
        button.setToolTip(name)
        return button

    # -- setters

    def set_source(self, source: ImageSource | None) -> None:
        """Take pictures from another source."""
        self.heads.set_source(source)
        self.canvas.set_source(source)

    def set_look(self, look: HeatLook) -> None:
        """Lay the maps over the pictures in another way."""
        self.heads.set_look(look)
        self.canvas.set_look(look)

    def set_models(self, models: tuple[str, ...], model: str) -> None:
        """The models that can be shown, and the one that is."""
        self.model.clear()
        self.model.addItems(models)
        self.model.setCurrentIndex(models.index(model) if model in models else -1)
        self.model.setVisible(len(models) > 1)
        if not models:
            self.empty.set_text(_NO_MODEL)
            self.show_depth(None)

    def show_depth(self, depth: AttentionDepth | None) -> None:
        """Show the attention of an image in a model; layer and head stay where they are."""
        before = self.shown
        self.shown = depth
        there = depth is not None and depth.values.size > 0
        self.heads.pictures.cache.clear()
        self.canvas.forget()
        self.show_content(there)
        self._fill_table(depth if there else None)
        if depth is None or not there:
            if self.model.count():
                self.empty.set_text(_NO_IMAGE)
            self.heads.show_pictures([], [])
            return
        layers, heads = depth.values.shape[:2]
        if before is None or before.model != depth.model:
            self._layer, self._head = layers - 1, 0
        self._layer, self._head = min(self._layer, layers - 1), min(self._head, heads - 1)
        with QSignalBlocker(self.slider):
            self.slider.setRange(0, layers - 1)
            self.slider.setValue(self._layer)
        place = self.model.findText(depth.model)
        if place >= 0:
            self.model.setCurrentIndex(place)
        self._show_layer()

    def _fill_table(self, depth: AttentionDepth | None) -> None:
        assert self.table is not None
        if depth is None:
            self.table.set_columns([], [])
        else:
            self.table.set_columns(head_ids(depth), head_columns(depth))

    def set_layer(self, layer: int) -> None:
        """Show the heads of another layer."""
        self._layer = layer
        with QSignalBlocker(self.slider):
            self.slider.setValue(layer)
        self._show_layer()

    def _show_layer(self) -> None:
        depth = self.shown
        if depth is None:
            return
        line = depth_line(depth, self._layer)
        self.layer.setText(line if self.model.count() > 1 else f"{depth.model}, {line}")
        self.layer.setMinimumWidth(min(self.layer.sizeHint().width() + 4, 330))
        heads = range(depth.values.shape[1])
        self.heads.show_pictures(
            [self._picture(head) for head in heads],
            [f"{line}\nhead {head + 1}" for head in heads],
        )
        self.heads.set_focus((self._layer, self._head))
        self.shallower.setEnabled(self._layer > 0)
        self.deeper.setEnabled(self._layer < depth.values.shape[0] - 1)
        self._show_head()

    def _picture(self, head: int) -> HeatPicture:
        assert self.shown is not None
        depth = self.shown
        values = depth.values[self._layer, head]
        return HeatPicture((self._layer, head), depth.image, depth.region, values)

    def _show_head(self) -> None:
        if self.shown is None:
            return
        self.canvas.show_picture(self._picture(self._head))
        heads = self.shown.values.shape[1]
        self.set_note(
            f"Large: head {self._head + 1} of {heads}. Each map has its own scale, so that "
            "only the places within a map compare."
        )

    # -- by hand

    def _slid(self, layer: int) -> None:
        self._layer = layer
        self._show_layer()

    def _go_up(self) -> None:
        self.slider.setValue(self._layer - 1)

    def _go_down(self) -> None:
        self.slider.setValue(self._layer + 1)

    def _take_head(self, identity: object) -> None:
        if isinstance(identity, tuple):
            self._head = int(identity[1])
            self._show_head()

    def _take_row(self, identity: tuple[int, int]) -> None:
        self._head = identity[1]
        self.set_layer(identity[0])

    def _choose_model(self, _place: int) -> None:
        self.model_chosen.emit(self.model.currentText())
