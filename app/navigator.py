"""The panel at the left: image sets, models and runs of the project."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QEvent, QItemSelectionModel, QPoint, QSignalBlocker, Qt, Signal, Slot
from PySide6.QtGui import QColor, QFont
from PySide6.QtWidgets import QMenu, QTreeWidget, QTreeWidgetItem, QWidget

from app import theme
from app.jobs import JobRecord, format_duration
from app.lanes import JobState
from app.project_index import ModelEntry, ProjectIndex, RunEntry, read_json

KIND_ROLE = Qt.ItemDataRole.UserRole
ID_ROLE = Qt.ItemDataRole.UserRole + 1

_SECTIONS = {"images": "Images", "models": "Models", "runs": "Runs"}
_RUN_SIGNS = {"pending": "○", "running": "◐", "done": "✓", "cancelled": "◌", "failed": "✕"}
_EMPTY = {
    "images": "none yet: drop a folder here",
    "models": "none yet: drop a checkpoint here",
    "runs": "none yet",
}
# Intents by kind of entry: (id of the intent, words).
_MENUS: dict[str, tuple[tuple[str, str], ...]] = {
    "section:images": (
        ("add-images", "Add images…"),
        ("add-labels", "Add label planes…"),
        ("add-concept", "Add concept…"),
    ),
    "section:models": (("add-model", "Add model…"), ("import-table", "Import table…")),
    "section:runs": (("run-audit", "Run an audit…"),),
    "image set": (
        ("run-audit", "Run an audit…"),
        ("image-set-details", "Details…"),
        ("relocate-image-set", "The images have moved…"),
        ("remove-image-set", "Remove from the project"),
    ),
    "label planes": (
        ("label-planes-details", "Details…"),
        ("remove-label-planes", "Remove from the project"),
    ),
    "model": (
        ("show-as-a", "Show as A"),
        ("show-as-b", "Show as B"),
        ("compare-models", "Compare the two selected"),
        ("dissect-models", "Dissect…"),
        ("embed-models", "Embed…"),
        ("explain-images", "Explain images…"),
        ("compare-semantics", "Compare by concepts…"),
        ("run-audit", "Run an audit…"),
        ("model-details", "Details…"),
        ("rename-model", "Rename…"),
        ("remove-model", "Remove from the project"),
    ),
    "run": (
        ("show-run", "Show results"),
        ("resume-run", "Resume"),
        ("cancel-run", "Cancel"),
        ("repeat-run", "Run again with other parameters…"),
        ("run-details", "Details…"),
        ("rename-run", "Rename…"),
        ("remove-run", "Remove with its results"),
    ),
}
_WRITES = frozenset(
    {
        "add-concept",
        "add-images",
        "compare-semantics",
        "add-labels",
        "add-model",
        "import-table",
        "dissect-models",
        "embed-models",
        "explain-images",
        "run-audit",
        "resume-run",
        "repeat-run",
        "rename-model",
        "rename-run",
        "remove-run",
        "remove-model",
        "remove-image-set",
        "remove-label-planes",
        "relocate-image-set",
    }
)


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
        self.setSelectionMode(QTreeWidget.SelectionMode.ExtendedSelection)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._open_menu)
        self.itemActivated.connect(self._on_activated)
        self.itemSelectionChanged.connect(self._on_selection)
        self.setMouseTracking(True)
        self.itemEntered.connect(self._on_entered)
        self.viewportEntered.connect(self._on_left)
        self._index: ProjectIndex | None = None
        self._models: tuple[str | None, str | None] = (None, None)
        self._selected: tuple[str, ...] = ()
        self._hovered: str | None = None
        self._running: dict[int, JobRecord] = {}
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
            self._fill("images", places)
            self._fill("models", [("model", model.name) for model in models])
            self._fill("runs", [("run", run.id) for run in runs])
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
        while parent.childCount():
            parent.takeChild(parent.childCount() - 1)
        self._items[section] = [_entry(kind, number) for kind, number in entries]
        if self._index is not None and not entries:
            empty = QTreeWidgetItem([_EMPTY[section]])
            empty.setFlags(Qt.ItemFlag.ItemIsEnabled)
            empty.setForeground(0, self.palette().placeholderText())
            parent.addChild(empty)
        for item in self._items[section]:
            parent.addChild(item)
        parent.setExpanded(True)

    def _paint_images(self) -> None:
        index = self._index
        if index is None:
            return
        for item, entry in zip(self._items["images"], index.image_sets, strict=False):
            left_out = f", {entry.rejected:,} left out" if entry.rejected else ""
            item.setText(0, f"{entry.name}  {entry.images:,}{left_out}")
            item.setToolTip(0, f"{entry.source}\n{entry.images:,} images ({entry.kind}){left_out}")
        for item, labels in zip(
            self._items["images"][len(index.image_sets) :], index.labels, strict=True
        ):
            item.setText(0, f"▦ {labels.name}  label planes")
            item.setToolTip(0, f"{labels.source}\nlabel planes ({labels.kind})")

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
            item.setToolTip(0, model_tooltip(model))
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
        if item is None or self._index is None or kind not in _MENUS:
            return None
        number = item.data(0, ID_ROLE)
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for intent, text in _MENUS[kind]:
            action = menu.addAction(text)
            action.setData((intent, kind, number))
            action.setEnabled(self._possible(intent, number))
        menu.triggered.connect(self._on_menu)
        return menu

    def _possible(self, intent: str, number: Any) -> bool:
        if self._index is None or (intent in _WRITES and self._index.read_only):
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
    def _on_activated(self, item: QTreeWidgetItem, _column: int) -> None:
        kind, number = item.data(0, KIND_ROLE), item.data(0, ID_ROLE)
        if kind == "run" and self._possible("show-run", number):
            self.intent.emit("show-run", kind, number)
        elif kind in ("run", "model", "image set", "label planes"):
            self.intent.emit(f"{kind.replace(' ', '-')}-details", kind, number)


def _entry(kind: str, number: Any) -> QTreeWidgetItem:
    item = QTreeWidgetItem()
    item.setData(0, KIND_ROLE, kind)
    item.setData(0, ID_ROLE, number)
    return item


def run_text(run: RunEntry, job: JobRecord | None) -> str:
    """A run in one line: state, name, how far."""
    waiting = job is not None and job.state == JobState.PENDING
    state = run.state if job is None else "pending" if waiting else "running"
    sign = _RUN_SIGNS.get(state, "○")
    pair = f" · {run.about}" if run.pair and str(run.model_b) not in run.name else ""
    text = f"{sign} {run.name}{pair}"
    if waiting:
        return f"{text}  waiting"
    if job is not None:
        fraction = job.fraction
        return f"{text}  {fraction:.0%}" if fraction is not None else text
    if run.resumable:
        # A run left “running” by a program that ended is simply unfinished.
        words = {"pending": "not begun", "failed": "failed"}.get(run.state, "unfinished")
        return f"{text}  {words}"
    return text


def run_tooltip(run: RunEntry) -> str:
    """What a run is about, in a few lines."""
    lines = [f"{run.audit}: {run.about}"]
    if run.table:
        lines.append(f"from the table {run.table}")
    if run.layer_a and run.layer_b:
        lines.append(f"layers {run.layer_a} and {run.layer_b}")
    units = f"{run.units_done:,} of {run.units_total:,}" if run.units_total else f"{run.units_done}"
    lines.append(f"{run.state}, {units} units of work done")
    if run.seconds:
        lines.append(f"took {format_duration(run.seconds)}")
    if run.problems:
        lines.append(f"{run.problems:,} things were left out: see Details")
    if run.message:
        lines.append(run.message)
    return "\n".join(lines)


def model_tooltip(model: ModelEntry) -> str:
    """What a model is, in a few lines."""
    if model.imported:
        return f"{model.name}\nfrom an imported table: there is no network to run"
    head = f"{model.num_classes:,} classes" if model.num_classes else "no class head"
    lines = [model.specification, f"{model.architecture}, {head}, {len(model.layers)} layers"]
    note = read_json(model.load_report).get("note")
    if note:
        lines.append(str(note))
    return "\n".join(lines)
