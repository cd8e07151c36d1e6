"""Named slices of a project's images: what views can be narrowed to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from analysis.errors import AuditError
from analysis.project.entries import check_name, insert_entry, refuse_taken_name
from analysis.project.findings import ProjectFindings
from analysis.project.values import now

_LONGEST_ORIGIN = 1000


@dataclass(frozen=True)
class ImageSlice:
    """A named set of images; `origin`: in words, how they were chosen."""

    id: int
    name: str
    origin: str
    created: str
    images: int


class ProjectSlices(ProjectFindings):
    """The part of a project that holds slices of its images."""

    def image_slices(self) -> tuple[ImageSlice, ...]:
        """All slices by their names, with how many images each has."""
        rows = self.rows(
            "SELECT id, name, origin, created, (SELECT count(*) FROM image_slice_image"
            " WHERE image_slice = image_slice.id) AS images FROM image_slice ORDER BY name"
        )
        return tuple(ImageSlice(*row) for row in rows)

    def slice_images(self, image_slice: int) -> frozenset[int]:
        """The ids of a slice's images; none where there is no such slice."""
        rows = self.rows(
            "SELECT image FROM image_slice_image WHERE image_slice = ?", (image_slice,)
        )
        return frozenset(row[0] for row in rows)

    def add_image_slice(
        self,
        name: str,
        images: Iterable[int],
        origin: str = "",
        id: int | None = None,
        created: str = "",
    ) -> int:
        """Add a slice; return its id.

        :param id, created: of a slice that was removed and comes back; images that are gone
            meanwhile are left out.
        :raises AuditError: the name is taken, empty or too long, or none of the images is there.
        """
        check_name("slice", name)
        wanted = sorted(set(images))
        with self.transaction() as connection:
            refuse_taken_name(connection, "image_slice", "slice", name)
            more = {} if id is None else {"id": id}
            number = insert_entry(
                connection,
                "image_slice",
                name=name,
                origin=origin[:_LONGEST_ORIGIN],
                created=created or now(),
                **more,
            )
            connection.executemany(
                "INSERT INTO image_slice_image (image_slice, image)"
                " SELECT ?, id FROM image WHERE id = ?",
                [(number, image) for image in wanted],
            )
            if not self.slice_images(number):
                raise AuditError("A slice needs at least one image.", "Choose some images first.")
        return number

    def rename_image_slice(self, image_slice: int, name: str) -> None:
        """Give a slice another name.

        :raises AuditError: the name is taken, empty or too long, or there is no such slice.
        """
        check_name("slice", name)
        with self.transaction() as connection:
            row = self.row("SELECT name FROM image_slice WHERE id = ?", (image_slice,))
            if row is None:
                raise AuditError("The project has no such slice.", "It may have been removed.")
            if row["name"] != name:
                refuse_taken_name(connection, "image_slice", "slice", name)
                connection.execute(
                    "UPDATE image_slice SET name = ? WHERE id = ?", (name, image_slice)
                )

    def remove_image_slice(self, image_slice: int) -> None:
        """Forget a slice; its images stay."""
        with self.transaction() as connection:
            connection.execute("DELETE FROM image_slice WHERE id = ?", (image_slice,))
