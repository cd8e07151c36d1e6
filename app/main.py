"""The command `parallax`: the window, or the same audits without a screen."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

PROJECT_SUFFIX = ".parallax"
_NO_DISPLAY = "There is no display here, so the window cannot open."


def main(argv: Sequence[str] | None = None) -> int:
    """Open the window, or hand everything else to the command line.

    :param argv: the arguments after the program's name; those of this process when None.
    :returns: the exit code.
    """
    multiprocessing.freeze_support()
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not wants_window(arguments):
        return run_command_line(arguments)
    if not has_display(os.environ, sys.platform):
        return _without_display(arguments)
    os.environ["PYQTGRAPH_QT_LIB"] = "PySide6"
    return _open_window(arguments)


def wants_window(arguments: Sequence[str]) -> bool:
    """Whether the arguments ask for the window: none, a project file, or `sample [FILE]`."""
    if not arguments:
        return True
    if any(argument.startswith("-") for argument in arguments):
        return False
    if arguments[0] == "sample":
        return len(arguments) <= 2
    return len(arguments) == 1 and _is_project(arguments[0])


def _is_project(argument: str) -> bool:
    path = Path(argument)
    return path.suffix == PROJECT_SUFFIX or path.is_file()


def has_display(environment: Mapping[str, str], platform: str) -> bool:
    """Whether a window can be shown: on Linux, if a display or a Qt platform is named."""
    if not platform.startswith(("linux", "freebsd")):
        return True
    names = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    return any(environment.get(name) for name in names)


def run_command_line(arguments: Sequence[str]) -> int:
    """The commands that need no screen; returns the exit code."""
    from analysis.cli import main as command_line

    try:
        command_line(list(arguments))
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def _without_display(arguments: Sequence[str]) -> int:
    if arguments and arguments[0] == "sample":
        print(f"{_NO_DISPLAY} The sample's audits run without it.", file=sys.stderr)
        return run_command_line(arguments)
    print(f"{_NO_DISPLAY} `parallax --help` lists what works without it.", file=sys.stderr)
    return 1


def _open_window(arguments: Sequence[str]) -> int:
    from app.application import run_application

    if arguments and arguments[0] == "sample":
        sample = Path(arguments[1]) if len(arguments) == 2 else None
        return run_application(None, sample, open_sample=True)
    return run_application(Path(arguments[0]) if arguments else None)


if __name__ == "__main__":
    sys.exit(main())
