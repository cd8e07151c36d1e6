"""The images of a project: sets, their files, the small pictures that are kept of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from analysis.errors import AuditError
from analysis.project.entries import insert_entry, refuse_taken_name
from analysis.project.file import ProjectFile
from analysis.project.locations import locate_image, locate_source, relative_source
from analysis.project.thumbnails import Thumbnail, read_thumbnail, write_thumbnails
from analysis.project.values import now, to_sql


class ImageRecord(Protocol):
    """A usable image as scanning finds it; `path` is relative to the set's source, with “/”."""

    @property
    def path(self) -> str: ...
    @property
    def label(self) -> str | None: ...
    @property
    def split(self) -> str | None: ...
    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def sha256(self) -> str: ...
    @property
    def size_bytes(self) -> int: ...


class ProjectImages(ProjectFile):
    """An open project file, as far as its images go."""

    def add_image_set(self, name: str, source: Path | str, kind: str) -> int:
        """Add an image set without images; return its id.

        :param source: the folder (or list) its images lie in, kept as absolute path and as path
            from the project file.
        """
        source = Path(source).resolve()
        with self.transaction() as connection:
            refuse_taken_name(connection, "image_set", "image set", name)
            return insert_entry(
                connection,
                "image_set",
                name=name,
                source=str(source),
                source_relative=relative_source(source, self.path),
                kind=kind,
                created=now(),
            )

    def add_images(self, image_set: int, images: Iterable[ImageRecord]) -> int:
        """Add a batch of images in one transaction; return how many they are.

        An image whose path is there already is brought up to date and keeps its id.
        """
        batch = [
            (image_set, i.path, i.label, i.split, i.width, i.height, i.sha256, i.size_bytes)
            for i in images
        ]
        with self.transaction() as connection:
            connection.executemany(
                "INSERT INTO image"
                " (image_set, path, label, split, width, height, sha256, size_bytes)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (image_set, path) DO UPDATE SET"
                " label = excluded.label, split = excluded.split, width = excluded.width,"
                " height = excluded.height, sha256 = excluded.sha256,"
                " size_bytes = excluded.size_bytes",
                batch,
            )
        return len(batch)

    def add_rejected_images(self, image_set: int, rejected: Iterable[tuple[str, str]]) -> None:
        """List (path, reason) of images that cannot be used."""
        with self.transaction() as connection:
            connection.executemany(
                "INSERT INTO rejected_image (image_set, path, reason) VALUES (?, ?, ?)"
                " ON CONFLICT (image_set, path) DO UPDATE SET reason = excluded.reason",
                [(image_set, path, reason) for path, reason in rejected],
            )

    def image_set_root(self, image_set: int) -> Path:
        """Where an image set lies now, whether it exists or not.

        :raises AuditError: there is no such image set.
        """
        row = self.row("SELECT source, source_relative FROM image_set WHERE id = ?", (image_set,))
        if row is None:
            raise AuditError(f"The project has no image set {image_set}.")
        return locate_source(row["source"], row["source_relative"], self.path)

    def resolve_image(self, image_id: int) -> Path | None:
        """The file of an image; None: it is not where the project or its image set lies."""
        row = self.row(
            "SELECT image.path, source, source_relative FROM image"
            " JOIN image_set ON image_set.id = image.image_set WHERE image.id = ?",
            (image_id,),
        )
        if row is None:
            return None
        root = locate_source(row["source"], row["source_relative"], self.path)
        return locate_image(root, row["path"])

    def place_images(
        self, image_set: int, source: Path | str, paths: Mapping[int, str] | None = None
    ) -> None:
        """Say where the images of a set lie now.

        :param paths: image id → path below `source`, of images whose path is another one now. An
            image that is not among them and had such a path lies nowhere from now on.
        """
        source = Path(source).resolve()
        with self.transaction() as connection:
            connection.execute(
                "UPDATE image_set SET source = ?, source_relative = ? WHERE id = ?",
                (str(source), relative_source(source, self.path), image_set),
            )
            _renew_paths(connection, image_set, paths or {})

    def remove_image_set(self, image_set: int) -> None:
        """Forget an image set and its images; the files stay where they are.

        :raises AuditError: a run uses it.
        """
        with self.transaction() as connection:
            users = connection.execute("SELECT 1 FROM run WHERE image_set = ?", (image_set,))
            if users.fetchone() is not None:
                raise AuditError(
                    "The image set is used by a run.", "Remove the runs that use it first."
                )
            connection.execute("DELETE FROM image_set WHERE id = ?", (image_set,))

    def add_label_planes(
        self, name: str, source: Path | str, kind: str, image_set: int | None = None
    ) -> int:
        """Add a folder of label planes; return its id.

        :param image_set: the images that they belong to; None: it brings its own.
        """
        source = Path(source).resolve()
        with self.transaction() as connection:
            refuse_taken_name(connection, "label_plane_source", "label set", name)
            return insert_entry(
                connection,
                "label_plane_source",
                name=name,
                source=str(source),
                source_relative=relative_source(source, self.path),
                image_set=image_set,
                kind=kind,
            )

    def label_planes_root(self, label_planes: int) -> Path:
        """Where a folder of label planes lies now, whether it exists or not.

        :raises AuditError: there is no such folder in the project.
        """
        row = self.row(
            "SELECT source, source_relative FROM label_plane_source WHERE id = ?", (label_planes,)
        )
        if row is None:
            raise AuditError("The project has no such label planes.")
        return locate_source(row["source"], row["source_relative"], self.path)

    def place_label_planes(self, label_planes: int, source: Path | str) -> None:
        """Say where a folder of label planes lies now."""
        self._place("label_plane_source", label_planes, source)

    def _place(self, table: str, entry: int, source: Path | str) -> None:
        source = Path(source).resolve()
        with self.transaction() as connection:
            connection.execute(
                f"UPDATE {table} SET source = ?, source_relative = ? WHERE id = ?",
                (str(source), relative_source(source, self.path), entry),
            )

    def add_thumbnails(self, thumbnails: Iterable[tuple[int, int, int, bytes]]) -> None:
        """Store (image id, width, height, WebP bytes) entries, replacing earlier ones."""
        batch = list(thumbnails)
        with self.transaction() as connection:
            write_thumbnails(connection, batch)

    def thumbnail(self, image_id: int) -> Thumbnail | None:
        """The stored small picture of an image, or None."""
        with self.reading() as connection:
            return read_thumbnail(connection, image_id)

    def images_without_thumbnail(self, images: Iterable[int]) -> list[int]:
        """Those of the given image ids that have no stored small picture, in their order."""
        rows = self.rows(
            "SELECT value FROM json_each(?) WHERE value NOT IN (SELECT image FROM thumbnail)"
            " ORDER BY key",
            (to_sql([int(image) for image in images]),),
        )
        return [row[0] for row in rows]


def _renew_paths(connection: sqlite3.Connection, image_set: int, paths: Mapping[int, str]) -> None:
    """No path may be there twice at any moment: all are taken away before any is given."""
    connection.executemany(
        "UPDATE image SET path = 'moved ' || id || ' ' || path WHERE id = ? AND image_set = ?",
        [(image, image_set) for image in paths],
    )
    connection.executemany(
        "UPDATE image SET path = 'not found ' || id || ' ' || path"
        " WHERE path = ? AND image_set = ?",
        [(path, image_set) for path in paths.values()],
    )
    connection.executemany(
        "UPDATE image SET path = ? WHERE id = ? AND image_set = ?",
        [(path, image, image_set) for image, path in paths.items()],
    )
