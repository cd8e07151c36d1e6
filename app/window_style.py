"""How the window's own parts look, beyond the theme."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QPushButton

from app import theme


def progress_style() -> str:
    """Thin bars in the colours of text."""
    tokens = theme.theme().tokens
    return (
        f"QProgressBar {{ border: 1px solid {tokens.border}; border-radius: 3px;"
        f" background: {tokens.surface}; }}"
        f"QProgressBar::chunk {{ background: {tokens.muted}; border-radius: 2px; }}"
    )


def tab_style() -> str:
    """Thin tabs: the one in front is marked by a line, not by a box."""
    tokens = theme.theme().tokens
    return (
        f"QTabBar::tab {{ padding: 7px 14px 5px 14px; border: none;"
        f" border-bottom: 2px solid transparent; color: {tokens.muted}; }}"
        f"QTabBar::tab:selected {{ color: {tokens.text};"
        f" border-bottom: 2px solid {tokens.text}; }}"
        f"QTabBar::tab:hover {{ color: {tokens.text}; }}"
        f"QTabBar::tab:focus {{ border-bottom: 2px solid {tokens.link}; }}"
    )


def find_style() -> str:
    """A button that looks like a field to type into."""
    tokens = theme.theme().tokens
    return (
        f"QPushButton {{ color: {tokens.muted}; border: 1px solid {tokens.border};"
        f" border-radius: 4px; padding: 3px 10px; background: {tokens.surface}; }}"
        f"QPushButton:hover, QPushButton:focus {{ color: {tokens.text}; }}"
    )


def find_button() -> QPushButton:
    """The way to the command palette."""
    keys = QKeySequence("Ctrl+K").toString(QKeySequence.SequenceFormat.NativeText)
    button = QPushButton(f"{keys}   find a command, model, class, concept …")
    button.setFlat(True)
    button.setFont(theme.font("body"))
    button.setAccessibleName("Find a command, model, class or concept")
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button
