"""Walking through a folder of images in a fixed order, whatever lies about in it."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

from analysis.images import formats
from analysis.images.decoding import why_not_read

_UNREADABLE_NAME = "Its name is not valid UTF-8 text; rename it."


@dataclass(frozen=True)
class RejectedImage:
    """A file (or a folder, its path ends in `/`) that was left out, and why in plain words."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file with the suffix of an image; `path` is posix and relative to the walked folder."""

    file: Path
    path: str


def walk(
    root: Path, check: Callable[[], None] = lambda: None
) -> Generator[FoundFile | RejectedImage, None, None]:
    """Everything below `root` that is called an image, sorted by path, one folder at a time.

    Only the names of the folders on the way down are in memory. Hidden and system files and files
    that are no images (sidecars) are passed over; links are followed, but not into a folder that
    is being walked or that another link has led to. Unreadable folders, names that are not UTF-8,
    links that lead nowhere and images of formats that are not read are given with their reason.

    :param check: called for each entry; may raise to stop.
    """
    try:
        identity = _identity(root)
    except OSError as error:
        yield RejectedImage("/", why_not_read(error))
        return
    yield from _Walk(check).folder(str(root), "", (identity,))


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    is_folder: bool
    is_link: bool
    is_file: bool


class _Walk:
    """The state of one walk: the folders that links have led to."""

    def __init__(self, check: Callable[[], None]) -> None:
        self._check = check
        self._linked: set[tuple[int, int]] = set()

    def folder(
        self, folder: str, prefix: str, ancestors: tuple[tuple[int, int], ...]
    ) -> Iterator[FoundFile | RejectedImage]:
        try:
            entries = self._entries(folder)
        except OSError as error:
            yield RejectedImage(prefix, why_not_read(error))
            return
        for entry in entries:
            self._check()
            path = prefix + entry.name
            if not _is_text(entry.name):
                yield RejectedImage(_printable(path, entry.is_folder), _UNREADABLE_NAME)
            elif entry.is_folder:
                yield from self._subfolder(os.path.join(folder, entry.name), path, entry, ancestors)
            else:
                yield self._file(folder, path, entry)

    def _subfolder(
        self, folder: str, path: str, entry: _Entry, ancestors: tuple[tuple[int, int], ...]
    ) -> Iterator[FoundFile | RejectedImage]:
        prefix = path + "/"
        try:
            identity = _identity(folder)
        except OSError as error:
            yield RejectedImage(prefix, why_not_read(error))
            return
        if identity in ancestors:
            yield RejectedImage(prefix, "It is a link to a folder that it lies in.")
            return
        if entry.is_link:
            if identity in self._linked:
                yield RejectedImage(prefix, "It is a link to a folder that is read already.")
                return
            self._linked.add(identity)
        yield from self.folder(folder, prefix, (*ancestors, identity))

    def _file(self, folder: str, path: str, entry: _Entry) -> FoundFile | RejectedImage:
        if not entry.is_file:
            reason = "It is a link that leads nowhere." if entry.is_link else "It is not a file."
            return RejectedImage(path, reason)
        if formats.suffix_of(entry.name) not in formats.READ_SUFFIXES:
            return RejectedImage(path, formats.unread_reason(entry.name))
        return FoundFile(Path(folder, entry.name), path)

    def _entries(self, folder: str) -> list[_Entry]:
        """Folders and images, in the order in which their full paths are sorted."""
        found = []
        with os.scandir(folder) as entries:
            for entry in entries:
                self._check()
                if formats.is_hidden(entry.name) or _hidden_on_windows(entry):
                    continue
                is_folder = _quietly(entry.is_dir)
                if is_folder or formats.has_image_suffix(entry.name):
                    is_file = not is_folder and _quietly(entry.is_file)
                    found.append(_Entry(entry.name, is_folder, entry.is_symlink(), is_file))
        found.sort(key=lambda entry: entry.name + "/" if entry.is_folder else entry.name)
        return found


def _identity(folder: str | Path) -> tuple[int, int]:
    status = os.stat(folder)
    return status.st_dev, status.st_ino


def _quietly(question: Callable[[], bool]) -> bool:
    """Links in a circle, or into folders without permission, raise where others say no."""
    try:
        return question()
    except OSError:
        return False


def _hidden_on_windows(entry: os.DirEntry[str]) -> bool:
    if os.name != "nt":
        return False
    attributes = getattr(entry.stat(follow_symlinks=False), "st_file_attributes", 0)
    hidden: int = stat.FILE_ATTRIBUTE_HIDDEN
    return bool(attributes & hidden)


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _printable(path: str, is_folder: bool) -> str:
    """A path with bytes that are no text written as `\\xff`, so that it can be stored and shown."""
    raw = path.encode("utf-8", "surrogateescape")
    return raw.decode("utf-8", "backslashreplace") + ("/" if is_folder else "")
