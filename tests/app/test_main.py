from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app import main

_ROOT = Path(main.__file__).parent.parent


@pytest.mark.parametrize(
    ("arguments", "window"),
    [
        ([], True),
        (["sample"], True),
        (["sample", "x.parallax"], True),
        (["scenes.parallax"], True),
        (["sample", "--help"], False),
        (["--help"], False),
        (["--version"], False),
        (["run", "scenes.parallax", "concepts"], False),
        (["info", "scenes.parallax"], False),
        (["nonsense"], False),
    ],
)
def test_which_arguments_open_the_window(arguments, window) -> None:
    assert main.wants_window(arguments) is window


@pytest.mark.parametrize(
    ("environment", "platform", "there"),
    [
        ({}, "linux", False),
        ({"DISPLAY": ""}, "linux", False),
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({"QT_QPA_PLATFORM": "offscreen"}, "linux", True),
        ({}, "darwin", True),
        ({}, "win32", True),
    ],
)
def test_whether_there_is_a_display(environment, platform, there) -> None:
    assert main.has_display(environment, platform) is there


@pytest.fixture
def no_display(monkeypatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")


def test_without_a_display_the_window_says_so_in_one_line(no_display, capsys) -> None:
    assert main.main(["x.parallax"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.strip().splitlines()) == 1
    assert "no display" in err


def test_without_a_display_the_sample_runs_on_the_command_line(
    no_display, monkeypatch, capsys
) -> None:
    given: list[list[str]] = []
    monkeypatch.setattr("analysis.cli.main", given.append)
    assert main.main(["sample", "x.parallax"]) == 0
    assert given == [["sample", "x.parallax"]]
    assert "no display" in capsys.readouterr().err


class _TakenError(Exception):
    """A process begun for other work has gone to do it."""


@pytest.mark.parametrize("arguments", [[], ["--help"], ["--multiprocessing-fork", "pipe=5"]])
def test_a_process_begun_for_other_work_does_that_first(arguments, monkeypatch) -> None:
    """A packaged program begins itself anew to set pages: neither window nor command may open."""

    def take() -> None:
        raise _TakenError

    monkeypatch.setattr(main.multiprocessing, "freeze_support", take)
    with pytest.raises(_TakenError):
        main.main(arguments)


def test_a_process_begun_for_other_work_loads_little() -> None:
    heavy = ("PySide6", "numpy", "torch", "matplotlib", "pyqtgraph")
    done = _run(f"import sys, app.main; print([n for n in {heavy} if n in sys.modules])")
    assert done.stdout.strip() == "[]", done.stderr


def test_exit_codes_of_the_command_line(monkeypatch) -> None:
    for code, expected in ((0, 0), (None, 0), (2, 2), (130, 130), ("words", 1)):

        def end(_arguments: list[str], code: object = code) -> None:
            raise SystemExit(code)

        monkeypatch.setattr("analysis.cli.main", end)
        assert main.main(["info", "x"]) == expected


_PROBE = """
import sys
from PySide6.QtCore import QTimer
from app import application, main_window

shown = main_window.MainWindow.show
def show(window):
    shown(window)
    QTimer.singleShot(0, window.close)
main_window.MainWindow.show = show
from app.main import main
code = main(sys.argv[1:])
heavy = {"torch", "torchvision", "timm", "sklearn", "matplotlib", "celer", "scipy"}
print("heavy:", sorted(heavy & set(sys.modules)), "code:", code)
"""


def _run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "QT_QPA_PLATFORM": "offscreen",
        "PYTHONPATH": os.pathsep.join([str(_ROOT), os.environ.get("PYTHONPATH", "")]),
    }
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_the_window_starts_and_ends_without_heavy_libraries() -> None:
    done = _run(_PROBE)
    assert "heavy: [] code: 0" in done.stdout, done.stderr
    assert done.returncode == 0, done.stderr


def test_a_project_opens_without_heavy_libraries(project_file: Path) -> None:
    probe = _PROBE.replace(
        "    QTimer.singleShot(0, window.close)\n",
        "    window.show_perspective('layers')\n"
        "    def loaded(_index):\n"
        "        QTimer.singleShot(300, window.close)\n"
        "    window.workspace.index_changed.connect(loaded)\n",
    )
    done = _run(probe, str(project_file))
    assert "heavy: [] code: 0" in done.stdout, done.stderr
    assert done.returncode == 0, done.stderr
