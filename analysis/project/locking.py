"""One writer at a time: a small file beside the project names the computer and the process."""

from __future__ import annotations

import json
import os
import socket
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from analysis.project.errors import ProjectInUseError, not_writable, translate_os_error

# A process number is given to a new process some day; its start time tells the two apart. Clocks
# are adjusted by seconds, numbers come round after much longer.
_SAME_START_SECONDS = 10.0
# Writing the few bytes of a lock takes far less; an empty lock that is older was left by a crash.
_WRITING_SECONDS = 10.0
_MAXIMUM_BYTES = 4096


@dataclass(frozen=True)
class LockHolder:
    """Who writes to a project: host name, process number, its start in seconds since 1970."""

    host: str
    process: int
    started: float

    @staticmethod
    def current() -> LockHolder:
        """This process."""
        process = psutil.Process()
        return LockHolder(socket.gethostname(), process.pid, process.create_time())

    @property
    def is_here(self) -> bool:
        """Whether it is a process of this computer."""
        return self.host == socket.gethostname()

    @property
    def is_gone(self) -> bool:
        """Whether it certainly runs no more; unknown for another computer, so False."""
        if not self.is_here:
            return False
        try:
            started = psutil.Process(self.process).create_time()
        except psutil.NoSuchProcess:
            return True
        except psutil.Error:
            return False
        return abs(started - self.started) > _SAME_START_SECONDS


class ProjectLock:
    """The right to write to the project file `project`, once `acquire` returned.

    On a crash the file stays; the next process of the same computer sees that its holder is gone
    and takes it over.
    """

    def __init__(self, project: Path) -> None:
        self.project = project
        self.path = lock_path(project)
        self._held: bytes | None = None

    def acquire(self) -> None:
        """Take the lock.

        :raises ProjectInUseError: another process, or another window of this one, holds it.
        :raises ProjectNotWritableError: the folder is write-protected.
        """
        for _ in range(3):
            if self._create():
                return
            content = _read(self.path)
            if content is None:
                continue
            holder = _parse(content)
            if not self._is_stale(holder):
                raise _in_use(self.project, self.path, holder)
            self._remove_stale(content)
        raise _in_use(self.project, self.path, None)

    def release(self) -> None:
        """Give the lock back; a lock that another process took over meanwhile stays."""
        if self._held is not None and _read(self.path) == self._held:
            self.path.unlink(missing_ok=True)
        self._held = None

    def _create(self) -> bool:
        content = json.dumps(asdict(LockHolder.current())).encode()
        try:
            descriptor = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
        except FileExistsError:
            return False
        except PermissionError as error:
            raise not_writable(self.project) from error
        except OSError as error:
            raise translate_os_error(error, self.project) from error
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
        except OSError as error:
            self.path.unlink(missing_ok=True)
            raise translate_os_error(error, self.project) from error
        self._held = content
        return True

    def _is_stale(self, holder: LockHolder | None) -> bool:
        if holder is not None:
            return holder.is_gone
        try:
            return time.time() - self.path.stat().st_mtime > _WRITING_SECONDS
        except OSError:
            return False

    def _remove_stale(self, content: bytes) -> None:
        """Move the lock away, and put it back if another process replaced it meanwhile."""
        aside = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        try:
            os.replace(self.path, aside)
        except FileNotFoundError:
            return
        except OSError as error:
            raise translate_os_error(error, self.path) from error
        if _read(aside) == content:
            aside.unlink()
        else:
            os.replace(aside, self.path)


def lock_path(project: Path) -> Path:
    """The lock file of a project file."""
    return project.with_name(project.name + ".lock")


def _read(lock: Path) -> bytes | None:
    """The beginning of a lock file, which is all of ours; None: there is no file."""
    try:
        with lock.open("rb") as file:
            return file.read(_MAXIMUM_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise translate_os_error(error, lock) from error


def _parse(content: bytes) -> LockHolder | None:
    try:
        fields = json.loads(content)
        return LockHolder(str(fields["host"]), int(fields["process"]), float(fields["started"]))
    except (ValueError, TypeError, KeyError):
        return None


def _in_use(project: Path, lock: Path, holder: LockHolder | None) -> ProjectInUseError:
    summary = f"“{project.name}” is already open"
    hint = "Close it there, or open it read-only."
    if holder is None:
        return ProjectInUseError(f"{summary} in another Parallax.", hint)
    if holder.is_here and holder.process == os.getpid():
        return ProjectInUseError(f"{summary} in this Parallax.", hint)
    if holder.is_here:
        return ProjectInUseError(f"{summary} in another Parallax (process {holder.process}).", hint)
    return ProjectInUseError(
        f"{summary} on the computer “{holder.host}” (process {holder.process}).",
        f"{hint} If that computer no longer uses it, delete the file “{lock.name}” beside it.",
    )
