"""Concepts that the user gives by examples, as a project file keeps them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from analysis.errors import AuditError
from analysis.project.entries import check_name, insert_entry, refuse_taken_name
from analysis.project.images import ProjectImages
from analysis.project.locations import locate_source, relative_source
from analysis.project.values import now

Kind = Literal["folder", "labels", "patches"]
Role = Literal["positive", "negative"]


class ExampleBox(NamedTuple):
    """A box of an image, in pixels of the upright original."""

    image: int
    x: int
    y: int
    width: int
    height: int


class StoredExample(NamedTuple):
    """An example as the project keeps it."""

    id: int
    concept_set: int
    role: str
    box: ExampleBox


class ProjectConceptSets(ProjectImages):
    """The part of a project that holds concepts given by examples."""

    def concept_examples(self, concept_set: int) -> tuple[StoredExample, ...]:
        """The examples of a concept in the order of their ids; none where there is no such one."""
        rows = self.rows(
            "SELECT id, concept_set, role, image, x, y, width, height FROM concept_example"
            " WHERE concept_set = ? ORDER BY id",
            (concept_set,),
        )
        return tuple(
            StoredExample(row["id"], row["concept_set"], row["role"], ExampleBox(*tuple(row)[3:]))
            for row in rows
        )

    def add_concept_set(
        self,
        name: str,
        kind: Kind,
        folder: Path | str | None = None,
        label: str | None = None,
        category: str | None = None,
        examples: Iterable[ExampleBox] = (),
        id: int | None = None,
        created: str = "",
    ) -> int:
        """Add a concept; return its id.

        :param folder: of its pictures.
        :param label: that marks its regions in label planes; `category`: of the label.
        :param examples: patches that show it.
        :param id, created: of a concept that was removed and comes back.
        :raises AuditError: the name is taken or empty, or the kind lacks what it needs.
        """
        if kind not in get_args(Kind):
            raise AuditError(
                f"A concept is not given by “{kind}”.", f"Choose {', '.join(get_args(Kind))}."
            )
        check_name("concept", name)
        if (folder is not None) != (kind == "folder"):
            raise AuditError(f"The concept “{name}” needs a folder of pictures.", "Choose one.")
        if bool((label or "").strip()) != (kind == "labels"):
            raise AuditError(f"The concept “{name}” needs a label.", "Choose one.")
        source = None if folder is None else Path(folder).resolve()
        with self.transaction() as connection:
            refuse_taken_name(connection, "concept_set", "concept", name)
            more = {} if id is None else {"id": id}
            number = insert_entry(
                connection,
                "concept_set",
                name=name,
                kind=kind,
                source=None if source is None else str(source),
                source_relative=None if source is None else relative_source(source, self.path),
                label=label,
                category=category,
                created=created or now(),
                **more,
            )
            self.add_concept_examples(number, examples)
        return number

    def add_concept_examples(
        self, concept_set: int, examples: Iterable[ExampleBox], role: Role = "positive"
    ) -> int:
        """Add patches that show a concept, or that do not; return how many are new.

        :raises AuditError: there is no such concept, or a box is empty.
        """
        rows = [(concept_set, role, *box) for box in examples]
        if any(min(box[-2:]) < 1 or min(box[-4:-2]) < 0 for box in rows):
            raise AuditError("A patch lies outside of its image or is empty.", "Choose it anew.")
        with self.transaction() as connection:
            self._require_concept_set(concept_set)
            before = connection.total_changes
            connection.executemany(
                "INSERT OR IGNORE INTO concept_example"
                " (concept_set, role, image, x, y, width, height) VALUES (?, ?, ?, ?, ?, ?, ?)",
                rows,
            )
            return connection.total_changes - before

    def restore_concept_examples(self, examples: Iterable[StoredExample]) -> None:
        """Bring back examples that were removed; those of images gone meanwhile are left out.

        :raises AuditError: a concept is there no more.
        """
        rows = list(examples)
        with self.transaction() as connection:
            for concept_set in {row.concept_set for row in rows}:
                self._require_concept_set(concept_set)
            connection.executemany(
                "INSERT INTO concept_example"
                " (id, concept_set, role, image, x, y, width, height)"
                " SELECT ?, ?, ?, id, ?, ?, ?, ? FROM image WHERE id = ?",
                [(*row[:3], *row.box[1:], row.box.image) for row in rows],
            )

    def remove_concept_examples(self, examples: Sequence[int]) -> None:
        """Forget examples, by their ids."""
        with self.transaction() as connection:
            connection.executemany(
                "DELETE FROM concept_example WHERE id = ?", [(one,) for one in examples]
            )

    def turn_concept_examples(self, examples: Sequence[int]) -> None:
        """What shows a concept does not from now on, and the other way round, by ids.

        An example that stands on the other side already is not there twice.
        """
        with self.transaction() as connection:
            for one in examples:
                connection.execute(
                    "UPDATE OR REPLACE concept_example SET role ="
                    " CASE role WHEN 'positive' THEN 'negative' ELSE 'positive' END WHERE id = ?",
                    (one,),
                )

    def rename_concept_set(self, concept_set: int, name: str) -> None:
        """Give a concept another name; results keep the name that they were made under.

        :raises AuditError: the name is taken or empty, or there is no such concept.
        """
        check_name("concept", name)
        with self.transaction() as connection:
            self._require_concept_set(concept_set)
            row = self.row("SELECT name FROM concept_set WHERE id = ?", (concept_set,))
            if row is None or row["name"] == name:
                return
            refuse_taken_name(connection, "concept_set", "concept", name)
            connection.execute("UPDATE concept_set SET name = ? WHERE id = ?", (name, concept_set))

    def remove_concept_set(self, concept_set: int) -> None:
        """Forget a concept and its examples; results stay."""
        with self.transaction() as connection:
            connection.execute("DELETE FROM concept_set WHERE id = ?", (concept_set,))

    def concept_folder(self, concept_set: int) -> Path:
        """Where the pictures of a concept lie now, whether they exist or not.

        :raises AuditError: there is no such concept, or it is not given by a folder.
        """
        row = self.row(
            "SELECT kind, source, source_relative FROM concept_set WHERE id = ?", (concept_set,)
        )
        if row is None or row["kind"] != "folder":
            raise AuditError("That concept is not given by a folder of pictures.")
        return locate_source(row["source"], row["source_relative"], self.path)

    def place_concept_folder(self, concept_set: int, source: Path | str) -> None:
        """Say where the folder of a concept's pictures lies now.

        :raises AuditError: there is no such concept, or it is not given by a folder.
        """
        self.concept_folder(concept_set)
        self._place("concept_set", concept_set, source)

    def _require_concept_set(self, concept_set: int) -> None:
        if self.value("SELECT 1 FROM concept_set WHERE id = ?", (concept_set,)) is None:
            raise AuditError("The project has no such concept.", "Choose another one.")
