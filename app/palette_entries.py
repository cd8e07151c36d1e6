"""What the command palette can find in this project."""

from __future__ import annotations

from itertools import islice

from analysis.figures.data import ConceptPoints
from app.actions import ActionRegistry, plain_text
from app.dialogs.palette import PaletteEntry
from app.project_index import ModelEntry
from app.workspace import Workspace

_MOST_CONCEPTS = 20_000


def palette_entries(registry: ActionRegistry, workspace: Workspace) -> list[PaletteEntry]:
    """Commands that are possible now, then models, classes, concepts and runs."""
    entries = []
    for definition in registry.definitions():
        action = registry[definition.id]
        if action.isEnabled() and definition.id != "palette":
            keys = action.shortcut().toString()
            text = plain_text(action.text())
            entries.append(PaletteEntry("command", text, definition.id, keys))
    index = workspace.index
    if index is None:
        return entries
    entries += [PaletteEntry("model", m.name, m.name, _model_note(m)) for m in index.models]
    entries += [PaletteEntry("class", name, name) for name in workspace.classes]
    entries += [
        PaletteEntry("concept set", entry.name, entry.id, "concept given by examples")
        for entry in index.concept_sets
    ]
    entries += [
        PaletteEntry("slice", one.name, one.id, f"slice of {one.images:,} images")
        for one in index.slices
    ]
    entries += [
        PaletteEntry("run", run.name, run.id, run.about)
        for run in reversed(index.runs)
        if run.has_results
    ]
    return entries + _concepts(workspace.points)


def _model_note(model: ModelEntry) -> str:
    return "from a table" if model.imported else model.architecture


def _concepts(points: ConceptPoints | None) -> list[PaletteEntry]:
    if points is None:
        return []
    models = {"a": points.model_a, "b": points.model_b}
    columns = zip(points.concept_id, points.concept, points.side, points.class_name, strict=True)
    return [
        PaletteEntry("concept", f"concept {concept + 1} of {models[side]} · {name}", int(number))
        for number, concept, side, name in islice(columns, _MOST_CONCEPTS)
    ]
