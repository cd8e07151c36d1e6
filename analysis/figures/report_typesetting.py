"""Typst, here or in a process of its own.

Typst keeps what it has worked out for as long as its process lives: hundreds of megabytes after a
few changes of a long report. The window lets it work in another process, which is ended when it
has grown too large or nobody needs it any more.
"""

from __future__ import annotations

import json
import multiprocessing
import signal
import weakref
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Protocol

import psutil

from analysis.errors import AuditError

_LARGEST_BYTES = 800_000_000  # of the other process, before another takes its place
_PATIENCE_SECONDS = 5.0

Places = list[dict[str, Any]]
"""Of each block of a report its id (`block`) and the page that it begins on (`page`)."""


class Typesets(Protocol):
    """Sets `report.typ` of a folder with the data that lie beside it."""

    def pdf(self) -> bytes:
        """The whole as a PDF."""
        ...

    def pages(self, pixels_per_inch: float) -> tuple[tuple[bytes, ...], Places]:
        """Every page as a PNG, and where the blocks are."""
        ...

    def close(self) -> None:
        """Nothing more will be asked for."""
        ...


class Typesetter:
    """Typst in this process; what has not changed since the last time is not done again."""

    def __init__(self, root: Path, fonts: Path) -> None:
        import typst

        self._compiler = typst.Compiler(
            str(root / "report.typ"), root=str(root), font_paths=[str(fonts)]
        )

    def pdf(self) -> bytes:
        pdf = self._compiler.compile(format="pdf")
        if not isinstance(pdf, bytes):
            raise RuntimeError("Typst gave no document")
        return pdf

    def pages(self, pixels_per_inch: float) -> tuple[tuple[bytes, ...], Places]:
        # In this order: Typst reads changed files anew only after it has compiled, not queried.
        found: Places = json.loads(self._compiler.query("<block>", field="value"))
        pages = self._compiler.compile(format="png", ppi=pixels_per_inch)
        return (pages,) if isinstance(pages, bytes) else tuple(pages or ()), found

    def close(self) -> None:
        """Nothing to end: what Typst keeps stays with this process."""


class TypesetterApart:
    """Typst in another process, begun when it is first needed; asked by one thread at a time."""

    def __init__(self, root: Path, fonts: Path) -> None:
        self._folders = (str(root), str(fonts))
        self._link: Connection | None = None
        self._process: BaseProcess | None = None
        self._end: weakref.finalize[Any, Any] | None = None

    @property
    def process(self) -> BaseProcess | None:
        """The other process, None while there is none."""
        return self._process

    def pdf(self) -> bytes:
        _, (pdf,) = self._ask({"do": "pdf"})
        return pdf

    def pages(self, pixels_per_inch: float) -> tuple[tuple[bytes, ...], Places]:
        places, pages = self._ask({"do": "pages", "pixels_per_inch": pixels_per_inch})
        return tuple(pages), places

    def close(self) -> None:
        """End the other process, and with it all that it keeps."""
        end, self._end = self._end, None
        self._link = self._process = None
        if end is not None:
            end()

    def _begin(self) -> Connection:
        context = multiprocessing.get_context("spawn")
        here, there = context.Pipe()
        process = context.Process(
            target=_work, args=(there, *self._folders), name="typesetting", daemon=True
        )
        process.start()
        there.close()
        self._link, self._process = here, process
        self._end = weakref.finalize(self, _end, process, here)
        return here

    def _ask(self, order: Mapping[str, Any]) -> tuple[Places, Sequence[bytes]]:
        """What the other process answers.

        :raises AuditError: it has ended before it could answer.
        """
        link = self._link or self._begin()
        try:
            link.send_bytes(json.dumps(order).encode())
            head = json.loads(link.recv_bytes())
            parts = [link.recv_bytes() for _ in range(head["parts"])]
        except (EOFError, OSError) as error:
            self.close()
            raise AuditError(
                "The pages could not be set: the process that sets them has ended.",
                "Try again. If it happens again, there may be too little memory: leave out parts.",
            ) from error
        if self._too_large():
            self.close()
        if head["error"]:
            raise RuntimeError(head["error"])
        return head["places"], parts

    def _too_large(self) -> bool:
        if self._process is None or self._process.pid is None:
            return False
        try:
            return psutil.Process(self._process.pid).memory_info().rss > _LARGEST_BYTES
        except psutil.Error:
            return False


def _end(process: BaseProcess, link: Connection) -> None:
    link.close()  # which the other side takes as the end
    process.join(_PATIENCE_SECONDS)
    if process.is_alive():
        process.kill()
        process.join()


def _work(link: Connection, root: str, fonts: str) -> None:
    """What the other process does until the connection is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the window
    typesetter = Typesetter(Path(root), Path(fonts))
    while True:
        try:
            order = json.loads(link.recv_bytes())
        except EOFError:
            return
        head: dict[str, Any] = {"error": "", "places": []}
        parts: tuple[bytes, ...] = ()
        try:
            if order["do"] == "pdf":
                parts = (typesetter.pdf(),)
            else:
                parts, head["places"] = typesetter.pages(order["pixels_per_inch"])
        except Exception as error:
            head["error"] = str(error) or type(error).__name__
        link.send_bytes(json.dumps({**head, "parts": len(parts)}).encode())
        for part in parts:
            link.send_bytes(part)
