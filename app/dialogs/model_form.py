"""Fields that describe a model: specification, weights file, preprocessing; checked as you type."""

from __future__ import annotations

from PySide6.QtCore import QStringListModel, Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QCompleter,
    QFormLayout,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from app import theme
from app.dialogs.form import PathField, is_there
from app.labels import wrapped_label
from app.problems import Problem, shorten
from app.specification_text import (
    PREPROCESSING,
    WEIGHT_FILTER,
    compose_specification,
    suggest_model_name,
)
from app.widgets.tick_box import TickBox
from app.workspace import Workspace

_CHECK = "check specification"
_CATALOGUE = "model catalogue"
_DEBOUNCE_MS = 150
_OWN = "the model's own"
_CHOICES = {"order": ("", "RGB", "BGR"), "scale": ("", "255", "1")}
_catalogue: tuple[str, ...] = ()


class ModelForm(QWidget):
    """Edits one model specification. `changed` says that `problem` or the fields are new."""

    changed = Signal()

    def __init__(
        self, workspace: Workspace, taken: set[str], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._taken = taken
        self._named_by_user = False
        self.canonical = ""
        self.problem = "Choose a model: type a few letters of its architecture."
        self.specification = QLineEdit()
        self.specification.setMaxLength(4096)
        self.specification.setPlaceholderText(
            "timm:resnet50, torchvision:alexnet, export:FILE.pt2, onnx:FILE.onnx"
        )
        self.specification.setAccessibleName("Model specification")
        self.specification.setToolTip(
            "<p>library:architecture, with options after “?” and weights after “@”, as"
            " timm:vit_small_patch16_224@weights.pth. Without weights, those of the library are"
            " used if this computer has them; “?pretrained=false” takes an untrained network.</p>"
            "<p>A network of your own is exported to a file: export:network.pt2 (torch.export) or"
            " onnx:network.onnx.</p>"
        )
        self.weights = PathField("weights file", "open", WEIGHT_FILTER)
        self.weights.edit.setPlaceholderText("optional: .safetensors, .pth or .pt")
        self.name = QLineEdit()
        self.name.setMaxLength(200)
        self.name.setAccessibleName("Name in this project")
        self.note = wrapped_label(muted=True)
        self._options: dict[str, QLineEdit | QComboBox] = {}
        self._build()
        self._completions = QStringListModel(self)
        self._make_completer()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_DEBOUNCE_MS)
        self._timer.timeout.connect(self._check)
        self.specification.textChanged.connect(self._on_edited)
        self.weights.changed.connect(self._on_edited)
        self.name.textEdited.connect(self._on_name_edited)
        workspace.loader.failed.connect(self._on_failed)
        self._load_catalogue()

    def _build(self) -> None:
        form = QFormLayout()
        form.setHorizontalSpacing(theme.PADDING)
        form.addRow("Model", self.specification)
        form.addRow("Weights", self.weights)
        form.addRow("Name", self.name)
        self.own = TickBox("Other preprocessing than the model's own")
        self.own.toggled.connect(self._on_own)
        self.advanced = QWidget()
        fields = QFormLayout(self.advanced)
        fields.setContentsMargins(theme.PADDING * 2, 0, 0, 0)
        for key, label, explanation in PREPROCESSING:
            field = self._option_field(key)
            field.setToolTip(explanation)
            field.setAccessibleName(label)
            self._options[key] = field
            fields.addRow(label, field)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(form)
        column.addWidget(self.own)
        column.addWidget(self.advanced)
        column.addWidget(self.note)
        self.advanced.hide()

    def _option_field(self, key: str) -> QLineEdit | QComboBox:
        if key in _CHOICES:
            combo = QComboBox()
            for choice in _CHOICES[key]:
                combo.addItem(choice or _OWN, choice)
            combo.currentTextChanged.connect(self._on_edited)
            return combo
        edit = QLineEdit()
        edit.setMaxLength(200)
        edit.setPlaceholderText(_OWN)
        edit.textChanged.connect(self._on_edited)
        return edit

    def _make_completer(self) -> None:
        completer = QCompleter(self._completions, self)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setMaxVisibleItems(14)
        self.specification.setCompleter(completer)

    def _load_catalogue(self) -> None:
        if _catalogue:
            self._on_catalogue(_catalogue)
            return
        self._workspace.loader.load(
            _CATALOGUE, self._workspace.backend.model_catalogue, then=self._on_catalogue
        )

    def _on_catalogue(self, names: tuple[str, ...]) -> None:
        global _catalogue
        _catalogue = names
        self._completions.setStringList(list(names))
        self._announce()

    # -- values ----------------------------------------------------------------------------
    def option(self, key: str) -> QLineEdit | QComboBox:
        """The field of one preprocessing option."""
        return self._options[key]

    def composed(self) -> str:
        """The specification that all fields together give."""
        options = {
            key: field.currentData() if isinstance(field, QComboBox) else field.text()
            for key, field in self._options.items()
            if self.own.isChecked()
        }
        return compose_specification(self.specification.text(), self.weights.text(), options)

    def clear(self) -> None:
        """Empty all fields, ready for the next model."""
        self._named_by_user = False
        self.specification.clear()
        self.weights.set_text("")
        self.name.clear()
        self.own.setChecked(False)
        for field in self._options.values():
            if isinstance(field, QComboBox):
                field.setCurrentIndex(0)
            else:
                field.clear()

    def set_taken(self, names: set[str]) -> None:
        """Names that other models have already."""
        self._taken = names
        self._check()

    # -- checking --------------------------------------------------------------------------
    @Slot()
    def _on_edited(self) -> None:
        self.problem = "Checking…"
        self._timer.start()
        self.changed.emit()

    @Slot(bool)
    def _on_own(self, own: bool) -> None:
        self.advanced.setVisible(own)
        self._on_edited()

    @Slot(str)
    def _on_name_edited(self, text: str) -> None:
        self._named_by_user = bool(text.strip())
        self._on_edited()

    @Slot()
    def _check(self) -> None:
        text = self.composed()
        self.canonical = ""
        if not text:
            self.problem = "Choose a model: type a few letters of its architecture."
            self._announce()
            return
        weights = self.weights.path()
        if self.weights.text() and (weights is None or not is_there(weights)):
            self.problem = "There is no such weights file."
            self._announce()
            return
        self._workspace.loader.load(
            _CHECK, self._workspace.backend.check_specification, text, then=self._on_checked
        )

    def _on_checked(self, canonical: str) -> None:
        self.canonical = canonical
        if not self._named_by_user:
            self.name.setText(suggest_model_name(canonical, self._taken))
        name = self.name.text().strip()
        if not name:
            self.problem = "Give the model a name."
        elif name in self._taken:
            self.problem = f"“{name}” is already in this project: choose another name."
        else:
            self.problem = ""
        self._announce()

    @Slot(str, object)
    def _on_failed(self, name: str, problem: Problem) -> None:
        if name == _CHECK:
            self.problem = problem.text
            self._announce()

    def _announce(self) -> None:
        if self.canonical and not self.problem:
            self.note.setText(shorten(f"Will be loaded as {self.canonical}", 300))
        elif _catalogue and not self.specification.text():
            self.note.setText(f"{len(_catalogue):,} architectures can be searched.")
        else:
            self.note.setText("")
        self.changed.emit()
