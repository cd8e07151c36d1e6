"""The first page: where to begin, recent projects, and the next step in an open project."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from analysis.figures.words import count
from app import settings, theme
from app.labels import wrapped_label
from app.project_index import ProjectIndex
from app.recent_list import RecentList
from app.tour_steps import tour_steps

_WIDTH = 680
_BUTTON_WIDTH = 190
_SHOWN = (
    ("concepts", "concepts"),
    ("layers", "layers"),
    ("embedding", "embedding"),
    ("dissection", "units"),
    ("saliency", "saliency"),
    ("semantics", "semantics"),
)
_MEANINGS = {
    "sample": "Seven small networks, one of which relies on a pink square: the audits run at once.",
    "new": "Your own images and two or more models, in one file.",
    "open": "A .parallax file: its results are there without images and models.",
    "tour": "Eight steps through the window, with the sample or your project.",
    "go-concepts": "Which concepts one model uses that the other cannot predict.",
    "go-layers": "In which layers the models agree, and from where they part.",
    "go-embedding": "Which models have learned the same concepts.",
    "go-units": "What single units stand for, and what activates them most.",
    "go-saliency": "Where each model looks, and how far to trust the maps.",
    "go-semantics": "Which concepts, given by examples, both models share.",
    "run-audit": "Compare models by another audit, or other models.",
    "add-images": "A folder of images, or one with a folder for each class.",
    "add-model": "From timm or torchvision, or your own weights.",
    "import-table": "Units or performance measured elsewhere, as CSV.",
    "embed-models": "Place the dissected models by the concepts they have learned.",
}
_ABOUT = (
    "Parallax shows what two vision models see differently: which concepts one uses that the"
    " other cannot predict, in which layers they part, and on which images."
)


class WelcomePage(QScrollArea):
    """Without a project: new, open, sample, recent. With one: what it holds, what to do next."""

    action = Signal(str)
    recent_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self._shown_buttons: tuple[tuple[str, str], ...] = ()
        self.title = QLabel()
        self.title.setFont(theme.font("title", bold=True))
        self.text = wrapped_label()
        self.buttons = QGridLayout()
        self.buttons.setHorizontalSpacing(theme.PADDING)
        self.buttons.setVerticalSpacing(theme.GRID)
        self.buttons.setColumnStretch(1, 1)
        self.recent_title = QLabel("Recent projects")
        theme.mute(self.recent_title)
        self.recent = RecentList()
        self.recent.chosen.connect(self.recent_chosen)
        self.recent.changed.connect(self._show_recent_title)
        self._build()
        self.show_index(None)

    def _build(self) -> None:
        page = QWidget()
        page.setMaximumWidth(_WIDTH)
        column = QVBoxLayout(page)
        column.setContentsMargins(
            theme.PADDING * 2, theme.PADDING * 4, theme.PADDING * 2, theme.PADDING * 2
        )
        column.setSpacing(theme.PADDING)
        column.addWidget(self.title)
        column.addWidget(self.text)
        column.addLayout(self.buttons)
        column.addSpacing(theme.PADDING)
        column.addWidget(self.recent_title)
        column.addWidget(self.recent, 20)  # as high as its rows, where there is room
        column.addStretch(1)
        outer = QWidget()
        row = QHBoxLayout(outer)
        row.addStretch(1)
        row.addWidget(page, 100)  # its full width, where there is room
        row.addStretch(1)
        self.setWidget(outer)

    def show_index(self, index: ProjectIndex | None) -> None:
        """Show the start page, or the state of a project."""
        if index is None:
            self.title.setText("Parallax")
            self.text.setText(_ABOUT)
            self._set_buttons(
                ("sample", "Open the sample project"),
                ("new", "New project…"),
                ("open", "Open…"),
                ("tour", tour_words()),
            )
        else:
            self.title.setText(index.name or index.path.stem)
            self.text.setText(project_summary(index))
            self._set_buttons(*next_steps(index), ("tour", tour_words()))
        self._show_recent(index)

    def show_opening(self, name: str) -> None:
        """Say that a project is being opened."""
        self.title.setText(name)
        self.text.setText("The project is being opened …")
        self._set_buttons()
        self._show_recent(None)

    def _set_buttons(self, *buttons: tuple[str, str]) -> None:
        if buttons == self._shown_buttons:
            return
        self._shown_buttons = buttons
        while self.buttons.count():
            item = self.buttons.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for position, (action, text) in enumerate(buttons):
            button = QPushButton(text)
            button.setProperty("action", action)
            button.setDefault(position == 0)
            button.setFont(theme.font("body", bold=position == 0))
            button.setMinimumWidth(_BUTTON_WIDTH)
            button.clicked.connect(self._on_button)
            meaning = wrapped_label(_MEANINGS.get(action, ""), muted=True)
            button.setAccessibleDescription(meaning.text())
            self.buttons.addWidget(button, position, 0)
            self.buttons.addWidget(meaning, position, 1)

    def _show_recent(self, index: ProjectIndex | None) -> None:
        self.recent.show_recent(None if index is None else index.path.absolute())
        self._show_recent_title()

    @Slot()
    def _show_recent_title(self) -> None:
        for widget in (self.recent_title, self.recent):
            widget.setVisible(self.recent.count() > 0)

    @Slot()
    def _on_button(self) -> None:
        sender = self.sender()
        if sender is not None:
            self.action.emit(sender.property("action"))


def tour_words() -> str:
    """What the button of the tour says: it goes on where it was closed."""
    step = settings.tour_step()
    steps = len(tour_steps())
    if 0 < step < steps:
        return f"Go on with the tour ({step + 1} of {steps})"
    return "Take the guided tour"


def project_summary(index: ProjectIndex) -> str:
    """What a project holds, in a sentence or two."""
    images = sum(entry.images for entry in index.image_sets)
    parts = [
        count(images, "image"),
        count(len(index.models), "model"),
        count(len(index.runs), "run"),
    ]
    text = f"{', '.join(parts[:-1])} and {parts[-1]}."
    unfinished = sum(run.resumable for run in index.runs)
    if unfinished:
        text += f" {count(unfinished, 'run')} not finished."
    rejected = sum(entry.rejected for entry in index.image_sets)
    if rejected:
        text += f" {count(rejected, 'image')} could not be read and stay out."
    return text + (" Open read-only: nothing can be changed." if index.read_only else "")


def next_steps(index: ProjectIndex) -> tuple[tuple[str, str], ...]:
    """The buttons of the page, what is most needed first: (action, text)."""
    if index.read_only:
        return (*_results(index), ("open", "Open another…"))
    steps = {
        "add-images": "Add images…",
        "add-model": "Add model…",
        "import-table": "Import table…",
        "run-audit": "Run an audit…",
    }
    if len(index.dissected) > 1 and not index.networks:
        first = "embed-models"
        steps[first] = "Embed models…"
    elif not index.image_sets:
        first = "add-images"
    elif len(index.networks) < 2:
        first = "add-model"
    else:
        first = "run-audit"
    if not (index.image_sets and index.networks):
        del steps["run-audit"]
    if index.networks:
        del steps["import-table"]  # still in the menu
    order = [first, *(step for step in steps if step != first)]
    return (*_results(index), *((step, steps[step]) for step in order))


def _results(index: ProjectIndex) -> tuple[tuple[str, str], ...]:
    return tuple(
        (f"go-{perspective}", f"See the {perspective}")
        for audit, perspective in _SHOWN
        if any(run.audit == audit and run.has_results for run in index.runs)
    )
