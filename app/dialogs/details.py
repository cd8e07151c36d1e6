"""Read-only details: of a model, a run, an image set; and the sheet of shortcuts."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QPlainTextEdit, QVBoxLayout, QWidget

from app import theme
from app.jobs import format_duration
from app.project_index import (
    ImageSetEntry,
    LabelEntry,
    ModelEntry,
    ProjectIndex,
    RunEntry,
    read_json,
)

_MOST_NAMES = 40


class DetailsDialog(QDialog):
    """A title and a text that can be selected and copied."""

    def __init__(self, title: str, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.text = QPlainTextEdit(text)
        self.text.setReadOnly(True)
        self.text.setAccessibleName(title)
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.WidgetWidth)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(*(theme.PADDING,) * 4)
        column.addWidget(self.text)
        column.addWidget(buttons)
        self.resize(560, 480)


def model_text(model: ModelEntry) -> str:
    """Everything the project knows about a model."""
    if model.imported:
        layers = ", ".join(layer.name for layer in model.layers) or "none"
        return f"{model.name} is known from an imported table alone.\n\nlayers   {layers}"
    lines = [
        f"specification   {model.specification}",
        f"architecture    {model.architecture}",
        f"classes         {model.num_classes or 'none: the model has no class head'}",
        f"layers          {len(model.layers)}",
        "",
        load_report_text(model),
        "",
        "Preprocessing",
    ]
    lines += [f"  {key}: {_plain(value)}" for key, value in read_json(model.preprocessing).items()]
    lines += ["", "Layers (kind, relative depth)"]
    for layer in model.layers:
        depth = f", {layer.depth:.2f}" if layer.depth is not None else ""
        lines.append(f"  {layer.name} ({layer.kind}{depth})")
    return "\n".join(lines)


def load_report_text(model: ModelEntry) -> str:
    """What became of the weights: what was left out, what is missing."""
    report = read_json(model.load_report)
    layers = f"{len(model.layers):,} layers found."
    lines = [f"{model.name} is ready: {layers}"]
    if report.get("note"):
        lines.append(str(report["note"]))
    if report.get("prefix"):
        lines.append(f"The weights were found under “{report['prefix']}”.")
    for key, words in (
        ("left_out", "Weights in the file that the model has no place for, left out"),
        ("missing", "Weights that the file lacks"),
    ):
        names = report.get(key) or []
        if isinstance(names, list) and names:
            lines.append(f"{words} ({len(names):,}): {_listed(names)}")
    return "\n".join(lines)


def run_text(run: RunEntry, problems: Iterable[tuple[str, str]]) -> str:
    """Everything the project knows about a run."""
    total = f" of {run.units_total:,}" if run.units_total else ""
    lines = [
        f"audit    {run.audit}",
        _models_line(run),
        f"state    {run.state}, {run.units_done:,}{total} units of work done",
        f"made     {run.created}",
    ]
    if run.seconds:
        lines.append(f"took     {format_duration(run.seconds)}")
    if run.message:
        lines.append(f"message  {run.message}")
    lines += ["", "Parameters"]
    lines += [f"  {key}: {_plain(value)}" for key, value in read_json(run.parameters).items()]
    listed = list(problems)
    if listed:
        lines += ["", f"Left out ({run.problems:,})"]
        lines += [f"  {subject}: {reason}" for subject, reason in listed]
    return "\n".join(lines)


def _models_line(run: RunEntry) -> str:
    if run.pair:
        return f"models   {run.model_a} (A) and {run.model_b} (B)"
    return f"models   {_listed(list(run.models))}"


def label_planes_text(entry: LabelEntry, index: ProjectIndex) -> str:
    """Where label planes lie and which images they belong to."""
    image_sets = {image_set.id: image_set.name for image_set in index.image_sets}
    of = image_sets.get(entry.image_set or 0, "every image set with images of the same names")
    return "\n".join([f"folder   {entry.source}", f"kind     {entry.kind}", f"images   {of}"])


def image_set_text(entry: ImageSetEntry, rejected: Iterable[tuple[str, str]]) -> str:
    """Where an image set lies and which of its files are left out."""
    lines = [
        f"folder   {entry.source}",
        f"kind     {entry.kind}",
        f"images   {entry.images:,}",
    ]
    listed = list(rejected)
    if listed:
        lines += ["", f"Left out ({entry.rejected:,})"]
        lines += [f"  {path}: {reason}" for path, reason in listed]
    return "\n".join(lines)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _listed(names: list[Any]) -> str:
    shown = ", ".join(str(name) for name in names[:_MOST_NAMES])
    more = len(names) - _MOST_NAMES
    return f"{shown} and {more:,} more" if more > 0 else shown
