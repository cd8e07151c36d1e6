"""The audit `embedding`: where do models lie relative to one another, by the concepts they know?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analysis.audits.context import RunContext
from analysis.audits.parameters import parameter
from analysis.audits.plan import Estimate, Request, Results, Unit
from analysis.embedding.presets import Preset
from analysis.errors import AuditError
from analysis.name_lists import split_names
from analysis.project import Project

_BYTES_A_CONCEPT_AND_MODEL = 60
_SECONDS = 3.0


@dataclass(frozen=True, kw_only=True)
class EmbeddingParameters:
    """Everything that decides the numbers of an `embedding` run."""

    preset: Preset = parameter(  # noqa: RUF009 - a dataclass field like the others
        "default",
        "default: all concepts of the models chosen; paper: as published (concepts of all models"
        " of the tables, the first one dropped, the thirteen published models where they are all"
        " there, three groups)",
        choices=("default", "paper"),
    )
    iou_threshold: float = parameter(
        0.04, "A unit stands for a concept if its IoU is above this", minimum=0, maximum=1
    )
    components: int = parameter(3, "Principal components kept", minimum=1, maximum=3)
    groups: int = parameter(
        0, "Groups of models; 0: as many as the silhouette prefers (paper: three)", minimum=0,
        maximum=50,
    )  # fmt: skip
    dissection: str = parameter(
        "",
        "Runs of the audit dissection by number, separated by commas; empty: each model's latest",
    )
    layer: str = parameter(
        "", "The layer of each model whose units count; empty: the last one dissected"
    )
    projected: str = parameter(
        "",
        "Further models by name, separated by commas (a name that holds one in double quotes),"
        " placed without changing the embedding",
    )
    replicates: int = parameter(
        1000, "Draws of units behind each ellipse", minimum=100, maximum=100_000
    )
    permutations: int = parameter(
        100_000, "Shuffles of models behind each correlation's p", minimum=100, maximum=1_000_000
    )
    parallel_permutations: int = parameter(
        1000, "Shuffles behind the variance each component has by chance", minimum=100,
        maximum=100_000,
    )  # fmt: skip
    seed: int = parameter(0, "Seed of everything drawn at random", minimum=0, maximum=2**31 - 1)

    def further_models(self) -> tuple[str, ...]:
        return split_names(self.projected)


@dataclass(frozen=True)
class UnitSource:
    """Where a model's units come from: a dissection run and the layer of the model."""

    model: str
    run: int
    layer: str


def unit_sources(project: Project, parameters: EmbeddingParameters) -> dict[str, UnitSource]:
    """The dissected models of a project, each with its newest run that suits, in their order.

    :raises AuditError: a run that is asked for does not exist or dissected nothing.
    """
    runs = _asked_runs(project, parameters.dissection)
    rows = project.rows(
        "SELECT u.run, u.model, u.layer FROM (SELECT DISTINCT run, model, layer FROM unit) u"
        " JOIN run r ON r.id = u.run JOIN model m ON m.name = u.model"
        " LEFT JOIN layer l ON l.model = u.model AND l.name = u.layer"
        " WHERE r.state = 'done' OR r.id IN (SELECT run FROM profile)"
        " ORDER BY m.position, u.run, l.position"
    )
    found: dict[str, UnitSource] = {}
    for row in rows:
        if runs and row["run"] not in runs:
            continue
        if parameters.layer and row["layer"] != parameters.layer:
            continue
        found[row["model"]] = UnitSource(row["model"], row["run"], row["layer"])
    return found


def _asked_runs(project: Project, text: str) -> frozenset[int]:
    runs = set()
    for part in (part.strip() for part in text.split(",")):
        if not part:
            continue
        known = part.isdecimal() and project.value(
            "SELECT 1 FROM run WHERE id = ? AND audit = 'dissection'", (int(part[:18]),)
        )
        if not known:
            raise AuditError(
                f"There is no dissection run “{part}”.",
                "Give the numbers of dissection runs, as `parallax info` lists them.",
            )
        runs.add(int(part))
    return frozenset(runs)


def checked_sources(
    project: Project, models: Sequence[str], parameters: EmbeddingParameters
) -> dict[str, UnitSource]:
    """The sources of every dissected model, once those asked for are seen to be among them.

    :raises AuditError: a model has not been dissected, or is both fitted and projected.
    """
    sources = unit_sources(project, parameters)
    further = parameters.further_models()
    for name in (*models, *further):
        if name not in sources:
            where = f" at the layer “{parameters.layer}”" if parameters.layer else ""
            raise AuditError(
                f"“{name}” has not been dissected{where}.",
                "Run the audit dissection for it, or import a table of its units.",
            )
    both = set(models) & set(further)
    if both:
        raise AuditError(
            f"“{sorted(both)[0]}” is to be fitted and projected at the same time.",
            "Name it in one of the two lists.",
        )
    return sources


class EmbeddingAudit:
    """Profiles of models become a few components; one unit of work, seconds long."""

    def check(self, request: Request) -> None:
        """A model whose dissection is still to be done will do: it is looked for again then."""
        waiting = {
            row["model"]
            for row in request.project.rows(
                "SELECT model FROM run_model m JOIN run r ON r.id = m.run"
                " WHERE r.audit = 'dissection' AND r.state IN ('pending', 'running')"
            )
        }
        there = [name for name in request.models if name not in waiting]
        checked_sources(request.project, there, request.parameters)

    def estimate(self, request: Request) -> Estimate:
        concepts = request.project.value(
            "SELECT count(DISTINCT concept || category) FROM unit WHERE interpretable"
        )
        others = [
            f"{name} is placed without changing the embedding."
            for name in request.parameters.further_models()
        ]
        return Estimate(
            forwards=0,
            seconds=_SECONDS,
            bytes=_BYTES_A_CONCEPT_AND_MODEL * concepts * (len(request.models) + 3),
            units=1,
            notes=tuple(others),
        )

    def plan(self, context: RunContext) -> Iterator[Unit]:
        yield Unit(key="embedding", text="Embedding the models")

    def count_units(self, context: RunContext) -> int:
        return 1

    def run_unit(self, unit: Unit, context: RunContext) -> Results:
        from analysis.audits.embedding_unit import run_embedding

        return run_embedding(context)

    def conclude(self, context: RunContext) -> None:
        """Nothing: the one unit says it all."""
