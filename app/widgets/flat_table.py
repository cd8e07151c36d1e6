"""Tables and trees with plain heads and one thin line around."""

from __future__ import annotations

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QTableView, QTreeView

from app.theme import Tokens, theme


def flatten(view: QTableView | QTreeView) -> None:
    """Give a table or a tree with a header its look, in either scheme."""
    _FlatLook(view)


class _FlatLook(QObject):
    """Styles the table or tree that it belongs to, again whenever the scheme changes.

    The sheet is of this widget alone: one for the whole application makes Qt keep a kilobyte for
    every box to choose from or to type a number into, for ever.
    """

    def __init__(self, view: QTableView | QTreeView) -> None:
        super().__init__(view)
        self._view = view
        theme().changed.connect(self._restyle)
        self._restyle()

    @Slot()
    def _restyle(self) -> None:
        tokens = theme().tokens
        if isinstance(self._view, QTableView):
            self._view.setStyleSheet(_table(tokens) + _sections(tokens))
        else:
            self._view.header().setStyleSheet(_sections(tokens))


def _table(tokens: Tokens) -> str:
    return f"QTableView {{ border: 1px solid {tokens.border}; }}"


def _sections(tokens: Tokens) -> str:
    return (
        f"QHeaderView::section {{ background: {tokens.window}; color: {tokens.muted};"
        f" border: none; border-right: 1px solid {tokens.border};"
        f" border-bottom: 1px solid {tokens.border}; padding: 3px 6px; }}"
    )
