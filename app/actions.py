"""One registry of everything that can be done from a menu, a shortcut or the command palette."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar

from app.action_definition import ActionDefinition, Facts
from app.slice_actions import SLICE_ACTIONS

__all__ = [
    "DEFINITIONS",
    "ActionDefinition",
    "ActionRegistry",
    "Facts",
    "perspective_actions",
    "plain_text",
]


def _with_project(facts: Facts) -> bool:
    return facts.project


def _writable(facts: Facts) -> bool:
    return facts.project and facts.writable


def _can_look(facts: Facts) -> bool:
    return _writable(facts) and facts.networks > 0 and facts.image_sets > 0


def _can_plant(facts: Facts) -> bool:
    return _writable(facts) and facts.image_sets > 0


def _can_explain(facts: Facts) -> bool:
    return facts.project and facts.networks > 0


def _can_explain_image(facts: Facts) -> bool:
    return _can_explain(facts) and facts.image


def _can_save_concept(facts: Facts) -> bool:
    return _writable(facts) and facts.examples


def _can_embed(facts: Facts) -> bool:
    return _writable(facts) and facts.dissected > 1


def _can_run(facts: Facts) -> bool:
    return _can_look(facts) or _can_embed(facts)


def _two_selected(facts: Facts) -> bool:
    return facts.project and facts.selected == 2


def _can_resume(facts: Facts) -> bool:
    return _writable(facts) and facts.resumable


def _busy(facts: Facts) -> bool:
    return facts.busy


def _with_results(facts: Facts) -> bool:
    return facts.project and facts.results


def _with_figures(facts: Facts) -> bool:
    return facts.project and (facts.results or facts.picture)


def _can_go_back(facts: Facts) -> bool:
    return facts.can_go_back


_Key = QKeySequence.StandardKey
_NEEDS_LOOK = "Add images and a model with its weights first, to a project that is not read-only."
_NEEDS_NETWORK = "Open a project that has a model with its weights first, or add one."
_NEEDS_PATCH = "Select patches, concepts or units first, in a project that is not read-only."
_NEEDS_IMAGE = "Click an image of a concept or a unit first, in a project with models."

DEFINITIONS: tuple[ActionDefinition, ...] = (
    ActionDefinition(
        "new", "&File", "&New project…", "Start a project with images and models", _Key.New
    ),
    ActionDefinition("open", "&File", "&Open…", "Open a project file", _Key.Open),
    ActionDefinition(
        "open-read-only",
        "&File",
        "Open &read-only…",
        "Look at a project without changing it",
    ),
    ActionDefinition(
        "sample",
        "&File",
        "Open the &sample project",
        "A small project with images and models that ship with Parallax",
    ),
    ActionDefinition(
        "add-images",
        "&File",
        "Add &images…",
        "Add a folder of images to this project",
        "Ctrl+I",
        _writable,
        separator_before=True,
    ),
    ActionDefinition(
        "add-model", "&File", "Add &model…", "Add a model to this project", "Ctrl+M", _writable
    ),
    ActionDefinition(
        "add-labels",
        "&File",
        "Add label &planes…",
        "Add a folder that says what is where in the images, for dissecting models",
        "Ctrl+Shift+I",
        _writable,
    ),
    ActionDefinition(
        "add-concept",
        "&File",
        "A&dd concept…",
        "Name a concept: a folder of its pictures, or a label of the label planes",
        "Ctrl+Shift+N",
        _writable,
        needs="Open a project that is not read-only first.",
    ),
    ActionDefinition(
        "plant-concept",
        "&File",
        "&Plant a concept…",
        "Paste a concept into half of the images, to see whether audits find what is there",
        "",
        _can_plant,
        needs="Open a project with images that is not read-only first.",
    ),
    ActionDefinition(
        "import-table",
        "&File",
        "Import &table…",
        "Take in units or performance of models from a CSV file",
        "Ctrl+Shift+M",
        _writable,
    ),
    ActionDefinition(
        "relocate",
        "&File",
        "Relocate ima&ges and models…",
        "See where images and models lie, and find those that were moved or renamed",
        "",
        _with_project,
        needs="Open a project first.",
    ),
    ActionDefinition(
        "explain-picture",
        "&File",
        "Explain a pict&ure…",
        "Show where every model of this project looks in a picture from outside of it",
        "Ctrl+P",
        _can_explain,
        needs=_NEEDS_NETWORK,
    ),
    ActionDefinition(
        "save-as",
        "&File",
        "Save &as…",
        "Go on with this project in another file; every change so far is already saved",
        _Key.SaveAs,
        _with_project,
        separator_before=True,
    ),
    ActionDefinition(
        "save-copy",
        "&File",
        "Save a &copy…",
        "Write a whole copy of this project, and go on with the open one",
        "",
        _with_project,
    ),
    ActionDefinition(
        "export-figure",
        "&File",
        "Export &figure…",
        "Write a figure as SVG, PDF or PNG",
        "Ctrl+E",
        _with_figures,
    ),
    ActionDefinition(
        "export-table",
        "&File",
        "Export ta&ble…",
        "Write a table as CSV or JSON",
        "Ctrl+Shift+E",
        _with_project,
    ),
    ActionDefinition(
        "new-report",
        "&File",
        "Ne&w report",
        "Compose a report; it begins with what this project holds",
        "",
        _with_results,
        needs="Run an audit first: a report is made of its results.",
    ),
    ActionDefinition(
        "export-report",
        "&File",
        "Export re&port…",
        "Write the composed report, or all there is, as a web page or a PDF",
        "Ctrl+Shift+G",
        _with_results,
    ),
    ActionDefinition(
        "close",
        "&File",
        "C&lose project",
        "Close this project",
        "Ctrl+W",
        _with_project,
        separator_before=True,
    ),
    ActionDefinition("quit", "&File", "&Quit", "Close Parallax", "Ctrl+Q"),
    ActionDefinition(
        "run-audit",
        "&Audit",
        "&Run an audit…",
        "Choose an audit, its models and images, and see what it will cost",
        "Ctrl+R",
        _can_run,
        needs=_NEEDS_LOOK,
    ),
    ActionDefinition(
        "dissect-models",
        "&Audit",
        "&Dissect models…",
        "Find which concept each unit of the models stands for",
        "Ctrl+D",
        _can_look,
        separator_before=True,
        needs=_NEEDS_LOOK,
    ),
    ActionDefinition(
        "evaluate-models",
        "&Audit",
        "E&valuate models…",
        "Measure how well the models tell labelled images apart",
        "",
        _can_look,
        needs=_NEEDS_LOOK,
    ),
    ActionDefinition(
        "embed-models",
        "&Audit",
        "&Embed models…",
        "Place dissected models by the concepts that they have learned",
        "Ctrl+Shift+D",
        _can_embed,
        needs="Dissect at least two models first, or import a table of their units.",
    ),
    ActionDefinition(
        "explain-images",
        "&Audit",
        "E&xplain images…",
        "Find where the models look, and measure how far that may be believed",
        "Ctrl+L",
        _can_look,
        needs=_NEEDS_LOOK,
    ),
    ActionDefinition(
        "compare-semantics",
        "&Audit",
        "Compare &by concepts…",
        "Measure how alike two models' feature spaces are, seen from concepts given by examples",
        "Ctrl+Shift+F",
        _can_look,
        needs=_NEEDS_LOOK,
    ),
    ActionDefinition(
        "compare-models",
        "&Audit",
        "Co&mpare the two selected models",
        "Show which concepts of each of them the other can predict",
        "Ctrl+Shift+C",
        _two_selected,
        needs="Select exactly two models first.",
    ),
    ActionDefinition(
        "show-saliency",
        "&Audit",
        "&Where do the models look?",
        "Show the maps of the image in focus; without any, explain it at once",
        "Ctrl+Shift+L",
        _can_explain_image,
        separator_before=True,
        needs=_NEEDS_IMAGE,
    ),
    ActionDefinition(
        "explain-image",
        "&Audit",
        "Expla&in this image at once",
        "Explain the image in focus by all methods of all models of this project",
        "Ctrl+Shift+P",
        _can_explain_image,
        needs=_NEEDS_IMAGE,
    ),
    ActionDefinition(
        "save-concept",
        "&Audit",
        "&Save as concept…",
        "Make the selected patches, or those of the selected units, a concept or add them to one",
        "Ctrl+Shift+K",
        _can_save_concept,
        needs=_NEEDS_PATCH,
    ),
    *SLICE_ACTIONS,
    ActionDefinition(
        "resume",
        "&Audit",
        "R&esume unfinished runs",
        "Continue every run that was stopped, where it stopped",
        "Ctrl+Shift+R",
        _can_resume,
        separator_before=True,
    ),
    ActionDefinition(
        "cancel",
        "&Audit",
        "&Cancel the job in hand",
        "Stop at the next step; what is finished is kept",
        "Ctrl+.",
        _busy,
    ),
    ActionDefinition(
        "palette",
        "&View",
        "&Find a command, model, class, concept…",
        "Type a few letters of anything",
        "Ctrl+K",
    ),
    ActionDefinition(
        "back", "&View", "&Back", "Return to what was shown before", "Esc", _can_go_back
    ),
    ActionDefinition(
        "swap", "&View", "&Swap A and B", "Exchange the two models", "Ctrl+T", _with_project
    ),
    ActionDefinition(
        "theme-system",
        "&View",
        "Colours of the s&ystem",
        "Follow the system's light or dark setting",
        separator_before=True,
        checkable=True,
    ),
    ActionDefinition("theme-light", "&View", "&Light", "Always light", checkable=True),
    ActionDefinition("theme-dark", "&View", "&Dark", "Always dark", checkable=True),
    ActionDefinition(
        "reset-layout",
        "&View",
        "&Reset layout",
        "Put every panel back where it was at first",
        separator_before=True,
    ),
    ActionDefinition(
        "tour", "&Help", "Guided &tour", "Walk through the perspectives, with the sample project"
    ),
    ActionDefinition(
        "shortcuts", "&Help", "&Keyboard shortcuts", "Every action and its keys", _Key.HelpContents
    ),
    ActionDefinition(
        "diagnostics",
        "&Help",
        "&Copy diagnostics",
        "Copy versions, settings and the last log lines, for a report",
    ),
    ActionDefinition("about", "&Help", "&About Parallax", "Version and licence"),
)


def perspective_actions(perspectives: Iterable[tuple[str, str]]) -> tuple[ActionDefinition, ...]:
    """One action that brings each perspective (id, title) to the front."""
    return tuple(
        ActionDefinition(
            f"go-{name}",
            "&View",
            f"Go to {title}",
            f"Bring the perspective {title} to the front",
            f"Ctrl+{number}",
            separator_before=number == 1,
        )
        for number, (name, title) in enumerate(perspectives, 1)
    )


class ActionRegistry(QObject):
    """The QActions of the window, made from `DEFINITIONS`."""

    triggered = Signal(str)

    def __init__(
        self,
        parent: QObject | None = None,
        definitions: Iterable[ActionDefinition] = DEFINITIONS,
    ) -> None:
        super().__init__(parent)
        self._definitions = {definition.id: definition for definition in definitions}
        self._actions: dict[str, QAction] = {}
        group = QActionGroup(self)
        group.setExclusionPolicy(QActionGroup.ExclusionPolicy.None_)
        group.triggered.connect(self._on_triggered)
        for definition in self._definitions.values():
            self._actions[definition.id] = self._make(definition, group)
        self.update(Facts())

    def _make(self, definition: ActionDefinition, group: QActionGroup) -> QAction:
        action = QAction(definition.text, self)
        action.setObjectName(definition.id)
        action.setData(definition.id)
        action.setStatusTip(definition.tooltip)
        action.setCheckable(definition.checkable)
        # The first role guess of macOS moves actions by their texts; ours stay where they are.
        action.setMenuRole(_ROLES.get(definition.id, QAction.MenuRole.NoRole))
        if definition.shortcut:
            action.setShortcuts(_bindings(definition.shortcut))
        keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        action.setToolTip(f"{definition.tooltip} ({keys})" if keys else definition.tooltip)
        group.addAction(action)
        return action

    def __getitem__(self, name: str) -> QAction:
        return self._actions[name]

    def definition(self, name: str) -> ActionDefinition:
        return self._definitions[name]

    def definitions(self) -> tuple[ActionDefinition, ...]:
        return tuple(self._definitions.values())

    def actions(self) -> tuple[QAction, ...]:
        return tuple(self._actions.values())

    def update(self, facts: Facts) -> None:
        """Enable what is possible now."""
        for name, definition in self._definitions.items():
            self._actions[name].setEnabled(definition.enabled_when(facts))
            if definition.text_when is not None:
                self._actions[name].setText(definition.text_when(facts))

    def fill(self, bar: QMenuBar) -> dict[str, QMenu]:
        """Put every action into its menu; returns the menus by title."""
        menus: dict[str, QMenu] = {}
        for name, definition in sorted(self._definitions.items(), key=_menu_place):
            menu = menus.get(definition.menu)
            if menu is None:
                menu = menus[definition.menu] = bar.addMenu(definition.menu)
                menu.setToolTipsVisible(True)
            if definition.separator_before:
                menu.addSeparator()
            menu.addAction(self._actions[name])
        return menus

    @Slot(QAction)
    def _on_triggered(self, action: QAction) -> None:
        self.triggered.emit(action.data())


def _bindings(keys: str | QKeySequence.StandardKey) -> list[QKeySequence]:
    """All the keys that a system has for something, the usual ones first; or those named."""
    if isinstance(keys, str):
        return [QKeySequence(keys)]
    return QKeySequence.keyBindings(keys)


_ROLES = {
    "quit": QAction.MenuRole.QuitRole,
    "about": QAction.MenuRole.AboutRole,
}


_MENUS = ("&File", "&Edit", "&Audit", "&View", "&Help")


def _menu_place(entry: tuple[str, ActionDefinition]) -> int:
    menu = entry[1].menu
    return _MENUS.index(menu) if menu in _MENUS else len(_MENUS)


def plain_text(text: str) -> str:
    """A menu text without its mnemonic mark and dots."""
    return text.replace("&", "").rstrip("…")
