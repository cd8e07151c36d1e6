"""Where images come from: folders, lists of paths, Broden layouts."""

from __future__ import annotations

import contextlib
import csv
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from analysis.errors import AuditError
from analysis.images import formats
from analysis.images.decoding import why_not_read
from analysis.images.walking import FoundFile, RejectedImage, walk

CLASS_FOLDERS = "class folders"
FLAT_FOLDER = "flat folder"
LIST = "list"
BRODEN = "broden"

_BRODEN_COLUMNS = frozenset({"image", "split", "ih", "iw", "sh", "sw"})
_LAYOUT_LEVELS = 3  # how far above a folder of images the index of its layout may lie
_SPLIT_FOLDERS = frozenset(
    ["train", "training", "trn", "val", "valid", "validation", "dev", "test", "testing", "tst"],
)
_HINT = (
    "Choose a folder with images (JPEG, PNG, WebP, TIFF or BMP), a folder with one folder per "
    "class, a Broden layout, or a text file with one path per line."
)


@dataclass(frozen=True)
class ImageSource:
    """A place that images are read from.

    :ivar root: the folder that paths of images are relative to.
    :ivar kind: 'class folders', 'flat folder', 'list' or 'broden'.
    :ivar file: the list or Broden's `index.csv`; None for folders.
    :ivar splits: whether the folders of the root are splits (train, val, …), with the classes
        below them.
    """

    root: Path
    kind: str
    file: Path | None = None
    splits: bool = False


@dataclass(frozen=True)
class Candidate:
    """A file that claims to be an image, not opened yet; `path` as in `ScannedImage`."""

    file: Path
    path: str
    label: str | None
    split: str | None


def open_source(source: Path) -> ImageSource:
    """Find out what kind of image set a folder or a text file is.

    A folder with Broden's `index.csv` is a Broden layout, its paths are relative to its `images/`;
    a folder with images below its folders is a set of class folders (below train, val, … if all
    of its folders are called so); any other file is a list.

    :raises AuditError: if it does not exist, cannot be read, or holds no image.
    """
    source = Path(source)
    if not os.path.exists(source):
        raise AuditError(f"There is no folder or list at “{source}”.", _HINT)
    if not os.path.isdir(source):
        return _open_list(source)
    index = source / "index.csv"
    if _is_broden_index(index):
        return _open_broden(source, index)
    return _open_folder(source)


def candidates(
    source: ImageSource, check: Callable[[], None] = lambda: None
) -> Iterator[Candidate | RejectedImage]:
    """The files of an image set, lazily: folders in the order of their paths, lists and Broden
    layouts in their own order.

    :param check: called often while folders are listed; may raise to stop.
    """
    if source.file is None:
        return _folder_candidates(source, check)
    if source.kind == LIST:
        return _once(_list_candidates(source.root, source.file))
    return _once(_broden_candidates(source.root, source.file))


# Folders


def _open_folder(folder: Path) -> ImageSource:
    try:
        with os.scandir(folder) as entries:
            folders = {e.name for e in entries if not formats.is_hidden(e.name) and e.is_dir()}
    except OSError as error:
        raise AuditError(f"The folder “{folder}” cannot be read. {why_not_read(error)}") from error
    planes = _planes(folder)
    kind = None
    unread: str | None = None
    with closing(walk(folder)) as found:
        for item in found:
            if isinstance(item, RejectedImage):
                unread = unread or formats.unread_format(item.path)
            elif item.path not in planes:
                kind = CLASS_FOLDERS if "/" in item.path else kind or FLAT_FOLDER
            if kind == CLASS_FOLDERS:
                break
    if kind is None:
        raise _empty(folder, unread)
    splits = bool(folders) and all(name.lower() in _SPLIT_FOLDERS for name in folders)
    return ImageSource(folder, kind, splits=splits and kind == CLASS_FOLDERS)


def _empty(folder: Path, unread: str | None) -> AuditError:
    hint = _HINT
    if unread is not None:
        hint = f"It holds {unread} images, which are not read: convert them to JPEG or PNG."
    return AuditError(f"There is no image in “{folder}”.", hint)


def _folder_candidates(
    source: ImageSource, check: Callable[[], None]
) -> Iterator[Candidate | RejectedImage]:
    planes = _planes(source.root)
    for item in walk(source.root, check):
        if isinstance(item, RejectedImage):
            yield item
        elif item.path not in planes:
            yield _labelled(source, item)


def _labelled(source: ImageSource, item: FoundFile) -> Candidate:
    folders = item.path.split("/")[:-1]
    split = folders.pop(0) if source.splits and folders else None
    return Candidate(item.file, item.path, folders[0] if folders else None, split)


# Lists


def _open_list(file: Path) -> ImageSource:
    if formats.suffix_of(file.name) in formats.READ_SUFFIXES:
        raise AuditError(f"“{file}” is one image, not a set of images.", _HINT)
    if not os.path.isfile(file):
        raise AuditError(f"“{file}” is neither a folder nor a list of images.", _HINT)
    source = ImageSource(file.parent, LIST, file)
    try:
        if next(_list_lines(file), None) is None:
            raise AuditError(f"The list “{file}” names no image.", "Write one path per line.")
        for _ in _list_lines(file):  # to the end, so that a damaged list is found now
            pass
    except UnicodeDecodeError as error:
        raise AuditError(
            f"“{file}” is neither a folder nor a list of images in UTF-8 text.", _HINT
        ) from error
    except OSError as error:
        raise AuditError(f"The list “{file}” cannot be read. {why_not_read(error)}") from error
    return source


def _list_lines(file: Path) -> Iterator[str]:
    with open(file, encoding="utf-8-sig") as lines:
        for line in lines:
            if "\0" in line:
                raise UnicodeDecodeError("utf-8", line.encode(), 0, 1, "not text")
            entry = line.strip()
            if entry and not entry.startswith("#"):
                yield entry


def _list_candidates(root: Path, file: Path) -> Iterator[Candidate | RejectedImage]:
    for line in _list_lines(file):
        name, label, split, *_ = [*(part.strip() for part in line.split("\t")), "", ""]
        if "\\" in name and not os.path.exists(root / name):
            name = name.replace("\\", "/")  # written on Windows
        path = Path(name).as_posix()
        if formats.unread_format(path):
            yield RejectedImage(path, formats.unread_reason(path))
        else:
            yield Candidate(root / name, path, label or None, split or None)


def _once(items: Iterable[Candidate | RejectedImage]) -> Iterator[Candidate | RejectedImage]:
    """Reject what a list names again: an image has one label and counts once."""
    seen: set[str] = set()
    for item in items:
        if item.path in seen:
            yield RejectedImage(item.path, "The list names it more than once; the first counts.")
        else:
            seen.add(item.path)
            yield item


# Broden


def _is_broden_index(index: Path) -> bool:
    try:
        with open(index, encoding="utf-8-sig", newline="") as file:
            header = next(csv.reader(file), [])
    except (OSError, UnicodeDecodeError, csv.Error):
        return False
    return {"image", "split"} <= set(header)


def _index_rows(index: Path) -> Iterator[dict[str, str]]:
    with open(index, encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            yield {key: value or "" for key, value in row.items() if isinstance(key, str)}


def _open_broden(folder: Path, index: Path) -> ImageSource:
    root = _broden_images(folder)
    try:
        images = sum(bool(row["image"].strip()) for row in _index_rows(index))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise AuditError(
            f"The index of the Broden layout “{index}” is damaged ({error}).",
            "It must be a CSV file in UTF-8 with the columns image and split.",
        ) from error
    if images == 0:
        raise AuditError(f"The index of the Broden layout “{index}” names no image.", _HINT)
    return ImageSource(root, BRODEN, index)


def _broden_candidates(root: Path, index: Path) -> Iterator[Candidate | RejectedImage]:
    for row in _index_rows(index):
        path = row["image"].strip().replace("\\", "/")
        if not path:
            continue
        label = path.split("/")[0] if "/" in path else None
        yield Candidate(root / path, path, label, row["split"].strip() or None)


def _planes(folder: Path) -> frozenset[str]:
    """Paths relative to `folder` of label planes: an image set made from the `images/` folder of a
    Broden layout, or from a class within it, must not take them for photographs."""
    folder = Path(os.path.abspath(folder))
    planes: set[str] = set()
    for layout in list(folder.parents)[:_LAYOUT_LEVELS]:
        base = _broden_images(layout)
        index = layout / "index.csv"
        if not folder.is_relative_to(base) or not _is_broden_index(index):
            continue
        below = "".join(part + "/" for part in folder.relative_to(base).parts)
        with contextlib.suppress(OSError, UnicodeDecodeError, csv.Error):
            # A damaged index is no matter here: it is no part of a plain folder of images.
            for row in _index_rows(index):
                planes.update(n.removeprefix(below) for n in _plane_names(row, below))
    return frozenset(planes)


def _broden_images(layout: Path) -> Path:
    images = layout / "images"
    return images if os.path.isdir(images) else layout


def _plane_names(row: dict[str, str], below: str) -> Iterator[str]:
    for column, value in row.items():
        if column in _BRODEN_COLUMNS:
            continue
        for name in value.replace("\\", "/").split(";"):
            name = name.strip()
            if name.lower().endswith(".png") and name.startswith(below):
                yield name
