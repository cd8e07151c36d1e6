"""What a project holds: images (see `images`), models, runs, units of work and results."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from analysis.errors import AuditError
from analysis.project import arrays
from analysis.project.entries import insert_entry, refuse_taken_name
from analysis.project.reports import ProjectReports
from analysis.project.results import Row, insert_rows, replace_rows
from analysis.project.values import now, to_sql

# The library of a model that is known from an imported table alone: it has no network.
IMPORTED = "imported"


class LayerRecord(Protocol):
    """A layer as it is found in a model; `shape` is without the batch."""

    @property
    def name(self) -> str: ...
    @property
    def position(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def channels(self) -> int: ...
    @property
    def depth(self) -> float: ...


class Project(ProjectReports):
    """An open project file and what can be asked of it and written to it."""

    # --- models ---

    def add_model(
        self,
        name: str,
        specification: str,
        *,
        weights_sha256: str | None = None,
        library: str | None = None,
        architecture: str | None = None,
        num_classes: int | None = None,
        class_names: Sequence[str] | None = None,
        preprocessing: Any = None,
        load_report: Any = None,
        seconds_per_image: float | None = None,
        layers: Iterable[LayerRecord] = (),
        spread: Iterable[str] = (),
    ) -> int:
        """Add a model and its layers; return its id.

        :param preprocessing, load_report: JSON text, or what becomes JSON.
        :param layers, spread: as in `add_layers`.
        :raises AuditError: a model of that name exists.
        """
        with self.transaction() as connection:
            refuse_taken_name(connection, "model", "model", name)
            model = insert_entry(
                connection,
                "model",
                name=name,
                specification=specification,
                weights_sha256=weights_sha256,
                library=library,
                architecture=architecture,
                num_classes=num_classes,
                class_names=class_names,
                preprocessing=preprocessing,
                load_report=load_report,
                seconds_per_image=seconds_per_image,
                created=now(),
                position=_next_position(connection, "model"),
            )
            self.add_layers(name, layers, spread)
        return model

    def add_layers(
        self, model: str, layers: Iterable[LayerRecord], spread: Iterable[str] = ()
    ) -> None:
        """Add the layers of a model of the project.

        :param spread: names of those among which an even spread over the depth is chosen.
        """
        chosen = frozenset(spread)
        batch = [
            (
                model,
                layer.name,
                layer.position,
                layer.kind,
                to_sql(tuple(layer.shape)),
                layer.channels,
                layer.depth,
                layer.name in chosen,
            )
            for layer in layers
        ]
        with self.transaction() as connection:
            connection.executemany(
                "INSERT INTO layer"
                " (model, name, position, kind, shape, channels, depth, spread)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                batch,
            )

    def rename_model(self, old: str, new: str) -> None:
        """Rename a model here and in all results.

        :raises AuditError: there is no model `old`, or there is one of the name `new`.
        """
        if old == new:
            return
        with self.transaction() as connection:
            refuse_taken_name(connection, "model", "model", new)
            changed = connection.execute("UPDATE model SET name = ? WHERE name = ?", (new, old))
            if changed.rowcount == 0:
                raise AuditError(f"The project has no model “{old}”.")

    def set_specification(self, name: str, specification: str) -> None:
        """Say anew where a model comes from, as after its weights were moved.

        :raises AuditError: there is no such model.
        """
        with self.transaction() as connection:
            changed = connection.execute(
                "UPDATE model SET specification = ? WHERE name = ?", (specification, name)
            )
            if changed.rowcount == 0:
                raise AuditError(f"The project has no model “{name}”.")

    def remove_model(self, name: str) -> None:
        """Forget a model and its layers.

        :raises AuditError: a run uses it.
        """
        with self.transaction() as connection:
            users = connection.execute(
                "SELECT 1 FROM run WHERE :name IN (model_a, model_b)"
                " UNION ALL SELECT 1 FROM run_model WHERE model = :name",
                {"name": name},
            )
            if users.fetchone() is not None:
                raise AuditError(
                    f"The model “{name}” is used by a run.", "Remove the runs that use it first."
                )
            connection.execute("DELETE FROM model WHERE name = ?", (name,))

    # --- runs and their units of work ---

    def add_run(
        self,
        audit: str,
        name: str,
        parameters: Mapping[str, Any],
        *,
        model_a: str | None = None,
        model_b: str | None = None,
        models: Sequence[str] = (),
        image_set: int | None = None,
        seed: int | None = None,
        device: str | None = None,
        versions: Mapping[str, str] | None = None,
        units: Sequence[str] = (),
    ) -> int:
        """Add a pending run and, in their order, the keys of its units; return its id.

        :param model_a, model_b: the pair that is compared; or
        :param models: any number of models that are equals in the run.
        """
        with self.transaction() as connection:
            run = insert_entry(
                connection,
                "run",
                audit=audit,
                name=name,
                image_set=image_set,
                model_a=model_a,
                model_b=model_b,
                parameters=dict(parameters),
                state="pending",
                seed=seed,
                device=device,
                versions=None if versions is None else dict(versions),
                created=now(),
            )
            connection.executemany(
                "INSERT INTO run_model (run, position, model) VALUES (?, ?, ?)",
                [(run, position, model) for position, model in enumerate(models)],
            )
            if units:
                self.plan_units(run, units)
        return run

    def run_models(self, run: int) -> tuple[str, ...]:
        """The models of a run: its pair, first model first, or its list in order."""
        rows = self.rows("SELECT model FROM run_model WHERE run = ? ORDER BY position", (run,))
        if rows:
            return tuple(row["model"] for row in rows)
        pair = self.row("SELECT model_a, model_b FROM run WHERE id = ?", (run,))
        return tuple(name for name in pair or () if name is not None)

    def plan_units(self, run: int, keys: Sequence[str]) -> None:
        """Say which units a run consists of; those it has already keep their state."""
        with self.transaction() as connection:
            connection.executemany(
                "INSERT INTO work_unit (run, key, position, state) VALUES (?, ?, ?, 'pending')"
                " ON CONFLICT (run, key) DO UPDATE SET position = excluded.position",
                [(run, key, position) for position, key in enumerate(keys)],
            )
            connection.execute(
                "UPDATE run SET units_total ="
                " (SELECT count(*) FROM work_unit WHERE run = id) WHERE id = ?",
                (run,),
            )

    def set_units_total(self, run: int, total: int) -> None:
        """Say how many units a run has, where they are not all known beforehand."""
        with self.transaction() as connection:
            connection.execute("UPDATE run SET units_total = ? WHERE id = ?", (total, run))

    def set_run_state(self, run: int, state: str, message: str | None = None) -> None:
        """Set the state of a run: pending, running, cancelled, failed or done.

        `started` is the first time it ran; `seconds` adds up over resumed runs.

        :param message: why, in a sentence; replaces the one before.
        """
        with self.transaction() as connection:
            if state == "running":
                times = "started = coalesce(started, :now), finished = NULL"
            elif state == "pending":
                times = "finished = NULL"
            else:
                times = "finished = :now"
            changed = connection.execute(
                f"UPDATE run SET state = :state, message = :message, {times} WHERE id = :run",
                {"state": state, "message": message, "run": run, "now": now()},
            )
            if changed.rowcount == 0:
                raise AuditError(f"The project has no run {run}.")

    def unit_states(self, run: int) -> dict[str, str]:
        """Key → state of a run's units, in the order of the plan."""
        rows = self.rows(
            "SELECT key, state FROM work_unit WHERE run = ? ORDER BY position, key", (run,)
        )
        return {row["key"]: row["state"] for row in rows}

    def commit_unit(
        self,
        run: int,
        key: str,
        rows: Mapping[str, Sequence[Row]],
        arrays: Mapping[str, np.ndarray],
        problems: Sequence[tuple[str, str]] = (),
        seconds: float | None = None,
    ) -> None:
        """Write all that a unit found and that it is done, together or not at all.

        :param rows: result table → rows (column → value); `run` is filled in.
        :param arrays: name → array; names are the run's own.
        :param problems: (subject, reason) of what was left out, as a damaged image.
        :param seconds: how long the unit took; added to the run's.
        :raises AuditError: the unit is done already, or the disk is full: nothing was changed.
        """
        with self.transaction() as connection:
            _mark_done(connection, run, key, seconds)
            for table, table_rows in rows.items():
                insert_rows(connection, run, table, table_rows)
            for name, array in arrays.items():
                self.write_array(connection, run, name, array)
            # Those of an attempt that brought nothing are replaced.
            connection.execute("DELETE FROM problem WHERE run = ? AND unit = ?", (run, key))
            connection.executemany(
                "INSERT INTO problem (run, unit, subject, reason) VALUES (?, ?, ?, ?)",
                [(run, key, subject, reason) for subject, reason in problems],
            )

    def replace_results(self, run: int, rows: Mapping[str, Sequence[Row]]) -> None:
        """Write what needs all units: a run's rows of these tables are replaced, in one go."""
        with self.transaction() as connection:
            replace_rows(connection, run, rows)

    def forget_units(self, run: int) -> None:
        """Take back that units of a run are done, where they brought nothing.

        What was noted as a problem stays until the unit is done again.
        """
        with self.transaction() as connection:
            connection.execute("DELETE FROM work_unit WHERE run = ?", (run,))

    def delete_run(self, run: int) -> None:
        """Remove a run with its units, results, arrays and problems."""
        with self.transaction() as connection:
            connection.execute("DELETE FROM run WHERE id = ?", (run,))

    # --- arrays ---

    def write_array(
        self, connection: sqlite3.Connection, run: int | None, name: str, array: np.ndarray
    ) -> None:
        """Store an array within a transaction, replacing one of that name; see `arrays`."""
        arrays.write_array(connection, run, name, array)

    def read_array(self, run: int | None, name: str) -> np.ndarray:
        """An array as it was written.

        :raises AuditError: there is none of that name, or it is damaged.
        """
        with self.reading() as connection:
            return arrays.read_array(connection, run, name)

    def has_array(self, run: int | None, name: str) -> bool:
        """Whether there is an array of that name."""
        with self.reading() as connection:
            return arrays.has_array(connection, run, name)


def _next_position(connection: sqlite3.Connection, table: str) -> int:
    query = f"SELECT coalesce(max(position) + 1, 0) FROM {table}"
    return int(connection.execute(query).fetchone()[0])


def _mark_done(connection: sqlite3.Connection, run: int, key: str, seconds: float | None) -> None:
    """A unit that was not planned takes its place at the end."""
    changed = connection.execute(
        "INSERT INTO work_unit (run, key, position, state, seconds, finished)"
        " SELECT :run, :key, coalesce(max(position) + 1, 0), 'done', :seconds, :now"
        " FROM work_unit WHERE run = :run"
        " ON CONFLICT (run, key) DO UPDATE SET state = 'done', seconds = excluded.seconds,"
        " finished = excluded.finished WHERE state <> 'done'",
        {"run": run, "key": key, "seconds": seconds, "now": now()},
    )
    if changed.rowcount == 0:
        raise AuditError(f"The unit “{key}” of run {run} is done already.")
    connection.execute(
        "UPDATE run SET seconds = coalesce(seconds, 0) + coalesce(?, 0) WHERE id = ?",
        (seconds, run),
    )
