"""The runner, with an audit made up for the test: no torch, no images decoded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from analysis.audits import runner
from analysis.audits.context import RunContext
from analysis.audits.parameters import parameter
from analysis.audits.plan import AuditDefinition, Estimate, Request, Results, Unit
from analysis.errors import AuditError, Cancelled
from analysis.progress import Progress
from analysis.project import Project


@dataclass(frozen=True)
class _Parameters:
    seed: int = parameter(0, "Seed of the made-up numbers")


@dataclass
class _MadeUpAudit:
    """Ten units; the sixth depends on the number of rows that are committed before it."""

    project: Project
    ran: list[str] = field(default_factory=list)
    stop_at: str = ""
    error: BaseException | None = None
    barren: set[str] = field(default_factory=set)  # units that bring nothing but a problem

    def check(self, request: Request) -> None:
        pass

    def estimate(self, request: Request) -> Estimate:
        return Estimate(forwards=10, seconds=1.0, bytes=100, units=10)

    def plan(self, context: RunContext) -> Iterator[Unit]:
        for number in range(5):
            yield Unit(key=f"{number}", text="first")
        committed = self.project.value(
            "SELECT count(*) FROM layer_similarity WHERE run = ? AND layer_a < '5'",
            (context.run.id,),
        )
        for number in range(5, 5 + committed):
            yield Unit(key=f"{number}", text="second")

    def count_units(self, context: RunContext) -> int:
        return 10

    def run_unit(self, unit: Unit, context: RunContext) -> Results:
        self.ran.append(unit.key)
        if unit.key == self.stop_at and self.error is not None:
            error, self.error = self.error, None
            raise error
        if unit.key in self.barren:
            return Results(problems=[("A", "The weights are gone.")])
        value = np.random.default_rng(int(unit.key) + context.parameters.seed).normal()
        row = {"model_a": "A", "model_b": "B", "layer_a": unit.key, "layer_b": "x",
               "mmcs_pearson": float(value), "classes": 1}  # fmt: skip
        return Results({"layer_similarity": [row]}, {unit.key: np.array([value])}, [])

    def conclude(self, context: RunContext) -> None:
        pass


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "test.parallax", "test") as made:
        image_set = made.add_image_set("images", tmp_path, "flat folder")
        from analysis.images.scanning import ScannedImage

        made.add_images(image_set, [ScannedImage("a.png", None, None, 1, 1, "0" * 64, 1)])
        for name in ("A", "B"):
            made.add_model(name, "timm:none", num_classes=0)
        yield made


@pytest.fixture
def audit(project: Project, monkeypatch: pytest.MonkeyPatch) -> _MadeUpAudit:
    made_up = _MadeUpAudit(project)
    definition = AuditDefinition("made-up", "Made up", "", _Parameters, made_up)
    monkeypatch.setattr(runner, "audit_definition", lambda name: definition)
    return made_up


def _new_run(project: Project) -> int:
    return runner.create_run(project, "made-up", ("A", "B"), _Parameters(), device="cpu")


def _table(project: Project, run: int) -> list[tuple[object, ...]]:
    rows = project.rows(
        "SELECT layer_a, mmcs_pearson FROM layer_similarity WHERE run = ? ORDER BY id", (run,)
    )
    return [tuple(row) for row in rows]


def _state(project: Project, run: int) -> str:
    return project.value("SELECT state FROM run WHERE id = ?", (run,))


def test_all_units_run_in_order_and_the_run_is_done(project: Project, audit: _MadeUpAudit) -> None:
    run = _new_run(project)
    seen: list[str] = []
    runner.execute(project, run, Progress(), lambda _, key: seen.append(key))
    assert seen == audit.ran == [str(number) for number in range(10)]
    assert _state(project, run) == "done"
    assert project.value("SELECT units_total FROM run WHERE id = ?", (run,)) == 10


@pytest.mark.parametrize("stop_at", ["0", "3", "4", "5", "9"])
@pytest.mark.parametrize(
    ("error", "state"),
    [
        (Cancelled(), "cancelled"),
        (AuditError("No.", "Try again."), "failed"),
        (KeyboardInterrupt(), "cancelled"),
        (ZeroDivisionError(), "failed"),
    ],
)
def test_a_stopped_run_resumes_with_the_same_numbers(
    project: Project, audit: _MadeUpAudit, stop_at: str, error: BaseException, state: str
) -> None:
    undisturbed = _new_run(project)
    runner.execute(project, undisturbed, Progress())
    audit.stop_at, audit.error = stop_at, error
    disturbed = _new_run(project)
    with pytest.raises(type(error)):
        runner.execute(project, disturbed, Progress())
    assert _state(project, disturbed) == state
    audit.ran.clear()
    runner.execute(project, disturbed, Progress())
    assert _state(project, disturbed) == "done"
    assert audit.ran[0] == stop_at
    assert _table(project, disturbed) == _table(project, undisturbed)


def test_a_run_that_brings_nothing_fails_with_the_reason_and_can_be_taken_up(
    project: Project, audit: _MadeUpAudit
) -> None:
    run = _new_run(project)
    audit.barren = {str(number) for number in range(10)}
    with pytest.raises(AuditError, match=r"Nothing could be done\. A: The weights are gone\."):
        runner.execute(project, run, Progress())
    assert _state(project, run) == "failed"
    audit.barren.clear()
    runner.execute(project, run, Progress())
    assert _state(project, run) == "done"
    assert len(_table(project, run)) == 10
    assert project.value("SELECT count(*) FROM problem WHERE run = ?", (run,)) == 0


def test_a_run_of_which_something_could_be_done_is_done(
    project: Project, audit: _MadeUpAudit
) -> None:
    run = _new_run(project)
    audit.barren = {"0", "1", "2"}
    runner.execute(project, run, Progress())
    assert _state(project, run) == "done"
    assert project.value("SELECT count(*) FROM problem WHERE run = ?", (run,)) == 3


def test_cancelling_before_the_start_runs_nothing(project: Project, audit: _MadeUpAudit) -> None:
    run = _new_run(project)
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        runner.execute(project, run, progress)
    assert audit.ran == []
    assert _state(project, run) == "cancelled"


def test_an_unfinished_run_of_the_same_inputs_is_found(
    project: Project, audit: _MadeUpAudit
) -> None:
    run = _new_run(project)
    image_set = project.value("SELECT image_set FROM run")
    find = runner.find_unfinished_run
    assert find(project, "made-up", ("A", "B"), _Parameters(), image_set) == run
    assert find(project, "made-up", ("B", "A"), _Parameters(), image_set) is None
    assert find(project, "made-up", ("A", "B"), _Parameters(seed=1), image_set) is None
    runner.execute(project, run, Progress())
    assert find(project, "made-up", ("A", "B"), _Parameters(), image_set) is None


def test_models_and_images_must_exist(project: Project, audit: _MadeUpAudit) -> None:
    with pytest.raises(AuditError, match="no model “C”"):
        runner.create_run(project, "made-up", ("A", "C"), _Parameters())
    with pytest.raises(AuditError, match="no images"):
        runner.create_run(project, "made-up", ("A", "B"), _Parameters(), image_set=99)
    with pytest.raises(AuditError, match="no longer"):
        runner.execute(project, 99, Progress())


def test_progress_never_goes_back(project: Project, audit: _MadeUpAudit) -> None:
    reports: list[tuple[float, float]] = []
    progress = Progress(lambda done, total, text, left: reports.append((done, total)))
    runner.execute(project, _new_run(project), progress)
    assert reports[-1][0] == reports[-1][1]
    assert [done for done, _ in reports] == sorted(done for done, _ in reports)
