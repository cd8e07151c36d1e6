"""What a project holds, as plain immutable entries for lists and menus. No Qt here."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from analysis.figures.run_results import Standing, newest, run_standings
from analysis.project import IMPORTED, Project
from app.finding_entries import FindingEntry, read_finding_entries

RUNNABLE_STATES = frozenset({"pending", "cancelled", "failed", "running"})


@dataclass(frozen=True)
class ImageSetEntry:
    id: int
    name: str
    source: str
    kind: str
    images: int
    rejected: int


@dataclass(frozen=True)
class LabelEntry:
    """A folder of label planes."""

    id: int
    name: str
    source: str
    kind: str
    image_set: int | None  # None: for every set whose images it has planes of


@dataclass(frozen=True)
class ConceptSetEntry:
    """A concept given by examples; `kind`: folder, labels or patches."""

    id: int
    name: str
    kind: str


@dataclass(frozen=True)
class SliceEntry:
    """A named slice of the images; `origin`: in words, how they were chosen."""

    id: int
    name: str
    origin: str
    images: int


@dataclass(frozen=True)
class LayerEntry:
    name: str
    kind: str
    depth: float | None


@dataclass(frozen=True)
class ModelEntry:
    id: int
    name: str
    specification: str
    architecture: str
    num_classes: int
    preprocessing: str  # JSON
    load_report: str  # JSON
    layers: tuple[LayerEntry, ...]
    library: str = ""

    @property
    def has_weights_file(self) -> bool:
        """Whether its weights lie in a file of their own, which can be moved."""
        return "@" in self.specification or self.specification.startswith(("export:", "onnx:"))

    @property
    def imported(self) -> bool:
        """Whether it is known from a table alone: no audit can run it."""
        return self.library == IMPORTED


@dataclass(frozen=True)
class RunEntry:
    id: int
    audit: str
    name: str
    image_set: int | None
    model_a: str | None
    model_b: str | None
    layer_a: str | None
    layer_b: str | None
    state: str
    units_done: int
    units_total: int | None
    problems: int
    message: str
    created: str
    seconds: float | None
    has_results: bool
    parameters: str  # JSON
    models: tuple[str, ...] = ()  # all of them: the pair, or a list of equals
    dissected: tuple[str, ...] = ()  # those whose units this run has labelled so far
    standing: Standing = Standing.RESULTS  # of a run with results; see `run_results`

    @property
    def pair(self) -> bool:
        """Whether it compares one model with another."""
        return self.model_a is not None and self.model_b is not None

    @property
    def table(self) -> str:
        """The file that the run's results were imported from; empty for a run made here."""
        parameters = read_json(self.parameters)
        return str(parameters.get("source", "")) if parameters.get("imported") is True else ""

    @property
    def about(self) -> str:
        """The models in a few words: “X ⇄ Y”, a name or two, “13 models”."""
        if self.pair:
            return f"{self.model_a} ⇄ {self.model_b}"
        if len(self.models) > 2:
            return f"{len(self.models)} models"
        return ", ".join(self.models)

    @property
    def resumable(self) -> bool:
        """Whether the run is unfinished; one left “running” by a crash counts too."""
        return self.state in RUNNABLE_STATES

    def compares(self, model_a: str | None, model_b: str | None) -> bool:
        """Whether the run is about this pair of models, in either order."""
        return (self.model_a, self.model_b) in ((model_a, model_b), (model_b, model_a))

    def mirrored(self, model_a: str | None) -> bool:
        """Whether the run's first model is the one shown as B."""
        return self.model_a != model_a and self.model_b == model_a

    def layers_for(self, model_a: str | None) -> tuple[str | None, str | None]:
        """The run's layers, first that of the model shown as A."""
        if self.mirrored(model_a):
            return self.layer_b, self.layer_a
        return self.layer_a, self.layer_b


@dataclass(frozen=True)
class ProjectIndex:
    """Everything the navigator, the pair bar and the dialogs list."""

    path: Path
    name: str
    read_only: bool
    image_sets: tuple[ImageSetEntry, ...] = ()
    models: tuple[ModelEntry, ...] = ()
    runs: tuple[RunEntry, ...] = ()
    labels: tuple[LabelEntry, ...] = ()
    concept_sets: tuple[ConceptSetEntry, ...] = ()
    findings: tuple[FindingEntry, ...] = ()
    slices: tuple[SliceEntry, ...] = ()

    @cached_property
    def _models_by_name(self) -> dict[str, ModelEntry]:
        return {model.name: model for model in self.models}

    @cached_property
    def _runs_by_id(self) -> dict[int, RunEntry]:
        return {run.id: run for run in self.runs}

    def model(self, name: str | None) -> ModelEntry | None:
        return self._models_by_name.get(name) if name is not None else None

    def image_slice(self, number: int | None) -> SliceEntry | None:
        return next((one for one in self.slices if one.id == number), None)

    def run(self, number: int | None) -> RunEntry | None:
        return self._runs_by_id.get(number) if number is not None else None

    @cached_property
    def networks(self) -> tuple[ModelEntry, ...]:
        """The models that audits can run: all but those of imported tables."""
        return tuple(model for model in self.models if not model.imported)

    @cached_property
    def dissected(self) -> tuple[str, ...]:
        """Models whose units some run has labelled, in the models' order."""
        names = {name for run in self.runs for name in run.dissected}
        return tuple(model.name for model in self.models if model.name in names)

    def newest_run(self, audit: str) -> RunEntry | None:
        """The run of `audit` to show, whatever its models."""
        return self._newest(run for run in self.runs if run.audit == audit)

    def latest_run(
        self,
        audit: str,
        model_a: str | None,
        model_b: str | None,
        layers: tuple[str | None, str | None] | None = None,
    ) -> RunEntry | None:
        """The run of `audit` on this pair to show.

        :param layers: if given, the layers of A and B that a `concepts` run must compare.
        """
        return self._newest(
            run
            for run in self.runs
            if run.audit == audit
            and run.compares(model_a, model_b)
            and (layers is None or run.layers_for(model_a) == layers)
        )

    def _newest(self, runs: Iterable[RunEntry]) -> RunEntry | None:
        return self.run(newest({run.id: run.standing for run in runs if run.has_results}))

    def newer_unfinished(self, shown: Collection[int]) -> tuple[RunEntry, RunEntry] | None:
        """The newest unfinished run that came after one of these, of the same audit and pair of
        models; with the one that it came after."""
        for run in reversed(self.runs):
            for one in filter(None, map(self.run, shown)):
                same = run.audit == one.audit and run.compares(one.model_a, one.model_b)
                if same and run.resumable and run.id > one.id:
                    return run, one
        return None

    def newest_pair(self) -> tuple[str | None, str | None]:
        """The pair of models to show first: two different ones, with a finished run and results of
        the most kinds of audits, the newest of those; without results, the first two models."""
        audits: dict[tuple[str | None, str | None], set[str]] = {}
        finished: set[tuple[str | None, str | None]] = set()
        for run in reversed(self.runs):
            if run.has_results and run.pair:
                pair = (run.model_a, run.model_b)
                audits.setdefault(pair, set()).add(run.audit)
                finished |= set() if run.resumable else {pair}
        if audits:
            # The first of equals, so the newest.
            return max(audits, key=lambda p: (p[0] != p[1], p in finished, len(audits[p])))
        names = [model.name for model in self.networks]
        return (names[0] if names else None, names[1] if len(names) > 1 else None)


def read_index(project: Project) -> ProjectIndex:
    """Read everything that the lists of the window show."""
    return ProjectIndex(
        path=Path(project.path),
        name=project.name,
        read_only=project.read_only,
        image_sets=_read_image_sets(project),
        models=_read_models(project),
        runs=_read_runs(project),
        labels=_read_labels(project),
        concept_sets=tuple(
            ConceptSetEntry(*row)
            for row in project.rows("SELECT id, name, kind FROM concept_set ORDER BY id")
        ),
        findings=read_finding_entries(project),
        slices=tuple(
            SliceEntry(one.id, one.name, one.origin, one.images) for one in project.image_slices()
        ),
    )


def _read_image_sets(project: Project) -> tuple[ImageSetEntry, ...]:
    rows = project.rows(
        "SELECT id, name, source, kind,"
        " (SELECT count(*) FROM image WHERE image.image_set = image_set.id) AS images,"
        " (SELECT count(*) FROM rejected_image r WHERE r.image_set = image_set.id) AS rejected"
        " FROM image_set ORDER BY name"
    )
    return tuple(
        ImageSetEntry(
            row["id"], row["name"], row["source"], row["kind"], row["images"], row["rejected"]
        )
        for row in rows
    )


def _read_labels(project: Project) -> tuple[LabelEntry, ...]:
    rows = project.rows(
        "SELECT id, name, source, kind, image_set FROM label_plane_source ORDER BY name"
    )
    return tuple(LabelEntry(*row) for row in rows)


def _read_models(project: Project) -> tuple[ModelEntry, ...]:
    layers: dict[str, list[LayerEntry]] = {}
    for row in project.rows("SELECT model, name, kind, depth FROM layer ORDER BY model, position"):
        layers.setdefault(row["model"], []).append(
            LayerEntry(row["name"], row["kind"] or "", row["depth"])
        )
    rows = project.rows(
        "SELECT id, name, specification, architecture, num_classes, preprocessing, load_report,"
        " library FROM model ORDER BY position, id"
    )
    return tuple(
        ModelEntry(
            row["id"],
            row["name"],
            row["specification"] or "",
            row["architecture"] or "",
            row["num_classes"] or 0,
            row["preprocessing"] or "",
            row["load_report"] or "",
            tuple(layers.get(row["name"], ())),
            row["library"] or "",
        )
        for row in rows
    )


def _read_runs(project: Project) -> tuple[RunEntry, ...]:
    standings = run_standings(project)
    models, dissected = _read_run_models(project)
    layers: dict[tuple[int, str], str] = {
        (row["run"], row["side"]): row["layer"]
        for row in project.rows("SELECT DISTINCT run, side, layer FROM concept")
    }
    rows = project.rows(
        "SELECT id, audit, name, image_set, model_a, model_b, parameters, state, units_total,"
        " message, created, seconds,"
        " (SELECT count(*) FROM work_unit w WHERE w.run = run.id AND w.state = 'done') AS done,"
        " (SELECT count(*) FROM problem p WHERE p.run = run.id) AS problems"
        " FROM run ORDER BY id"
    )
    return tuple(
        _run_entry(row, models.get(row["id"], ()), dissected, standings, layers) for row in rows
    )


def _read_run_models(
    project: Project,
) -> tuple[dict[int, tuple[str, ...]], dict[int, tuple[str, ...]]]:
    """By run: its list of models, and those of them whose units it has labelled."""
    models: dict[int, tuple[str, ...]] = {}
    dissected: dict[int, tuple[str, ...]] = {}
    for run, model, labelled in project.rows(
        "SELECT run, model, EXISTS (SELECT 1 FROM unit"
        " WHERE unit.run = run_model.run AND unit.model = run_model.model)"
        " FROM run_model ORDER BY run, position"
    ):
        models[run] = (*models.get(run, ()), model)
        if labelled:
            dissected[run] = (*dissected.get(run, ()), model)
    return models, dissected


def _run_entry(
    row: Any,
    models: tuple[str, ...],
    dissected: dict[int, tuple[str, ...]],
    standings: Mapping[int, Standing],
    layers: dict[tuple[int, str], str],
) -> RunEntry:
    parameters = read_json(row["parameters"])
    standing = standings.get(row["id"], Standing.NOTHING)
    pair = tuple(name for name in (row["model_a"], row["model_b"]) if name is not None)
    return RunEntry(
        id=row["id"],
        audit=row["audit"],
        name=row["name"] or row["audit"],
        image_set=row["image_set"],
        model_a=row["model_a"],
        model_b=row["model_b"],
        layer_a=layers.get((row["id"], "a")) or _text(parameters.get("layer_a")),
        layer_b=layers.get((row["id"], "b")) or _text(parameters.get("layer_b")),
        state=row["state"],
        units_done=row["done"],
        units_total=row["units_total"],
        problems=row["problems"],
        message=row["message"] or "",
        created=row["created"] or "",
        seconds=row["seconds"],
        has_results=standing != Standing.NOTHING,
        parameters=row["parameters"] or "{}",
        models=models or pair,
        dissected=dissected.get(row["id"], ()),
        standing=standing,
    )


def read_json(text: str | None) -> dict[str, Any]:
    """The object in `text`, or an empty one if there is none: project files are untrusted."""
    try:
        value = json.loads(text or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def as_text(value: Any) -> str:
    """A parameter's value as forms and the command line write it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


@dataclass(frozen=True)
class ImageFacts:
    """Where an image lies, and its size upright, in pixels."""

    id: int
    image_set: str
    source: str
    path: str
    label: str | None
    width: int
    height: int
    there: bool = True  # whether the original is at hand


def read_image_facts(project: Project, image: int) -> ImageFacts | None:
    """The facts of one image of the project, or None if it is gone."""
    rows = project.rows(
        "SELECT image.id, image_set.name, image_set.source, image.path, image.label, image.width,"
        " image.height FROM image JOIN image_set ON image_set.id = image.image_set"
        " WHERE image.id = ?",
        (image,),
    )
    if not rows:
        return None
    number, image_set, source, path, label, width, height = rows[0]
    there = project.resolve_image(number) is not None
    return ImageFacts(number, image_set, source, path, label, width or 0, height or 0, there)


def read_problems(project: Project, run: int, limit: int = 500) -> tuple[tuple[str, str], ...]:
    """What a run could not use, and why: (subject, reason)."""
    rows = project.rows(
        "SELECT subject, reason FROM problem WHERE run = ? ORDER BY id LIMIT ?", (run, limit)
    )
    return tuple((row["subject"], row["reason"]) for row in rows)


def read_rejected_images(
    project: Project, image_set: int, limit: int = 500
) -> tuple[tuple[str, str], ...]:
    """The images of a set that were left out, and why: (path, reason)."""
    rows = project.rows(
        "SELECT path, reason FROM rejected_image WHERE image_set = ? ORDER BY path LIMIT ?",
        (image_set, limit),
    )
    return tuple((row["path"], row["reason"]) for row in rows)
