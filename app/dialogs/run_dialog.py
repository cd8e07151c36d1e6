"""Planning a run: audit, models, images, parameters; its cost is shown before it starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtWidgets import QComboBox, QFormLayout, QScrollArea, QWidget

from analysis.devices import DEVICE_NAMES
from analysis.errors import AuditError
from app import theme
from app.dialogs.form import FormDialog
from app.dialogs.model_list import ModelList
from app.dialogs.parameter_form import ParameterForm
from app.jobs import format_bytes, format_duration
from app.labels import wrapped_label
from app.problems import Problem
from app.project_index import ModelEntry, ProjectIndex
from app.workspace import Workspace

_ESTIMATE = "estimate"
_DEBOUNCE_MS = 200
_PAIR = "pair"
_SHARING = frozenset({"concepts", "layers"})  # their parameters mean the same


class RunDialog(FormDialog):
    """Chooses what to run. The estimate follows every edit; Start is there once it is known."""

    def __init__(
        self,
        workspace: Workspace,
        audit: str | None = None,
        values: Mapping[str, Any] | None = None,
        parent: QWidget | None = None,
        models: Sequence[str] = (),
    ) -> None:
        """`values`: parameters, and `models`: by name, to begin with."""
        super().__init__("Run an audit", "Start", parent)
        self._workspace = workspace
        self._definition: Any = None
        self._wanted_models: tuple[str, ...] = ()
        self._values: dict[str, dict[str, Any]] = {}  # by audit; some share theirs
        self._parameters: Any = None
        self.audit = _combo("Audit")
        self.model_a = _combo("Model A")
        self.model_b = _combo("Model B")
        self.models = ModelList()
        self.image_set = _combo("Images")
        self.device = _combo("Processor")
        self.description = wrapped_label(muted=True)
        self.parameters = ParameterForm()
        self.estimate = wrapped_label()
        self.estimate.setAccessibleName("What the run will cost")
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_DEBOUNCE_MS)
        self._timer.timeout.connect(self._ask_estimate)
        self._build()
        self._fill(workspace.index, audit, values or {}, tuple(models))
        self.audit.currentIndexChanged.connect(self._on_audit)
        for combo in (self.model_a, self.model_b):
            combo.currentIndexChanged.connect(self._on_models)
        self.models.changed.connect(self._on_models)
        self.image_set.currentIndexChanged.connect(self._on_edited)
        self.parameters.changed.connect(self._on_edited)
        workspace.loader.failed.connect(self._on_failed)
        workspace.project_changed.connect(self._on_project)
        self._on_audit()

    def _build(self) -> None:
        self.form.addRow("Audit", self.audit)
        self.form.addRow(self.description)
        self.form.addRow("Model A", self.model_a)
        self.form.addRow("Model B", self.model_b)
        self.form.addRow("Models", self.models)
        self.form.addRow("Images", self.image_set)
        self.form.addRow("Processor", self.device)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        content = QWidget()
        rows = QFormLayout(content)
        rows.setContentsMargins(0, 0, theme.PADDING, 0)
        rows.addRow(self.parameters)
        area.setWidget(content)
        area.setMinimumHeight(180)
        self.column.insertWidget(1, area, 1)
        self.column.insertWidget(2, self.estimate)
        self.resize(600, 680)

    def _fill(
        self,
        index: ProjectIndex | None,
        audit: str | None,
        values: Mapping[str, Any],
        models: tuple[str, ...],
    ) -> None:
        for name, definition in self._workspace.backend.audits().items():
            self.audit.addItem(definition.title, name)
        _choose(self.audit, audit)
        if self.audit.currentData() is not None:
            self._values_of(self.audit.currentData()).update(values)
        for device in DEVICE_NAMES:
            self.device.addItem(_DEVICE_WORDS[device], device)
        if index is None:
            return
        for combo in (self.model_a, self.model_b):
            for model in index.networks:
                combo.addItem(model.name, model.name)
        for entry in index.image_sets:
            self.image_set.addItem(f"{entry.name} ({entry.images:,} images)", entry.id)
        now = self._workspace.session.snapshot
        model_a, model_b = models if len(models) == 2 else (now.model_a, now.model_b)
        _choose(self.model_a, model_a)
        _choose(self.model_b, model_b)
        self._wanted_models = models or now.models
        for name, layer in (("layer_a", now.layer_a), ("layer_b", now.layer_b)):
            if layer is not None:
                self._values.setdefault(_PAIR, {}).setdefault(name, layer)

    def _values_of(self, audit: str) -> dict[str, Any]:
        """What is typed for an audit; the same word means other things in other audits."""
        return self._values.setdefault(_PAIR if audit in _SHARING else audit, {})

    # -- edits -----------------------------------------------------------------------------
    @Slot()
    def _on_audit(self) -> None:
        name = self.audit.currentData()
        if name is None:
            return
        if self._definition is not None:
            self._values_of(self._definition.name).update(self.parameters.values())
        self._definition = self._workspace.backend.audits()[name]
        self.description.setText(self._definition.description)
        self._show_rows()
        fields = self._workspace.backend.parameter_fields(name)
        self.parameters.show_fields(fields, self._values_of(name))
        self._on_models()

    def _show_rows(self) -> None:
        """The rows that this audit needs: a pair or a list of models, images or none."""
        pair = self._definition.takes_pair
        for widget, needed in (
            (self.model_a, pair),
            (self.model_b, pair),
            (self.models, not pair),
            (self.image_set, self._definition.takes_images),
        ):
            self.form.setRowVisible(widget, needed)
        index = self._workspace.index
        if not pair and index is not None:
            entries = [(m.name, why_not(self._definition, m, index)) for m in index.models]
            self.models.show_models(entries, self.models.checked() or self._wanted_models)

    @Slot()
    def _on_models(self) -> None:
        pair = (self.model_a.currentData(), self.model_b.currentData())
        offered = dict(zip(("layer_a", "layer_b"), map(self._layers, pair), strict=True))
        offered["layer"] = _shared([self._layers(name) for name in self.models.checked()])
        self.parameters.set_layers(offered)
        self._on_edited()

    def _layers(self, name: str | None) -> list[str]:
        index = self._workspace.index
        model = index.model(name) if index is not None else None
        return [layer.name for layer in model.layers] if model is not None else []

    @Slot()
    def _on_edited(self) -> None:
        self._parameters = None
        self.say("", "Estimating…")
        self.accept_button.setEnabled(False)
        self._timer.start()

    @Slot()
    def _ask_estimate(self) -> None:
        project, audit = self._workspace.project, self.audit.currentData()
        models = self.chosen_models()
        missing = missing_text(self._definition, models, self.chosen_images())
        if project is None or missing:
            self._refuse(missing)
            return
        try:
            parameters = self._workspace.backend.parse_parameters(audit, self.parameters.values())
        except AuditError as error:
            self._refuse(str(error))
            return
        self._parameters = parameters
        arguments = (project, audit, models, parameters, self.chosen_images())
        self._workspace.loader.load(
            _ESTIMATE, self._workspace.backend.estimate, *arguments, then=self._show_estimate
        )

    def chosen_models(self) -> tuple[str, ...]:
        """The pair, or the models of the list that are checked."""
        if not self._definition.takes_pair:
            return self.models.checked()
        pair = (self.model_a.currentData(), self.model_b.currentData())
        return tuple(name for name in pair if name is not None)

    def chosen_images(self) -> int | None:
        """The image set, None for an audit that looks at no images."""
        return self.image_set.currentData() if self._definition.takes_images else None

    def _refuse(self, problem: str) -> None:
        self._workspace.loader.forget(_ESTIMATE)
        self.estimate.setText("")
        self.say(problem)

    def _show_estimate(self, estimate: Any) -> None:
        if self._parameters is None:
            return  # edited since
        self.estimate.setText(estimate_text(estimate))
        self.say("")

    @Slot(str, object)
    def _on_failed(self, name: str, problem: Problem) -> None:
        if name == _ESTIMATE:
            self._refuse(problem.text)

    @Slot(object)
    def _on_project(self, _project: object) -> None:
        self.close()

    def accept(self) -> None:
        if self._parameters is None or not self.accept_button.isEnabled():
            return
        self._workspace.start_audit(
            self.audit.currentData(),
            self.chosen_models(),
            self._parameters,
            self.chosen_images(),
            self.device.currentData(),
        )
        super().accept()


_DEVICE_WORDS = {
    "auto": "the fastest there is",
    "cpu": "CPU",
    "cuda": "NVIDIA GPU (CUDA)",
    "mps": "Apple GPU (MPS)",
}


def why_not(definition: Any, model: ModelEntry, index: ProjectIndex) -> str:
    """Why an audit cannot take a model; empty if it can."""
    if definition.takes_weights and model.imported:
        return "comes from a table: there is no network to run"
    if definition.name == "embedding" and model.name not in index.dissected:
        return "not dissected yet"
    return ""


def missing_text(definition: Any, models: Sequence[str], image_set: int | None) -> str:
    """What a run of an audit still needs, or an empty text."""
    images = definition.takes_images and image_set is None
    if definition.takes_pair:
        if images or len(models) != 2:
            return "A run needs images and two models; they may be the same."
        return ""
    least, most = definition.least_models, definition.most_models
    if len(models) < least:
        return f"Check {least} models or more." if least > 1 else "Check the models to look at."
    if most is not None and len(models) > most:
        return f"Check at most {most} models."
    return "A run needs images: add some first." if images else ""


def estimate_text(estimate: Any) -> str:
    """What a run costs, in a sentence: forwards, time, disk."""
    time = (
        f"about {format_duration(estimate.seconds)}"
        if estimate.seconds is not None
        else "time not known yet: the models' speed has not been measured"
    )
    text = (
        f"{estimate.forwards:,} forward passes · {time} · {format_bytes(estimate.bytes)} on disk"
        f" · {estimate.units:,} steps that can be resumed"
    )
    return "\n".join([text, *estimate.notes])


def _shared(layers: Sequence[Sequence[str]]) -> list[str]:
    """The layers that all models have, in the order of the first."""
    common = set.intersection(*map(set, layers)) if layers else set()
    return [name for name in layers[0] if name in common] if layers else []


def _combo(name: str) -> QComboBox:
    combo = QComboBox()
    combo.setAccessibleName(name)
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setMinimumContentsLength(20)
    return combo


def _choose(combo: QComboBox, data: str | None) -> None:
    position = combo.findData(data, Qt.ItemDataRole.UserRole)
    if position >= 0:
        combo.setCurrentIndex(position)
