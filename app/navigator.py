"""The panel at the left: image sets, models and runs of the project."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QEvent, QItemSelectionModel, QPoint, QSignalBlocker, Qt, Signal, Slot
from PySide6.QtGui import QColor, QFont
from PySide6.QtWidgets import QMenu, QTreeWidget, QTreeWidgetItem, QWidget

from app import theme
from app.jobs import JobRecord
from app.navigator_menus import MENUS, WRITES
from app.navigator_words import model_tooltip, run_text, run_tooltip
from app.project_index import ProjectIndex
from app.widgets.roomy_rows import RoomyRows

KIND_ROLE = Qt.ItemDataRole.UserRole
ID_ROLE = Qt.ItemDataRole.UserRole + 1

_SECTIONS = {"images": "Images", "models": "Models", "runs": "Runs", "findings": "Findings"}
_EMPTY = {
    "images": "none yet: drop a folder here",
    "models": "none yet: drop a checkpoint here",
    "runs": "none yet",
    "findings": "none yet",
}
_AWAY = "Not found where it was; the results are all here. To run anew, choose Relocate…"


class Navigator(QTreeWidget):
    """Lists what the project holds; says what the user wants by `intent(id, kind, entry id)`."""

    intent = Signal(str, str, object)
    models_selected = Signal(object)  # names, in the order of selection
    model_hovered = Signal(object)  # name, None when the pointer has left

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Image sets, models and runs")
        self.setHeaderHidden(True)
        self.setIndentation(12)
        self.setUniformRowHeights(True)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)  # names often differ at their end
        self.setItemDelegate(RoomyRows(self))
        self.setSelectionMode(QTreeWidget.SelectionMode.ExtendedSelection)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._open_menu)
        self.itemActivated.connect(self._on_activated)
        self.itemClicked.connect(self._on_clicked)
        self.itemSelectionChanged.connect(self._on_selection)
        self.setMouseTracking(True)
        self.itemEntered.connect(self._on_entered)
        self.viewportEntered.connect(self._on_left)
        self._index: ProjectIndex | None = None
        self._models: tuple[str | None, str | None] = (None, None)
        self._selected: tuple[str, ...] = ()
        self._hovered: str | None = None
        self._running: dict[int, JobRecord] = {}
        self._away: frozenset[tuple[str, int]] = frozenset()
        self._sections: dict[str, QTreeWidgetItem] = {}
        self._items: dict[str, list[QTreeWidgetItem]] = {key: [] for key in _SECTIONS}
        self._listed: dict[str, tuple[bool, list[Any]]] = {}
        for key, title in _SECTIONS.items():
            section = QTreeWidgetItem([title])
            section.setData(0, KIND_ROLE, f"section:{key}")
            bold = QFont(theme.font("body", bold=True))
            section.setFont(0, bold)
            self._sections[key] = section
            self.addTopLevelItem(section)
            section.setExpanded(True)
        self.show_index(None)

    # -- setters -------------------------------------------------------------------------------
    def show_index(self, index: ProjectIndex | None) -> None:
        """List a project's entries, keeping what is chosen."""
        chosen = self._identity(self.currentItem())
        selected = {self._identity(item) for item in self.selectedItems()}
        self._index = index
        sets = index.image_sets if index is not None else ()
        labels = index.labels if index is not None else ()
        models = index.models if index is not None else ()
        runs = index.runs[::-1] if index is not None else ()
        with QSignalBlocker(self):
            places = [("image set", e.id) for e in sets] + [("label planes", e.id) for e in labels]
            places += [("slice", e.id) for e in index.slices] if index is not None else []
            self._fill("images", places)
            self._fill("models", [("model", model.name) for model in models])
            self._fill("runs", [("run", run.id) for run in runs])
            self._fill_findings(len(index.findings) if index is not None else 0)
            self._paint_images()
            self._paint_models()
            self._paint_runs()
            if self._identity(self.currentItem()) != chosen:
                self._choose(chosen)
            others = {each for each in selected if each is not None and each[0] != "model"}
            for item in self._all_items():
                kind, number = item.data(0, KIND_ROLE), item.data(0, ID_ROLE)
                chosen_model = kind == "model" and number in self._selected and not others
                item.setSelected(chosen_model or (kind, number) in others)

    def set_pair(self, model_a: str | None, model_b: str | None) -> None:
        """Mark the active models with their colours."""
        self._models = (model_a, model_b)
        self._paint_models()

    def select_models(self, names: Sequence[str]) -> None:
        """Select these models; other entries stay selected only where there are none."""
        if tuple(names) == self._selected:
            return
        self._selected = tuple(names)
        with QSignalBlocker(self):
            for item in self._all_items():
                is_model = item.data(0, KIND_ROLE) == "model"
                if is_model or names:
                    item.setSelected(is_model and item.data(0, ID_ROLE) in names)

    def set_away(self, away: frozenset[tuple[str, int]]) -> None:
        """Mark what is not (or not all) where the project looks for it: (kind of place, id)."""
        self._away = away
        self._paint_images()
        self._paint_models()

    def set_hover(self, model: str | None) -> None:
        """Mark the model hovered in another view."""
        self._hovered = model
        self._paint_hover()

    @property
    def pair(self) -> tuple[str | None, str | None]:
        """The models marked as A and B."""
        return self._models

    def set_job(self, run: int, record: JobRecord | None) -> None:
        """Show how far the job of a run is; None when it has ended."""
        if record is None:
            self._running.pop(run, None)
        else:
            self._running[run] = record
        self._paint_runs()

    def clear_jobs(self) -> None:
        self._running.clear()
        self._paint_runs()

    # -- items ---------------------------------------------------------------------------------
    def _fill(self, section: str, entries: list[tuple[str, Any]]) -> None:
        """Make the items of a section anew if its entries have changed."""
        state = (self._index is not None, entries)
        if self._listed.get(section) == state:
            return
        self._listed[section] = state
        parent = self._sections[section]
        while (last := parent.child(parent.childCount() - 1)) is not None:
            parent.removeChild(last)  # `takeChild` never frees
        self._items[section] = [_entry(kind, number) for kind, number in entries]
        if self._index is not None and not entries:
            empty = QTreeWidgetItem([_EMPTY[section]])
            empty.setFlags(Qt.ItemFlag.ItemIsEnabled)
            empty.setForeground(0, self.palette().placeholderText())
            parent.addChild(empty)
        for item in self._items[section]:
            parent.addChild(item)
        parent.setExpanded(True)

    def _fill_findings(self, amount: int) -> None:
        """Their number alone: the panel of findings lists them."""
        self._fill("findings", [])
        section = self._sections["findings"]
        section.setText(0, f"{_SECTIONS['findings']}  {amount:,}" if amount else "Findings")
        for place in range(section.childCount()):
            child = section.child(place)
            if child is not None:
                child.setHidden(amount > 0)

    def _paint_images(self) -> None:
        index = self._index
        if index is None:
            return
        for item, entry in zip(self._items["images"], index.image_sets, strict=False):
            left_out = f", {entry.rejected:,} left out" if entry.rejected else ""
            away = self._away_note("images", entry.id)
            item.setText(0, f"{away}{entry.name}  {entry.images:,}{left_out}")
            about = f"{entry.images:,} images ({entry.kind}){left_out}"
            item.setToolTip(0, self._tip(f"{entry.source}\n{about}", "images", entry.id))
        for item, labels in zip(
            self._items["images"][len(index.image_sets) :], index.labels, strict=False
        ):
            away = self._away_note("labels", labels.id)
            item.setText(0, f"{away}▦ {labels.name}  label planes")
            about = f"{labels.source}\nlabel planes ({labels.kind})"
            item.setToolTip(0, self._tip(about, "labels", labels.id))
        others = len(index.image_sets) + len(index.labels)
        for item, one in zip(self._items["images"][others:], index.slices, strict=True):
            item.setText(0, f"◫ {one.name}  slice of {one.images:,}")
            item.setToolTip(0, f"slice of {one.images:,} images\n{one.origin}".strip())

    def _away_note(self, kind: str, number: int) -> str:
        return "✕ not found: " if (kind, number) in self._away else ""

    def _tip(self, about: str, kind: str, number: int) -> str:
        return f"{about}\n{_AWAY}" if (kind, number) in self._away else about

    def _paint_models(self) -> None:
        for item in self._children("models"):
            name = item.data(0, ID_ROLE)
            model = self._index.model(name) if self._index else None
            if model is None:
                continue
            sides = [
                side for side, active in zip("ab", self._models, strict=True) if active == name
            ]
            letters = ", ".join(side.upper() for side in sides)
            sign = "◇" if model.imported else "●" if sides else "○"
            note = "  (table)" if model.imported else f"  ({letters})" if sides else ""
            item.setText(0, f"{sign} {name}{note}")
            tokens = theme.theme().tokens
            colours = {"a": tokens.model_a_text, "b": tokens.model_b_text}
            if sides:
                item.setForeground(0, QColor(colours[sides[0]]))
            else:
                item.setData(0, Qt.ItemDataRole.ForegroundRole, None)
            item.setToolTip(0, self._tip(model_tooltip(model), "model", model.id))
        self._paint_hover()

    def _paint_hover(self) -> None:
        colour = theme.theme().colour("grid")
        for item in self._children("models"):
            hovered = item.data(0, ID_ROLE) == self._hovered
            item.setData(0, Qt.ItemDataRole.BackgroundRole, colour if hovered else None)

    def _paint_runs(self) -> None:
        for item in self._children("runs"):
            run = self._index.run(item.data(0, ID_ROLE)) if self._index else None
            if run is None:
                continue
            job = self._running.get(run.id)
            item.setText(0, run_text(run, job))
            item.setToolTip(0, run_tooltip(run))

    def _children(self, section: str) -> list[QTreeWidgetItem]:
        return self._items[section]

    def _all_items(self) -> list[QTreeWidgetItem]:
        entries = [item for items in self._items.values() for item in items]
        return [*self._sections.values(), *entries]

    def _identity(self, item: QTreeWidgetItem | None) -> tuple[Any, Any] | None:
        return (item.data(0, KIND_ROLE), item.data(0, ID_ROLE)) if item is not None else None

    def _choose(self, identity: tuple[Any, Any] | None) -> None:
        for section, parent in self._sections.items():
            for item in (parent, *self._children(section)):
                if identity is not None and self._identity(item) == identity:
                    unchanged = QItemSelectionModel.SelectionFlag.NoUpdate
                    self.setCurrentItem(item, 0, unchanged)
                    return

    # -- wishes --------------------------------------------------------------------------------
    def menu_for(self, item: QTreeWidgetItem | None) -> QMenu | None:
        """The context menu of an entry, or None if it has none."""
        kind = item.data(0, KIND_ROLE) if item is not None else None
        if item is None or self._index is None or kind not in MENUS:
            return None
        number = item.data(0, ID_ROLE)
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for intent, text in MENUS[kind]:
            action = menu.addAction(text)
            action.setData((intent, kind, number))
            action.setEnabled(self._possible(intent, number))
        menu.triggered.connect(self._on_menu)
        return menu

    def _possible(self, intent: str, number: Any) -> bool:
        if self._index is None or (intent in WRITES and self._index.read_only):
            return False
        run = self._index.run(number) if intent.endswith("-run") else None
        if intent == "show-run":
            return run is not None and run.has_results
        if intent == "resume-run":
            return run is not None and run.resumable and run.id not in self._running
        if intent == "cancel-run":
            return run is not None and run.id in self._running
        if intent == "remove-run":
            return run is not None and run.id not in self._running
        return self._possible_with_models(intent, number)

    def _possible_with_models(self, intent: str, name: Any) -> bool:
        index = self._index
        assert index is not None
        can_look = bool(index.networks and index.image_sets)
        if intent == "run-audit":
            return can_look or len(index.dissected) > 1
        if intent in ("dissect-models", "explain-images", "compare-semantics"):
            return can_look
        if intent == "embed-models":
            return len(index.dissected) > 1
        if intent == "compare-models":
            models = [index.model(each) for each in self._selected]
            return len(models) == 2 and not any(m is None or m.imported for m in models)
        if intent == "relocate-model":
            weights = index.model(name)
            return weights is not None and weights.has_weights_file
        model = index.model(name) if intent in ("show-as-a", "show-as-b") else None
        return model is None or not model.imported

    @Slot(QPoint)
    def _open_menu(self, position: QPoint) -> None:
        menu = self.menu_for(self.itemAt(position))
        if menu is not None:
            menu.popup(self.viewport().mapToGlobal(position))

    @Slot(object)
    def _on_menu(self, action: Any) -> None:
        self.intent.emit(*action.data())

    @Slot()
    def _on_selection(self) -> None:
        """Models selected here are selected everywhere; choosing a run leaves them selected."""
        items = self.selectedItems()
        names = [i.data(0, ID_ROLE) for i in items if i.data(0, KIND_ROLE) == "model"]
        if items and not names:
            return
        kept = [name for name in self._selected if name in names]
        listed = [item.data(0, ID_ROLE) for item in self._children("models")]
        added = [name for name in listed if name in names and name not in kept]
        selected = (*kept, *added)
        if selected != self._selected:
            self._selected = selected
            self.models_selected.emit(selected)

    @Slot(QTreeWidgetItem, int)
    def _on_entered(self, item: QTreeWidgetItem, _column: int) -> None:
        self._tell_hover(item.data(0, ID_ROLE) if item.data(0, KIND_ROLE) == "model" else None)

    @Slot()
    def _on_left(self) -> None:
        self._tell_hover(None)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave:
            self._tell_hover(None)
        return super().viewportEvent(event)

    def _tell_hover(self, model: str | None) -> None:
        if model != self._hovered:
            self.set_hover(model)
            self.model_hovered.emit(model)

    @Slot(QTreeWidgetItem, int)
    def _on_clicked(self, item: QTreeWidgetItem, _column: int) -> None:
        if item is self._sections["findings"] and self._index is not None:
            self.intent.emit("show-findings", item.data(0, KIND_ROLE), None)

    @Slot(QTreeWidgetItem, int)
    def _on_activated(self, item: QTreeWidgetItem, _column: int) -> None:
        kind, number = item.data(0, KIND_ROLE), item.data(0, ID_ROLE)
        if kind == "section:findings":
            self._on_clicked(item, 0)
        elif kind == "run" and self._possible("show-run", number):
            self.intent.emit("show-run", kind, number)
        elif kind == "slice":
            self.intent.emit("show-slice", kind, number)
        elif kind in ("run", "model", "image set", "label planes"):
            self.intent.emit(f"{kind.replace(' ', '-')}-details", kind, number)


def _entry(kind: str, number: Any) -> QTreeWidgetItem:
    item = QTreeWidgetItem()
    item.setData(0, KIND_ROLE, kind)
    item.setData(0, ID_ROLE, number)
    return item
