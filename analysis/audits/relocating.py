"""Finding again what a project refers to and what was moved: images, label planes, pictures of
concepts, weights. Images and weights are known by the hash of their bytes."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from analysis.audits.places import Kind
from analysis.errors import AuditError
from analysis.progress import Progress
from analysis.project import Project

_MOST_NAMED = 3
_TABLES: dict[Kind, str] = {
    "images": "image_set",
    "labels": "label_plane_source",
    "concept": "concept_set",
    "model": "model",
}


@dataclass(frozen=True)
class Relocated:
    """What was found again.

    :ivar place: where it lies now.
    :ivar found: how many of the `total` files were found; `renamed`: of those, how many have
        another name or lie in another folder.
    :ivar missing: paths of those that were not found, as the project knows them.
    :ivar followed: names of label planes and concepts that were moved together with images.
    """

    name: str
    place: Path
    found: int = 1
    total: int = 1
    renamed: int = 0
    missing: tuple[str, ...] = ()
    followed: tuple[str, ...] = ()

    def sentence(self) -> str:
        """What was found, in words."""
        if self.total == 1 and not self.missing and not self.renamed:
            return f"{self.name}: found in {self.place}"
        words = f"{self.name}: {self.found:,} of {self.total:,} images found in {self.place}"
        if self.renamed:
            words += f", {self.renamed:,} of them under another name"
        if self.missing:
            more = len(self.missing) - _MOST_NAMED
            words += f"; not found: {', '.join(self.missing[:_MOST_NAMED])}"
            words += f" and {more:,} more" if more > 0 else ""
        if self.followed:
            words += f"; found with them: {', '.join(self.followed)}"
        return words


def relocate(
    project: Project, name: str, place: Path, progress: Progress, kind: Kind | None = None
) -> Relocated:
    """Find what is called `name` in a folder: an image set, label planes, a concept or a model.

    :param kind: which of these; without it, the first that has the name.
    :raises AuditError: the project has nothing of that name, or it is not in the folder.
    """
    for one in get_args(Kind) if kind is None else (kind,):
        number = project.value(f"SELECT id FROM {_TABLES[one]} WHERE name = ?", (name,))
        if number is not None:
            return relocate_entry(project, one, number, place, progress)
    names = [
        row["name"]
        for one, table in _TABLES.items()
        if kind in (None, one)
        for row in project.rows(f"SELECT name FROM {table} ORDER BY id")
    ]
    raise AuditError(
        f"The project has nothing called “{name}” that could have moved.",
        f"It has {', '.join(names)}." if names else "It holds no images and no models yet.",
    )


def relocate_entry(
    project: Project, kind: Kind, number: int, place: Path, progress: Progress
) -> Relocated:
    """As `relocate`, by the id of what has moved."""
    functions = {
        "images": relocate_images,
        "labels": relocate_label_planes,
        "concept": relocate_concept,
        "model": relocate_weights,
    }
    return functions[kind](project, number, place, progress)


def relocate_images(
    project: Project, image_set: int, folder: Path, progress: Progress
) -> Relocated:
    """Find the images of a set in a folder by their content, whatever they are called now.

    Label planes and pictures of concepts that lay beside them and are gone follow, if they lie
    beside them again.

    :raises AuditError: fewer of them are there than where the project looks now: nothing was
        changed.
    """
    from analysis.images.finding import WantedFile, find_files

    folder = _folder(folder)
    name = project.value("SELECT name FROM image_set WHERE id = ?", (image_set,))
    before = project.image_set_root(image_set)
    rows = project.rows(
        "SELECT id, path, sha256, size_bytes FROM image WHERE image_set = ? ORDER BY id",
        (image_set,),
    )
    wanted = [WantedFile(*row) for row in rows]
    found = find_files(folder, wanted, progress)
    there = sum(project.resolve_image(image.key) is not None for image in wanted)
    if not found.paths or len(found.paths) < there:
        raise AuditError(
            f"“{folder.name}” holds {_count(len(found.paths), 'none')} of the {len(wanted):,}"
            f" images of “{name}”.",
            f"{there:,} of them are where the project looks already; they stay there."
            if there
            else "Images are known by their content: those that were edited or saved anew are"
            " other images.",
        )
    renamed = {
        image.key: found.paths[image.key]
        for image in wanted
        if found.paths.get(image.key, image.path) != image.path
    }
    project.place_images(image_set, found.root, renamed)
    missing = tuple(image.path for image in wanted if image.key not in found.paths)
    return Relocated(
        name, found.root, len(found.paths), len(wanted), len(renamed), missing,
        tuple(_follow(project, before, found.root)),
    )  # fmt: skip


def relocate_label_planes(
    project: Project, label_planes: int, folder: Path, _progress: Progress
) -> Relocated:
    """Say where label planes lie now; their layout is looked at, not each plane.

    :raises AuditError: the folder holds no label planes of that kind: nothing was changed.
    """
    folder = _folder(folder)
    row = project.row("SELECT name, kind FROM label_plane_source WHERE id = ?", (label_planes,))
    if row is None:
        raise AuditError("The project has no such label planes.")
    _check_label_planes(row["kind"], folder)
    project.place_label_planes(label_planes, folder)
    return Relocated(row["name"], folder)


def relocate_concept(
    project: Project, concept_set: int, folder: Path, _progress: Progress
) -> Relocated:
    """Say where the pictures of a concept lie now.

    :raises AuditError: there is no picture in the folder, or the concept has none: nothing was
        changed.
    """
    from analysis.images.sources import open_source

    folder = _folder(folder)
    open_source(folder)
    project.place_concept_folder(concept_set, folder)
    name = project.value("SELECT name FROM concept_set WHERE id = ?", (concept_set,))
    return Relocated(name, folder)


def relocate_weights(project: Project, model: int, place: Path, progress: Progress) -> Relocated:
    """Find the weights of a model in a folder, or take the file named, if its bytes are the same.

    :raises AuditError: the weights do not come from a file, or are not there: nothing was changed.
    """
    from analysis.models.specification import parse_specification

    row = project.row(
        "SELECT name, specification, weights_sha256 FROM model WHERE id = ?", (model,)
    )
    if row is None:
        raise AuditError("The project has no such model.")
    old = parse_specification(row["specification"])
    if old.weights_path is None:
        raise AuditError(
            f"The weights of “{row['name']}” do not come from a file that could have moved.",
            "They belong to the library, or to Parallax, or were never trained.",
        )
    file = _file_of_content(place, old.weights_path, row["weights_sha256"], progress)
    if file is None:
        raise AuditError(
            f"The weights of “{row['name']}” are not in “{place.name}”.",
            f"Choose the folder of {old.weights_path.name}. Weights are known by their content:"
            " weights that were trained on are another model.",
        )
    new = dataclasses.replace(old, weights=file.resolve().as_posix())
    project.set_specification(row["name"], new.text)
    return Relocated(row["name"], file)


def _file_of_content(place: Path, old: Path, sha256: str | None, progress: Progress) -> Path | None:
    from analysis.images.decoding import ImageProblem, hash_file

    for number, file in enumerate(_weights_files(place, old), 1):
        progress.report(0, 1, f"Comparing weights: {number:,} files")
        if sha256 is None:
            return file if file.name == old.name else None
        try:
            if hash_file(file, progress.check_cancelled) == sha256:
                return file
        except ImageProblem:
            continue
    return None


def _weights_files(place: Path, old: Path) -> Iterator[Path]:
    """Files that end as the weights do; those called the same first."""
    if place.is_file():
        yield place
        return
    ending = old.suffix.lower()
    files = []
    for folder, _folders, names in os.walk(_folder(place)):
        files += [Path(folder, name) for name in names if Path(name).suffix.lower() == ending]
    yield from sorted(files, key=lambda file: (file.name != old.name, file.as_posix()))


def _follow(project: Project, before: Path, now: Path) -> Iterator[str]:
    """Bring along what lay beside the images, is gone, and lies beside them again."""
    for row in project.rows("SELECT id, name, kind FROM label_plane_source ORDER BY id"):
        place = _beside(project.label_planes_root(row["id"]), before, now)
        if place is not None and _accepted(_check_label_planes, row["kind"], place):
            project.place_label_planes(row["id"], place)
            yield row["name"]
    for row in project.rows("SELECT id, name FROM concept_set WHERE kind = 'folder' ORDER BY id"):
        place = _beside(project.concept_folder(row["id"]), before, now)
        if place is not None:
            project.place_concept_folder(row["id"], place)
            yield row["name"]


def _beside(folder: Path, before: Path, now: Path) -> Path | None:
    """Where a folder lies that kept its way from the images; None: it is not gone, or not there."""
    if folder.exists():
        return None
    try:
        place = Path(os.path.normpath(now / os.path.relpath(folder, before)))
    except ValueError:  # on another drive
        return None
    return place if place.is_dir() else None


def _accepted(check: Callable[[str, Path], None], kind: str, place: Path) -> bool:
    try:
        check(kind, place)
    except AuditError:
        return False
    return True


def _check_label_planes(kind: str, folder: Path) -> None:
    from analysis.segmentation.broden import open_broden
    from analysis.segmentation.mask_names import read_names

    if kind == "broden":
        open_broden(folder)
    else:
        read_names(folder)


def _folder(place: Path) -> Path:
    if not place.is_dir():
        raise AuditError(f"There is no folder “{place}”.", "Choose the folder that was moved.")
    return Path(os.path.abspath(place))


def _count(number: int, none: str) -> str:
    return f"{number:,}" if number else none
