"""What the grid of maps shows: its arrangement, and what each further axis is held at."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFont, QPalette
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.labels import ElidedLabel
from app.theme import GRID, font, theme
from app.views.saliency_layout import (
    ARRANGEMENTS,
    METHODS_IMAGES,
    MODELS_IMAGES,
    MODELS_METHODS,
    NULL_KIND,
    Chosen,
    Places,
)
from app.views.saliency_words import settings_line
from app.widgets.flow_layout import FlowLayout
from app.widgets.heat_pictures import COLOURS, MODES, HeatLook

_HINTS = {
    MODELS_IMAGES: "A row a model, a column an image, one method",
    METHODS_IMAGES: "A row a method, a column an image, one model",
    MODELS_METHODS: "A row a model, a column a method, one image",
}
_MODE_WORDS = {
    "overlay": "map over image",
    "masked": "image × map",
    "contours": "contours",
    "image": "image alone",
}
_MODE_HINTS = {
    "overlay": "The map's colours laid over the image",
    "masked": "The image multiplied with the map: what average drop and increase are measured on",
    "contours": "Lines at a quarter, a half and three quarters of the map's span",
    "image": "The image without its map",
}


class Chooser(QWidget):
    """A named list of one axis."""

    def __init__(self, word: str, width: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.combo = QComboBox()
        self.combo.setAccessibleName(word)
        self.combo.setFont(font("small"))
        self.combo.setMaxVisibleItems(24)
        self.combo.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.combo.setMinimumContentsLength(width)
        label = QLabel(word)
        label.setFont(font("small"))
        label.setBuddy(self.combo)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(GRID // 2)
        line.addWidget(label)
        line.addWidget(self.combo)

    def choose(self, data: object) -> None:
        """Show a choice."""
        self.combo.setCurrentIndex(self.combo.findData(data))
        self.combo.setToolTip(self.combo.currentText())


class SaliencyBar(QWidget):
    """Setters are silent. `arranged(arrangement)`; `method_chosen(label)`; `model_chosen(name)`;
    `image_chosen(id)`; `explain_requested`; `back_requested`."""

    arranged = Signal(str)
    method_chosen = Signal(str)
    model_chosen = Signal(str)
    image_chosen = Signal(int)
    explain_requested = Signal()
    back_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._places: Places | None = None
        self._make_arrangements()
        self.method = Chooser("Method", 16)
        self.model = Chooser("Model", 18)
        self.image = Chooser("Image", 20)
        self.earlier = self._tool("‹", "Image before")
        self.later = self._tool("›", "Next image")
        self.explain = QPushButton("Explain a picture…")
        self.explain.setFont(font("small"))
        self.explain.setToolTip(
            "Explain any picture at once, by all methods of all models; or drop it on the window"
        )
        self.settings = ElidedLabel()
        self.settings.setFont(font("small"))
        self.settings.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self.settings.setAccessibleName("What everything was measured with")
        self._make_banner()
        flow = FlowLayout(spacing=GRID)
        flow.addWidget(self.choices)
        for part in (self.method, self.model, self.image):
            flow.addWidget(part)
        self.first = QWidget()
        first = QHBoxLayout(self.first)
        first.setContentsMargins(0, 0, 0, 0)
        first.setSpacing(GRID)
        first.addLayout(flow, 1)
        first.addWidget(self.explain, 0, Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID // 2)
        layout.addWidget(self.banner)
        layout.addWidget(self.first)
        layout.addWidget(self.settings)
        self._connect()

    def _make_arrangements(self) -> None:
        self.choices = QWidget()
        line = QHBoxLayout(self.choices)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(0)
        self.group = QButtonGroup(self)
        self.group.setExclusive(True)
        for number, arrangement in enumerate(ARRANGEMENTS):
            button = QToolButton()
            button.setText(arrangement)
            button.setFont(font("small"))
            button.setCheckable(True)
            button.setToolTip(_HINTS[arrangement])
            button.setAccessibleName(f"Grid of {arrangement}")
            self.group.addButton(button, number)
            line.addWidget(button)
        self.group.button(0).setChecked(True)
        theme().changed.connect(self._restyle)
        self._restyle()

    def _restyle(self) -> None:
        """The arrangement that holds stands out in both schemes."""
        tokens = theme().tokens
        self.choices.setStyleSheet(
            f"QToolButton:checked {{ background: {tokens.highlight}; "
            f"color: {tokens.highlight_text}; border: 1px solid {tokens.muted}; padding: 3px; }}"
        )

    def _make_banner(self) -> None:
        self.walk = QWidget()
        walk = QHBoxLayout(self.walk)
        walk.setContentsMargins(0, 0, 0, 0)
        walk.setSpacing(0)
        walk.addWidget(self.earlier)
        walk.addWidget(self.later)
        beside = self.image.layout()
        assert beside is not None
        beside.addWidget(self.walk)
        self.banner = QWidget()
        self.banner_text = ElidedLabel()
        self.banner_text.setFont(font("body", bold=True))
        self.problems = ElidedLabel()
        self.problems.setFont(font("small"))
        self.problems.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self.another = QPushButton("Explain another picture…")
        self.back = QPushButton("Back to the run")
        for button in (self.another, self.back):
            button.setFont(font("small"))
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(self.banner_text)
        words.addWidget(self.problems)
        line = QHBoxLayout(self.banner)
        line.setContentsMargins(0, 0, 0, GRID // 2)
        line.setSpacing(GRID)
        line.addLayout(words, 1)
        line.addWidget(self.another)
        line.addWidget(self.back)
        self.banner.hide()

    def _tool(self, text: str, name: str) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setFont(font("body"))
        button.setAccessibleName(name)
        button.setToolTip(name)
        return button

    def _connect(self) -> None:
        self.group.idClicked.connect(self._arrange)
        self.method.combo.activated.connect(self._choose_method)
        self.model.combo.activated.connect(self._choose_model)
        self.image.combo.activated.connect(self._choose_image)
        self.earlier.clicked.connect(self._go_back)
        self.later.clicked.connect(self._go_on)
        self.explain.clicked.connect(self.explain_requested)
        self.another.clicked.connect(self.explain_requested)
        self.back.clicked.connect(self.back_requested)

    # -- setters

    def set_places(self, places: Places) -> None:
        """List the models, methods and images of a run."""
        self._places = places
        index = places.index
        _fill(self.model.combo, [(model, model, "", False) for model in index.models])
        _fill(
            self.method.combo,
            [(m.title, m.label, m.description, m.kind == NULL_KIND) for m in index.methods],
        )
        labels = zip(index.image_names, index.image_labels, index.images.tolist(), strict=True)
        _fill(
            self.image.combo,
            [
                (name, i, f"{name}, label {label}" if label else name, False)
                for name, label, i in labels
            ],
        )
        self.settings.setText(settings_line(index))

    def show_choice(self, arrangement: str, chosen: Chosen) -> None:
        """Show what the grid shows; only the axis that is not in the grid can be chosen."""
        self.group.button(ARRANGEMENTS.index(arrangement)).setChecked(True)
        self.method.setVisible(arrangement == MODELS_IMAGES)
        self.model.setVisible(arrangement == METHODS_IMAGES)
        several = arrangement == MODELS_METHODS and self.image.combo.count() > 1
        self.image.setVisible(several)
        self.method.choose(chosen.method)
        self.model.choose(chosen.model)
        self.image.choose(chosen.image)
        place = self.image.combo.currentIndex()
        self.earlier.setEnabled(place > 0)
        self.later.setEnabled(0 <= place < self.image.combo.count() - 1)

    def show_banner(self, text: str, problems: str = "") -> None:
        """Say that a picture outside of any run is shown; an empty text hides this."""
        self.banner.setVisible(bool(text))
        self.banner_text.setText(text)
        self.problems.setText(problems)
        self.problems.setVisible(bool(problems))
        self.first.setVisible(not text)

    # -- by hand

    def _arrange(self, number: int) -> None:
        self.arranged.emit(ARRANGEMENTS[number])

    def _choose_method(self, place: int) -> None:
        label = self.method.combo.itemData(place)
        if label is not None:
            self.method_chosen.emit(label)

    def _choose_model(self, place: int) -> None:
        self.model_chosen.emit(self.model.combo.itemData(place))

    def _choose_image(self, place: int) -> None:
        self.image_chosen.emit(self.image.combo.itemData(place))

    def _go_back(self) -> None:
        self._choose_image(self.image.combo.currentIndex() - 1)

    def _go_on(self) -> None:
        self._choose_image(self.image.combo.currentIndex() + 1)


class LookControls(QWidget):
    """How maps are laid over pictures; `changed(HeatLook)`; `resized(steps)`."""

    changed = Signal(object)
    resized = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.mode = self._combo("How maps are shown", 11)
        for mode in MODES:
            self.mode.addItem(_MODE_WORDS[mode], mode)
            self.mode.setItemData(
                self.mode.count() - 1, _MODE_HINTS[mode], Qt.ItemDataRole.ToolTipRole
            )
        self.colours = self._combo("Colours of maps", 6)
        for name in COLOURS:
            self.colours.addItem(name, name)
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setAccessibleName("Opacity of the map, in percent")
        self.opacity.setToolTip("Opacity of the map")
        self.opacity.setRange(0, 100)
        self.opacity.setPageStep(10)
        self.opacity.setFixedWidth(90)
        self.opacity.setValue(round(HeatLook().opacity * 100))
        self.smaller = self._size_button("−", "Smaller pictures")
        self.larger = self._size_button("+", "Larger pictures")
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(GRID // 2)
        for part in (self.mode, self.colours, self.opacity, self.smaller, self.larger):
            line.addWidget(part)
        self.mode.currentIndexChanged.connect(self._tell)
        self.colours.currentIndexChanged.connect(self._tell)
        self.opacity.valueChanged.connect(self._tell)
        self.smaller.clicked.connect(self._make_smaller)
        self.larger.clicked.connect(self._make_larger)

    def _combo(self, name: str, width: int) -> QComboBox:
        combo = QComboBox()
        combo.setAccessibleName(name)
        combo.setToolTip(name)
        combo.setFont(font("small"))
        combo.setMinimumContentsLength(width)
        return combo

    def _size_button(self, text: str, name: str) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setFont(font("small"))
        button.setAccessibleName(name)
        button.setToolTip(name)
        return button

    def look(self) -> HeatLook:
        """What is chosen."""
        return HeatLook(
            self.mode.currentData(), self.colours.currentData(), self.opacity.value() / 100
        )

    def _tell(self) -> None:
        mode = self.mode.currentData()
        self.opacity.setEnabled(mode == "overlay")
        self.colours.setEnabled(mode in ("overlay", "contours"))
        self.changed.emit(self.look())

    def _make_smaller(self) -> None:
        self.resized.emit(-1)

    def _make_larger(self) -> None:
        self.resized.emit(1)


def _fill(combo: QComboBox, entries: list[tuple[str, object, str, bool]]) -> None:
    """Entries as text, data, hint, and whether it is a null map (in italics)."""
    italic = QFont(font("small"))
    italic.setItalic(True)
    combo.clear()
    for text, data, hint, chance in entries:
        combo.addItem(text, data)
        place = combo.count() - 1
        if hint:
            combo.setItemData(place, hint, Qt.ItemDataRole.ToolTipRole)
        if chance:
            combo.setItemData(place, italic, Qt.ItemDataRole.FontRole)
