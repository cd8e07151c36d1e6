"""What the command line says while it works."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from analysis.progress import Progress


class Terminal:
    """Shows progress: one line that changes on a terminal, plain lines or JSON lines elsewhere.

    Standard error is for errors alone, except on a terminal.
    """

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._interactive = sys.stderr.isatty()
        self._last_text = ""

    def progress(self) -> Progress:
        """A progress that is shown here."""
        return Progress(self._report)

    def _report(self, done: float, total: float, text: str, seconds_left: float | None) -> None:
        if self._as_json:
            self.event("progress", done=done, total=total, text=text, seconds_left=seconds_left)
        elif self._interactive:
            share = 100 * done / total if total else 0
            left = "" if seconds_left is None else f", about {seconds_left:.0f} s left"
            click.echo(f"\r\033[K{text}: {share:.0f} %{left}", nl=False, err=True)
        elif text != self._last_text:
            click.echo(text)
        self._last_text = text

    def event(self, kind: str, **values: Any) -> None:
        """A line for a program."""
        if self._as_json:
            click.echo(json.dumps({"event": kind, **values}))

    def say(self, text: str) -> None:
        """A line for a person; progress on the same terminal line is wiped first."""
        if not self._as_json:
            if self._interactive:
                click.echo("\r\033[K", nl=False, err=True)
            click.echo(text)
