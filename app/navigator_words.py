"""Entries of the navigator in words."""

from __future__ import annotations

from app.jobs import JobRecord, format_duration
from app.lanes import JobState
from app.project_index import ModelEntry, RunEntry, read_json

RUN_SIGNS = {"pending": "○", "running": "◐", "done": "✓", "cancelled": "◌", "failed": "✕"}


def run_text(run: RunEntry, job: JobRecord | None) -> str:
    """A run in one line: state, name, how far."""
    waiting = job is not None and job.state == JobState.PENDING
    state = run.state if job is None else "pending" if waiting else "running"
    sign = RUN_SIGNS.get(state, "○")
    pair = f" · {run.about}" if run.pair and str(run.model_b) not in run.name else ""
    text = f"{sign} {run.name}{pair}"
    if waiting:
        return f"{text}  waiting"
    if job is not None:
        fraction = job.fraction
        return f"{text}  {fraction:.0%}" if fraction is not None else text
    if run.resumable:
        # A run left “running” by a program that ended is simply unfinished.
        words = {"pending": "not begun", "failed": "failed"}.get(run.state, "unfinished")
        return f"{text}  {words}"
    return text


def run_tooltip(run: RunEntry) -> str:
    """What a run is about, in a few lines."""
    lines = [f"{run.audit}: {run.about}"]
    if run.table:
        lines.append(f"from the table {run.table}")
    if run.layer_a and run.layer_b:
        lines.append(f"layers {run.layer_a} and {run.layer_b}")
    units = f"{run.units_done:,} of {run.units_total:,}" if run.units_total else f"{run.units_done}"
    lines.append(f"{run.state}, {units} units of work done")
    if run.seconds:
        lines.append(f"took {format_duration(run.seconds)}")
    if run.problems:
        lines.append(f"{run.problems:,} things were left out: see Details")
    if run.message:
        lines.append(run.message)
    return "\n".join(lines)


def model_tooltip(model: ModelEntry) -> str:
    """What a model is, in a few lines."""
    if model.imported:
        return f"{model.name}\nfrom an imported table: there is no network to run"
    head = f"{model.num_classes:,} classes" if model.num_classes else "no class head"
    lines = [model.specification, f"{model.architecture}, {head}, {len(model.layers)} layers"]
    note = read_json(model.load_report).get("note")
    if note:
        lines.append(str(note))
    return "\n".join(lines)
