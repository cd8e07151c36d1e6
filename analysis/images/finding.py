"""Finding the files of an image set again by their content, wherever they lie and are called."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from analysis.images.decoding import ImageProblem, hash_file
from analysis.images.ordered import ordered_map
from analysis.images.walking import FoundFile, walk
from analysis.progress import Progress

_MOST_PAIRS = 10_000  # of equal files, compared by their names


@dataclass(frozen=True, slots=True)
class WantedFile:
    """An image that was read once; `sha256` and `size_bytes` None: not known.

    :ivar key: what the caller calls it.
    :ivar path: posix, relative to where the images lay.
    """

    key: int
    path: str
    sha256: str | None
    size_bytes: int | None


@dataclass(frozen=True, slots=True)
class FoundFiles:
    """Where images lie.

    :ivar root: the folder that paths are relative to: the one searched, or the one below it in
        which every image has its old path.
    :ivar paths: key → path; images that were not found are not in it.
    """

    root: Path
    paths: dict[int, str]


@dataclass(frozen=True, slots=True)
class _File:
    file: Path
    path: str
    size_bytes: int


def find_files(
    folder: Path, wanted: Sequence[WantedFile], progress: Progress, workers: int = 2
) -> FoundFiles:
    """Look for images below a folder, by size and then by the sha256 of their bytes.

    Of several equal files an image takes the one whose path ends most like its own; no file is
    taken twice. An image of unknown content is recognised by its path, and its size if known.

    :raises Cancelled: soon after `progress` is cancelled.
    """
    sizes = {image.size_bytes for image in wanted if image.sha256 is not None}
    files = _files(folder, sizes, None in sizes, progress)
    found: defaultdict[str, list[str]] = defaultdict(list)
    for file, digest in _hashed(files, progress, workers):
        if digest is not None:
            found[digest].append(file.path)
    paths = _given_out((image for image in wanted if image.sha256 is not None), found)
    for image in wanted:
        if image.sha256 is None and _is_there(folder, image):
            paths[image.key] = image.path
    old = {image.key: image.path for image in wanted}
    below = _moved_as_a_whole(old, paths)
    if below:
        paths = {key: path.removeprefix(below) for key, path in paths.items()}
    return FoundFiles(folder / below, paths)


def _files(folder: Path, sizes: set[int | None], any_size: bool, progress: Progress) -> list[_File]:
    """Everything below the folder that has the suffix of an image and the size of a wanted one."""
    found = []
    looked_at = 0
    with closing(walk(folder, progress.check_cancelled)) as items:
        for item in items:
            looked_at += 1
            if looked_at % 256 == 1:
                progress.report(0, 1, f"Looking for images: {looked_at:,} files")
            if isinstance(item, FoundFile):
                size = _size(item.file)
                if size is not None and (any_size or size in sizes):
                    found.append(_File(item.file, item.path, size))
    return found


def _hashed(
    files: Sequence[_File], progress: Progress, workers: int
) -> Iterator[tuple[_File, str | None]]:
    total = max(1, sum(file.size_bytes for file in files))
    done = 0
    digests = ordered_map(_digest_with(progress.check_cancelled), files, progress, workers)
    with closing(digests):
        for count, (file, digest) in enumerate(zip(files, digests, strict=True), 1):
            done += file.size_bytes
            progress.report(done, total, f"{count:,} of {len(files):,} files compared")
            yield file, digest


def _digest_with(check: Callable[[], None]) -> Callable[[_File], str | None]:
    def digest(file: _File) -> str | None:
        try:
            return hash_file(file.file, check)
        except ImageProblem:
            return None

    return digest


def _given_out(images: Iterable[WantedFile], found: dict[str, list[str]]) -> dict[int, str]:
    by_content: defaultdict[str, list[WantedFile]] = defaultdict(list)
    for image in images:
        by_content[image.sha256 or ""].append(image)
    given: dict[int, str] = {}
    for content, alike in by_content.items():
        taken: set[str] = set()
        for image, path in _pairs(alike, found.get(content, [])):
            if image.key not in given and path not in taken:
                given[image.key] = path
                taken.add(path)
    return given


def _pairs(alike: list[WantedFile], paths: list[str]) -> Iterable[tuple[WantedFile, str]]:
    """Images and files of one content, those that should come together first."""
    if len(alike) * len(paths) > _MOST_PAIRS:
        return zip(sorted(alike, key=lambda image: image.path), sorted(paths), strict=False)
    return sorted(
        ((image, path) for image in alike for path in paths),
        key=lambda pair: (-_common_end(pair[0].path, pair[1]), pair[0].path, pair[1]),
    )


def _common_end(one: str, other: str) -> int:
    """How many parts two paths have in common, counted from their ends."""
    count = 0
    ends = zip(reversed(PurePosixPath(one).parts), reversed(PurePosixPath(other).parts),
               strict=False)  # fmt: skip
    for left, right in ends:
        if left != right:
            break
        count += 1
    return count


def _moved_as_a_whole(old: dict[int, str], paths: dict[int, str]) -> str:
    """The folder, with “/” at its end, below which every image has its old path; or empty."""
    below: str | None = None
    for key, path in paths.items():
        if not path.endswith("/" + old[key]) or below not in (None, path[: -len(old[key])]):
            return ""
        below = path[: -len(old[key])]
    return below or ""


def _is_there(folder: Path, image: WantedFile) -> bool:
    inner = Path(image.path)
    if inner.anchor or ".." in inner.parts:
        return False
    size = _size(folder / inner)
    return size is not None and image.size_bytes in (None, size)


def _size(file: Path) -> int | None:
    try:
        return file.stat().st_size if file.is_file() else None
    except OSError:
        return None
