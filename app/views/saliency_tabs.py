"""What lies under the grid of maps: pair, curves, metrics, differences, depth, settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QTabWidget, QVBoxLayout, QWidget

from analysis.figures.saliency_data import (
    AttentionDepth,
    Cell,
    Curves,
    Explanation,
    FaithfulnessComparisons,
    FaithfulnessSummary,
    SaliencyMap,
    StepPicture,
)
from app.theme import GRID, font
from app.views.saliency_curves import SaliencyCurvesPanel
from app.views.saliency_depth import SaliencyDepthPanel
from app.views.saliency_differences import SaliencyDifferencesPanel
from app.views.saliency_layout import Chosen, Places
from app.views.saliency_metrics import SaliencyMetricsPanel
from app.views.saliency_pair import SaliencyPairPanel
from app.views.saliency_settings import SaliencySettingsPanel
from app.widgets.heat_pictures import HeatLook
from app.widgets.image_source import ImageSource

_TITLES = {
    "pair": "Side by side",
    "curves": "Insertion and deletion",
    "metrics": "Faithfulness",
    "differences": "Differences",
    "attention": "Attention by depth",
    "settings": "Settings",
}
_OF_RUNS = ("curves", "metrics", "differences")


class SaliencyTabs(QTabWidget):
    """Setters are silent. `cells_chosen(tuple of cells)`: a comparison was opened."""

    depth_needed = Signal(int, str)
    step_needed = Signal(object, str, int)
    cells_chosen = Signal(object)
    method_chosen = Signal(str)
    model_chosen = Signal(str)
    export_requested = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setDocumentMode(True)
        self.setFont(font("small"))
        self._places: Places | None = None
        self._chosen = Chosen(None, "", "")
        self._depth_model = ""
        self._depth_asked: tuple[int, str] | None = None
        self.pair = SaliencyPairPanel()
        self.curves = SaliencyCurvesPanel()
        self.metrics = SaliencyMetricsPanel()
        self.differences = SaliencyDifferencesPanel()
        self.attention = SaliencyDepthPanel()
        self.settings = SaliencySettingsPanel()
        self._keys = tuple(_TITLES)
        for key, title in _TITLES.items():
            self.addTab(_padded(getattr(self, key)), title)
        self.currentChanged.connect(self._ask_depth)
        self.curves.step_needed.connect(self.step_needed)
        self.differences.pair_opened.connect(self._open_pair)
        self.metrics.method_chosen.connect(self.method_chosen)
        self.metrics.model_chosen.connect(self.model_chosen)
        self.attention.model_chosen.connect(self._choose_depth_model)
        for part in (self.curves, self.metrics, self.differences, self.attention):
            part.export_requested.connect(self.export_requested)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.tabBar().setFont(font("small"))  # an earlier one is lost when styles are applied

    # -- setters

    def key(self) -> str:
        """The key of the tab on the screen."""
        return self._keys[self.currentIndex()]

    def show_tab(self, key: str) -> None:
        """Bring a tab to the front."""
        self.setCurrentIndex(self._keys.index(key))

    def set_source(self, source: ImageSource | None) -> None:
        """Take pictures from another source."""
        self.pair.set_source(source)
        self.attention.set_source(source)

    def set_look(self, look: HeatLook) -> None:
        """Lay maps over pictures in another way."""
        self.pair.set_look(look)
        self.attention.set_look(look)

    def forget_run(self) -> None:
        """Another run: nothing of it has come yet."""
        self.show_summary(None)
        self.show_comparisons(None)
        self.show_curves(None)

    def show_places(
        self,
        places: Places | None,
        chosen: Chosen,
        explanation: Explanation | None,
        keep: bool = False,
    ) -> None:
        """Another run, or a picture outside of any; with `keep`, more of the same run."""
        self._places = places
        if not keep:
            self._depth_asked = None
            self.pair.forget()
            self.attention.show_depth(None)
        self.settings.show_index(None if places is None else places.index)
        self.curves.set_places(places)
        self.differences.set_places(places)
        for key in _OF_RUNS:
            self.setTabVisible(self._keys.index(key), explanation is None)
        self.set_chosen(chosen)

    def set_chosen(self, chosen: Chosen) -> None:
        """What is in focus: image, model and method."""
        self._chosen = chosen
        self.metrics.set_chosen(chosen.model, chosen.method)
        models = self._places.index.depth_models if self._places is not None else ()
        if chosen.model in models:
            self._depth_model = chosen.model
        elif self._depth_model not in models:
            self._depth_model = models[0] if models else ""
        self.attention.set_models(models, self._depth_model)
        self._ask_depth()

    def show_cells(
        self, cells: Sequence[Cell], map_of: Callable[[Cell], SaliencyMap | None]
    ) -> None:
        """Show the selected maps."""
        self.pair.show_cells(self._places, cells, map_of)
        self.curves.set_cells(cells)

    def show_summary(self, summary: FaithfulnessSummary | None) -> None:
        """Show the means of the metrics."""
        self.metrics.show_summary(summary)
        self.differences.set_metrics(summary)

    def show_comparisons(self, comparisons: FaithfulnessComparisons | None) -> None:
        """Show the paired differences."""
        self.differences.show_comparisons(comparisons)

    def show_curves(self, curves: Curves | None) -> None:
        """Show the curves of the selected maps."""
        self.curves.show_curves(curves)

    def show_step(self, step: StepPicture | None) -> None:
        """Show the picture at a step of a curve."""
        self.curves.show_step(step)

    def show_depth(self, depth: AttentionDepth | None) -> None:
        """Show attention by depth, unless another image or model has come into focus since."""
        if depth is not None and self._depth_asked not in (None, (depth.image, depth.model)):
            return
        self.attention.show_depth(depth)

    # -- what is needed

    def _ask_depth(self) -> None:
        """Ask for what the tab on the screen lacks."""
        image, model = self._chosen.image, self._depth_model
        if image is None or not model or self.key() != "attention":
            return
        shown = self.attention.shown
        there = shown is not None and (shown.image, shown.model) == (image, model)
        if not there and self._depth_asked != (image, model):
            self._depth_asked = (image, model)
            self.depth_needed.emit(image, model)

    def _choose_depth_model(self, model: str) -> None:
        self._depth_model = model
        self._ask_depth()

    def _open_pair(self, first: tuple[str, str], second: tuple[str, str]) -> None:
        image = self._chosen.image
        if image is not None:
            self.cells_chosen.emit((Cell(image, *first), Cell(image, *second)))
            self.show_tab("pair")


def _padded(widget: QWidget) -> QWidget:
    box = QWidget()
    layout = QVBoxLayout(box)
    layout.setContentsMargins(0, GRID, 0, 0)
    layout.addWidget(widget)
    return box
