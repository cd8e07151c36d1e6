"""The actions of the View and Help menus: colours, finding, keys, diagnostics, the tour."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMessageBox

from analysis import __version__
from app import settings, theme
from app.diagnostics import diagnostics_text
from app.dialogs.palette import CommandPalette
from app.dialogs.shortcuts_dialog import ShortcutsDialog
from app.key_sheet import key_lines
from app.palette_entries import palette_entries
from app.perspectives import PERSPECTIVES

if TYPE_CHECKING:
    from app.commands import Commands
    from app.main_window import MainWindow


class ViewCommands(QObject):
    """What belongs to the window itself, with or without a project."""

    def __init__(self, window: MainWindow, commands: Commands) -> None:
        super().__init__(commands)
        self._window = window
        self._workspace = window.workspace
        self._commands = commands
        self.actions: dict[str, Callable[[], Any]] = {
            "palette": self.open_palette,
            "theme-system": partial(self.set_scheme, "system"),
            "theme-light": partial(self.set_scheme, "light"),
            "theme-dark": partial(self.set_scheme, "dark"),
            "reset-layout": window.layouts.reset,
            "shortcuts": self.show_shortcuts,
            "tour": window.tour.begin,
            "diagnostics": self.copy_diagnostics,
            "about": self.show_about,
        }
        self._mark_scheme()

    def set_scheme(self, name: str) -> None:
        """Choose the colours, and remember the choice."""
        settings.set_scheme(name)
        theme.theme().set_scheme(name)
        self._mark_scheme()

    def _mark_scheme(self) -> None:
        for name in settings.SCHEMES:
            self._window.actions_registry[f"theme-{name}"].setChecked(name == settings.scheme())

    # -- finding -------------------------------------------------------------------------------
    def open_palette(self) -> None:
        entries = palette_entries(self._window.actions_registry, self._workspace)
        palette = CommandPalette(entries, self._window)
        palette.chosen.connect(self._on_palette)
        self._commands.show(palette)

    @Slot(str, object)
    def _on_palette(self, kind: str, payload: Any) -> None:
        session = self._workspace.session
        if kind == "command":
            self._commands.do(payload)
        elif kind == "model":
            self._choose_model(payload)
        elif kind == "class":
            session.update({"class_name": payload}, self)
            self._window.show_perspective("concepts")
        elif kind == "concept":
            session.update({"concept": payload}, self)
            self._window.show_perspective("concepts")
        elif kind == "concept set":
            self._commands.concepts.show(payload)
        elif kind == "slice":
            self._commands.slices.show(payload)
        elif kind == "run":
            self._commands.show_run(payload)

    def _choose_model(self, name: str) -> None:
        """The model is selected; where layers of a pair are compared it becomes A."""
        compared = {p.id: p.uses_layers for p in PERSPECTIVES}[self._window.perspective]
        index = self._workspace.index
        model = index.model(name) if index is not None else None
        self._workspace.select_models((name,), self)
        if compared and model is not None and not model.imported:
            self._workspace.show_model("a", name, self)

    # -- help ----------------------------------------------------------------------------------
    def show_shortcuts(self) -> None:
        registry = self._window.actions_registry
        panels = [dock.view_action for dock in self._window.docks.values()]
        possible = [d.id for d in registry.definitions() if registry[d.id].isEnabled()]
        dialog = ShortcutsDialog(key_lines(registry, panels), possible, self._window)
        dialog.chosen.connect(self._commands.do)
        self._commands.show(dialog)

    def copy_diagnostics(self) -> None:
        QGuiApplication.clipboard().setText(diagnostics_text(self._workspace.index))
        self._window.status_line.set_message("Diagnostics copied to the clipboard.")

    def show_about(self) -> None:
        box = QMessageBox(self._window)
        box.setWindowTitle("About Parallax")
        box.setIconPixmap(self._window.windowIcon().pixmap(64, 64))
        box.setText(f"Parallax {__version__}")
        box.setInformativeText(
            "What does one vision model see that another does not?\nBSD 3-clause licence."
        )
        box.open()
