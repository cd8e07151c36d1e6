"""Colours, type and spacing of the window: one meaning a colour, in a light and a dark scheme.

Both schemes pass WCAG AA for text (contrast of at least 4.5 to their surfaces).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication, QToolTip, QWidget

from app.widgets.colour_maps import colour_map

MODEL_COLOURS = {"a": "#0072B2", "b": "#D55E00"}
"""Marks of the first and second model, everywhere."""

SIDE_SYMBOLS = {"a": "o", "b": "s"}
"""Shape of a model's concepts in plots: circle and square."""


@dataclass(frozen=True)
class PatchKind:
    """One of the three patch sets of a concept (paper, Fig. 2): its words, sign and colour."""

    key: str  # as in the patch table
    word: str
    sign: str
    colour: str
    symbol: str  # of the plot
    meaning: str


PATCH_KINDS = {
    "top": PatchKind("top", "real", "＝", "#009E73", "s", "where the concept is strongest"),
    "over": PatchKind(
        "over", "over-predicted", "▲", "#E69F00", "t1", "where the prediction is far too high"
    ),
    "under": PatchKind(
        "under", "under-predicted", "▼", "#56B4E9", "t", "where the prediction is far too low"
    ),
}


@dataclass(frozen=True)
class Category:
    """Colour and plot symbol of a concept category (Okabe–Ito, with a shape each)."""

    colour: str
    symbol: str
    sign: str


CATEGORIES = {
    "object": Category("#0072B2", "o", "●"),
    "part": Category("#56B4E9", "d", "◆"),
    "material": Category("#E69F00", "s", "■"),
    "colour": Category("#CC79A7", "p", "⬟"),
    "texture": Category("#009E73", "t1", "▲"),
    "scene": Category("#D55E00", "star", "★"),
}

FONT_SIZES = {"title": 15, "body": 13, "small": 11}
"""Pixels at scale 1."""

GRID = 8
"""Pixels of the spacing grid at scale 1."""

PADDING = 12
"""Padding of a panel, in pixels at scale 1."""

_DARKER = 140  # per cent: how much darker Fusion draws outlines than the window

IMAGE_MAT = "#7A7A7A"
"""The neutral grey behind pictures in both schemes, so that neither tints them."""


@dataclass(frozen=True)
class Tokens:
    """The named colours of one scheme."""

    dark: bool
    window: str  # behind panels
    surface: str  # lists, tables, plots
    alternate: str
    raised: str  # buttons
    text: str
    muted: str  # second-rank text
    border: str
    grid: str  # lines inside of plots
    highlight: str  # selected rows
    highlight_text: str
    focus: str  # selected marks and the focus ring: neutral, so that colour keeps its meaning
    link: str
    model_a_text: str
    model_b_text: str
    warning_text: str
    no_value: str  # cells without a value that counts


LIGHT = Tokens(
    dark=False,
    window="#F4F5F6",
    surface="#FFFFFF",
    alternate="#F7F8F9",
    raised="#FFFFFF",
    text="#1B1F24",
    muted="#59616A",
    border="#CED3D9",
    grid="#E3E6EA",
    highlight="#D5DCE4",
    highlight_text="#11151A",
    focus="#11151A",
    link="#00598C",
    model_a_text="#00639C",
    model_b_text="#A84A00",
    warning_text="#8A4B00",
    no_value="#DFE2E6",
)

DARK = Tokens(
    dark=True,
    window="#1C1F23",
    surface="#24282D",
    alternate="#282D32",
    raised="#31363C",
    text="#E7EAEE",
    muted="#A6AFB9",
    border="#41474F",
    grid="#353B42",
    highlight="#454E59",
    highlight_text="#FFFFFF",
    focus="#FFFFFF",
    link="#7CC0EC",
    model_a_text="#69B6E8",
    model_b_text="#F59A5B",
    warning_text="#F0B86A",
    no_value="#3A4047",
)


class Theme(QObject):
    """The scheme in use; `changed` tells widgets to take its colours again."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.scheme = "system"
        self.tokens = LIGHT

    @property
    def dark(self) -> bool:
        return self.tokens.dark

    def set_scheme(self, scheme: str) -> None:
        """Take 'light', 'dark' or 'system' (which then follows the desktop's setting)."""
        if scheme not in ("system", "light", "dark"):
            raise ValueError(f"no colour scheme {scheme!r}: light, dark or system")
        self.scheme = scheme
        self._take(self._wanted())

    def follow_system(self) -> None:
        """The desktop has changed its scheme."""
        if self.scheme == "system":
            self._take(self._wanted())

    def _wanted(self) -> Tokens:
        if self.scheme == "system":
            system = QGuiApplication.styleHints().colorScheme()
            return DARK if system == Qt.ColorScheme.Dark else LIGHT
        return DARK if self.scheme == "dark" else LIGHT

    def _take(self, tokens: Tokens) -> None:
        self.tokens = tokens
        application = QApplication.instance()
        if isinstance(application, QApplication):
            _give_palette(application, palette(tokens))
        self.changed.emit()

    def colour(self, token: str) -> QColor:
        """A colour by its token's name, such as 'text' or 'border'."""
        return QColor(getattr(self.tokens, token))

    def magnitudes(self, name: str = "viridis") -> np.ndarray:
        """256 RGB colours for magnitudes, cut so that both ends stand out from the ground."""
        table = colour_map(name)
        span = (0.22, 1.0) if self.dark else (0.0, 0.93)
        return table[np.linspace(span[0] * 255, span[1] * 255, 256).round().astype(int)]

    def signed(self) -> np.ndarray:
        """256 RGB colours for signed values; the middle, 0, is the ground of the scheme."""
        return colour_map("signed dark" if self.dark else "signed")


_theme: Theme | None = None


def theme() -> Theme:
    """The theme of the application."""
    global _theme
    if _theme is None:
        _theme = Theme()
    return _theme


def apply(application: QApplication, scheme: str = "system") -> Theme:
    """Give the application its style, type and colours, and follow the desktop from now on."""
    current = theme()
    application.setStyle("Fusion")
    application.setFont(font("body"))
    hints = application.styleHints()
    hints.colorSchemeChanged.connect(current.follow_system, Qt.ConnectionType.UniqueConnection)
    current.set_scheme(scheme)
    return current


def font(size: str = "body", bold: bool = False, tabular: bool = False) -> QFont:
    """The system's font at 'title', 'body' or 'small' size; `tabular`: digits of one width."""
    result = QFont(QGuiApplication.font())
    result.setPixelSize(FONT_SIZES[size])
    result.setBold(bold)
    if tabular:
        result.setFeature(QFont.Tag.fromString("tnum"), 1)  # type: ignore[arg-type]
    return result


def _give_palette(application: QApplication, colours: QPalette) -> None:
    """Give all widgets the colours, also those that were never shown, such as unopened menus."""
    application.setPalette(colours)
    QToolTip.setPalette(colours)
    # Qt tells the windows on the screen alone, and only when the event loop turns again.
    change = QEvent.Type.ApplicationPaletteChange
    QCoreApplication.sendPostedEvents(None, change)
    for widget in application.topLevelWidgets():
        if widget.windowHandle() is None:
            QCoreApplication.sendEvent(widget, QEvent(change))
    # Widgets with a style sheet of their own, and what stands around them, are passed over.
    for widget in application.allWidgets():
        if widget.testAttribute(Qt.WidgetAttribute.WA_StyleSheet):
            QCoreApplication.sendEvent(widget, QEvent(change))


def outlined(colours: QPalette) -> QPalette:
    """For boxes to tick: the style draws their outline in a darker shade of the window's colour,
    which in the dark scheme cannot be seen. They do not paint that colour otherwise."""
    result = QPalette(colours)
    result.setColor(QPalette.ColorRole.Window, theme().colour("muted").lighter(_DARKER))
    return result


def palette(tokens: Tokens) -> QPalette:
    """Qt's palette of a scheme."""
    result = QPalette()
    roles = QPalette.ColorRole
    for role, name in (
        (roles.Window, tokens.window),
        (roles.WindowText, tokens.text),
        (roles.Base, tokens.surface),
        (roles.AlternateBase, tokens.alternate),
        (roles.Text, tokens.text),
        (roles.PlaceholderText, tokens.muted),
        (roles.Button, tokens.raised),
        (roles.ButtonText, tokens.text),
        (roles.BrightText, tokens.text),
        (roles.ToolTipBase, tokens.raised),
        (roles.ToolTipText, tokens.text),
        (roles.Highlight, tokens.highlight),
        (roles.HighlightedText, tokens.highlight_text),
        (roles.Accent, tokens.focus),
        (roles.Link, tokens.link),
        (roles.LinkVisited, tokens.link),
        (roles.Light, tokens.raised),
        (roles.Midlight, tokens.border),
        (roles.Mid, tokens.border),
        (roles.Dark, tokens.border),
    ):
        result.setColor(role, QColor(name))
    for role in (roles.Text, roles.ButtonText, roles.WindowText):
        result.setColor(QPalette.ColorGroup.Disabled, role, _faded(tokens))
    return result


def _faded(tokens: Tokens) -> QColor:
    colour = QColor(tokens.muted)
    colour.setAlpha(150)
    return colour


def mute(widget: QWidget) -> None:
    """Write its text in the colour of the second rank, in either scheme."""
    widget.setForegroundRole(QPalette.ColorRole.PlaceholderText)
