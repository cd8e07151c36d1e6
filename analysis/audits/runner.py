"""Making, estimating and carrying out runs: each unit commits whole, so a run can stop anywhere."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import platform
import time
from collections.abc import Callable, Sequence
from typing import Any

from analysis import __version__
from analysis.audits.context import RunContext, RunRecord
from analysis.audits.parameters import parameters_from_json
from analysis.audits.plan import AuditDefinition, Estimate, Request
from analysis.audits.registry import audit_definition
from analysis.errors import AuditError, Cancelled
from analysis.near_names import name_hint
from analysis.progress import Progress
from analysis.project import IMPORTED, Project
from analysis.project.values import json_mapping

# While a run goes on, conclusions are drawn anew at most this often, in seconds.
_CONCLUDE_EVERY = 2.0

_VERSIONED = ("torch", "timm", "torchvision", "numpy", "scipy", "scikit-learn", "pillow")


def make_request(
    project: Project,
    definition: AuditDefinition,
    models: Sequence[str],
    parameters: Any,
    image_set: int | None = None,
) -> Request:
    """The inputs of a run of an audit, by name and id.

    :param image_set: id of the images; the project's only or first set when None.
    :raises AuditError: a model or the images are not in the project, or do not suit the audit.
    """
    _check_models(project, definition, models)
    if not definition.takes_images:
        return Request(project, tuple(models), None, parameters)
    if image_set is None:
        image_set = project.value("SELECT min(id) FROM image_set")
    if image_set is None or not project.value(
        "SELECT count(*) FROM image WHERE image_set = ?", (image_set,)
    ):
        raise AuditError("The project has no images.", "Add an image folder first.")
    return Request(project, tuple(models), image_set, parameters)


def _check_models(project: Project, definition: AuditDefinition, models: Sequence[str]) -> None:
    if definition.takes_pair and len(models) != 2:
        raise AuditError(
            f"This audit compares two models, not {len(models)}.",
            "Choose two; they may be the same.",
        )
    if len(models) < definition.least_models:
        raise AuditError(
            f"This audit needs {definition.least_models} models or more, not {len(models)}.",
            "Choose more models.",
        )
    if not definition.takes_pair and len(set(models)) < len(models):
        raise AuditError("A model is named twice.", "Name each model once.")
    known = {row["name"]: row["library"] for row in project.rows("SELECT name, library FROM model")}
    for name in models:
        if name not in known:
            names = ", ".join(known)
            raise AuditError(
                f"The project has no model “{name}”.",
                name_hint(
                    name, known, f"Its models are {names}." if names else "Add models first."
                ),
            )
        if definition.takes_weights and known[name] == IMPORTED:
            raise AuditError(
                f"“{name}” comes from an imported table: there is no network to run.",
                "Add the network itself under another name.",
            )


def suitable_models(project: Project, definition: AuditDefinition) -> list[str]:
    """The project's models that the audit can take, in their order.

    An audit that starts from what others have found takes the models that have units.
    """
    rows = project.rows("SELECT name, library FROM model ORDER BY position")
    if definition.takes_weights:
        return [row["name"] for row in rows if row["library"] != IMPORTED]
    dissected = {row["model"] for row in project.rows("SELECT DISTINCT model FROM unit")}
    return [row["name"] for row in rows if row["name"] in dissected or not dissected]


def estimate(
    project: Project,
    audit: str,
    models: Sequence[str],
    parameters: Any,
    image_set: int | None = None,
) -> Estimate:
    """What a run would cost; checks at the same time that it can work."""
    definition = audit_definition(audit)
    request = make_request(project, definition, models, parameters, image_set)
    definition.audit.check(request)
    return definition.audit.estimate(request)


def create_run(
    project: Project,
    audit: str,
    models: Sequence[str],
    parameters: Any,
    image_set: int | None = None,
    device: str = "auto",
) -> int:
    """Write down a run that `execute` will carry out; returns its id."""
    definition = audit_definition(audit)
    request = make_request(project, definition, models, parameters, image_set)
    definition.audit.check(request)
    pair = dict(zip(("model_a", "model_b"), models, strict=True)) if definition.takes_pair else {}
    return project.add_run(
        audit=audit,
        name=f"{definition.title}: {_named(request.models)}",
        image_set=request.image_set,
        models=() if definition.takes_pair else request.models,
        **pair,
        parameters=dataclasses.asdict(parameters),
        seed=parameters.seed,
        device=device,
        versions=package_versions(),
    )


def _named(models: Sequence[str]) -> str:
    if len(models) == 2:
        return f"{models[0]} and {models[1]}"
    return models[0] if len(models) == 1 else f"{len(models)} models"


def find_unfinished_run(
    project: Project, audit: str, models: Sequence[str], parameters: Any, image_set: int | None
) -> int | None:
    """The latest run of the same inputs that has not finished, to be taken up again."""
    rows = project.rows(
        "SELECT id, parameters FROM run WHERE audit = ? AND image_set IS ? AND state != 'done'"
        " ORDER BY id DESC",
        (audit, image_set),
    )
    wanted = dataclasses.asdict(parameters)
    for row in rows:
        if json_mapping(row["parameters"]) != wanted:
            continue
        if project.run_models(row["id"]) == tuple(models):
            return row["id"]
    return None


def package_versions() -> dict[str, str]:
    """Of this program, of Python and of the libraries that numbers depend on."""
    versions = {"parallax": __version__, "python": platform.python_version()}
    for package in _VERSIONED:
        versions[package] = importlib.metadata.version(package)
    return versions


def execute(
    project: Project,
    run_id: int,
    progress: Progress,
    on_unit: Callable[[int, str], None] | None = None,
    device: str | None = None,
) -> None:
    """Carry out a run, or take it up where it stopped.

    :param on_unit: called with the run's id and the unit's key after each commit.
    :param device: overrides the device the run was made for.
    :raises Cancelled: it was asked to stop; what is committed stays.
    :raises AuditError: it cannot go on; the run says why.
    """
    row = project.row("SELECT * FROM run WHERE id = ?", (run_id,))
    if row is None:
        raise AuditError("That run is no longer in the project.", "Start a new one.")
    definition = audit_definition(row["audit"])
    parameters = parameters_from_json(definition.parameters, row["parameters"])
    record = RunRecord(
        row["id"],
        row["audit"],
        row["image_set"],
        project.run_models(run_id),
        row["seed"],
        device or row["device"] or "auto",
    )
    context = RunContext(project, record, parameters, progress)
    project.set_run_state(run_id, "running")
    try:
        _run_units(definition, context, on_unit)
        definition.audit.conclude(context)
    except (Cancelled, KeyboardInterrupt):
        project.set_run_state(run_id, "cancelled", "Stopped; it can be resumed.")
        raise
    except AuditError as error:
        project.set_run_state(run_id, "failed", str(error))
        raise
    except BaseException:
        project.set_run_state(run_id, "failed", "An unexpected error; see the log.")
        raise
    finally:
        context.close()
    project.set_run_state(run_id, "done")


def _run_units(
    definition: AuditDefinition,
    context: RunContext,
    on_unit: Callable[[int, str], None] | None,
) -> None:
    project, run_id = context.project, context.run.id
    states = project.unit_states(run_id)
    finished = {key for key, state in states.items() if state == "done"}
    concluded = 0.0
    done = planned = 0
    failures: list[tuple[str, str]] = []
    fruitful = bool(finished)
    for unit in definition.audit.plan(context):
        total = definition.audit.count_units(context)
        if total != planned:
            project.set_units_total(run_id, total)
            planned = total
        context.set_units(done, total)
        done += 1
        if unit.key in finished:
            continue
        context.step(0.0, unit.text)
        begun = time.monotonic()
        results = definition.audit.run_unit(unit, context)
        context.progress.check_cancelled()
        project.commit_unit(
            run_id,
            unit.key,
            results.rows,
            results.arrays,
            results.problems,
            time.monotonic() - begun,
        )
        failures += results.problems
        fruitful |= bool(results.arrays) or any(results.rows.values()) or not results.problems
        # After the last unit the run is concluded in any case.
        if done < total and time.monotonic() - concluded > _CONCLUDE_EVERY:
            definition.audit.conclude(context)
            concluded = time.monotonic()
        if on_unit is not None:
            on_unit(run_id, unit.key)
    if failures and not fruitful:
        # Nothing was done: once the cause is mended, the same run can be taken up from its start.
        project.forget_units(run_id)
        subject, reason = failures[0]
        raise AuditError(f"Nothing could be done. {subject}: {reason}")
    context.set_units(done, done)
    context.step(0.0, "Finishing")
