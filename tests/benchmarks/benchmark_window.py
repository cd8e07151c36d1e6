"""The window's budgets: start, repaint, scrolling, gaps during a run, growth, a large project.

Run: python tests/benchmarks/benchmark_window.py [PART …]   (parts: see `PARTS`; all if none)

Each part is measured in a process of its own, offscreen unless QT_QPA_PLATFORM says otherwise. On
a machine that does other work, the processor's time is the one to compare: wall-clock times also
hold what others took.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ["PYQTGRAPH_QT_LIB"] = "PySide6"
os.environ["QT_LOGGING_RULES"] = "qt.qpa.*=false"
sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parent)]

HEAVY = ("torch", "timm", "sklearn", "scipy", "matplotlib")
PATIENCE_S = 300
ROUNDS = 50
_QUEUE = Path("/proc/thread-self/schedstat")


# -- what all parts use --------------------------------------------------------------------------
def say(what: str, value: str, budget: str = "") -> None:
    print(f"{what:52s} {value:>34s}   {budget and 'budget ' + budget}", flush=True)


def spin(condition: Callable[[], object], patience: float = PATIENCE_S) -> None:
    """Let the event loop turn until the condition holds."""
    from PySide6.QtCore import QCoreApplication, QEvent, QEventLoop

    end = time.monotonic() + patience
    while not condition():
        if time.monotonic() > end:
            raise SystemExit("waited too long")
        QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents, 20)
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)  # as `exec` does


def settle(seconds: float = 0.5) -> None:
    """Let everything that is under way arrive."""
    end = time.monotonic() + seconds
    spin(lambda: time.monotonic() > end)


class Heartbeat:
    """How long the window's thread did not answer, and how much of that it computed itself."""

    def __init__(self) -> None:
        from PySide6.QtCore import Qt, QTimer

        self.gaps: list[tuple[float, float, float, str]] = []  # ms: all, own, queued; what was on
        self.phase = ""
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(4)
        self._timer.timeout.connect(self._beat)
        self._last = self._clocks()
        self._timer.start()

    def _clocks(self) -> tuple[float, float, float]:
        """Seconds: of the clock, computed by this thread, and waited for a processor (Linux)."""
        queued = 0.0
        if _QUEUE.exists():
            queued = int(_QUEUE.read_text().split()[1]) / 1e9
        return time.perf_counter(), time.thread_time(), queued

    def _beat(self) -> None:
        now = self._clocks()
        parts = [1000 * (b - a) for a, b in zip(self._last, now, strict=True)]
        self.gaps.append((*parts, self.phase))
        self._last = now

    def stop(self) -> None:
        self._timer.stop()

    def report(self) -> None:
        worst = sorted(self.gaps, reverse=True)
        over = sum(gap > 100 for gap, *_rest in self.gaps)
        say("longest gap", f"{worst[0][0]:.0f} ms", "100 ms")
        say("gaps over 100 ms", f"{over} of {len(self.gaps):,} beats")
        for gap, own, queued, phase in worst[:8]:
            detail = f"computing {own:.0f}, queued {queued:.0f}"
            print(f"    {gap:4.0f} ms ({detail:28s}) {phase}", flush=True)


@contextmanager
def window_on(path: Path | None = None) -> Iterator[object]:
    """A shown window with a project, closed at the end as its user would."""
    from PySide6.QtCore import QCoreApplication, QEvent

    from app.main_window import MainWindow
    from app.workspace import Workspace

    window = MainWindow(Workspace())
    window.resize(1500, 950)
    window.show()
    window.warm_up.import_modules()
    if path is not None:
        window.commands.open_path(str(path))
        spin(lambda: window.workspace.index is not None)
    yield window
    window.workspace.jobs.cancel_all()
    spin(lambda: not window.workspace.jobs.busy)
    window.close()
    spin(lambda: not window.workspace.running)
    window.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def application() -> object:
    from app import theme
    from app.application import make_application

    made = make_application(["parallax"])
    theme.apply(made, "light")
    return made


def resident_mb() -> float:
    import psutil

    return psutil.Process().memory_info().rss / 2**20


def sample_copy(folder: Path, audits: tuple[str, ...] = ()) -> Path:
    """A project with the sample's images and two of its networks; runs of the audits done."""
    from analysis import audits as known
    from analysis.audits import intake
    from analysis.progress import Progress
    from analysis.project import Project
    from analysis.resources import resource_path

    path = folder / "sample.parallax"
    with Project.create(path, "sample") as project:
        intake.add_images(project, "scenes", resource_path("sample", "images"), Progress())
        for name in ("pink-sensitive", "pink-invariant"):
            intake.add_model(project, name, f"sample:{name}", Progress())
        for audit in audits:
            parameters = known.parse_parameters(known.AUDITS[audit].parameters, {})
            models = ("pink-sensitive", "pink-invariant")
            run = known.create_run(project, audit, models, parameters, device="cpu")
            known.execute(project, run, Progress())
    return path


# -- start ---------------------------------------------------------------------------------------
def start() -> None:
    """From the start of the process to the first painted window, five times."""
    walls, busy, found = [], [], ""
    for _ in range(5):
        begun = time.time()
        code = (
            "import runpy, sys; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0])['_started']()"
        )
        out = subprocess.run(
            [sys.executable, "-c", code, __file__], capture_output=True, text=True, check=True
        ).stdout.split("\n")
        walls.append(float(out[0]) - begun)
        busy.append(float(out[1]))
        found = out[2]
    walls.sort()
    say("window shown: median, worst", f"{walls[2]:.2f} s, {walls[-1]:.2f} s", "1.5 s")
    say("    processor's time: median", f"{sorted(busy)[2]:.2f} s")
    say("    heavy libraries loaded", found or "none", "none")


def _started() -> None:
    from PySide6.QtCore import QEvent, QObject

    from app.main_window import MainWindow
    from app.workspace import Workspace

    class Painted(QObject):
        seen = False

        def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
            self.seen |= event.type() == QEvent.Type.Paint
            return False

    application()
    window, painted = MainWindow(Workspace()), Painted()
    window.installEventFilter(painted)
    window.show()
    spin(lambda: painted.seen)
    print(
        time.time(), time.process_time(), ", ".join(n for n in HEAVY if n in sys.modules), sep="\n"
    )
    window.close()
    spin(lambda: not window.workspace.running)


# -- painting ------------------------------------------------------------------------------------
def painting() -> None:
    """20,000 points selected; 5,000 patches scrolled: see benchmark_views."""
    import benchmark_views

    application()
    for part in (benchmark_views.scatter, benchmark_views.concepts, benchmark_views.grid):
        part()


# -- gaps ----------------------------------------------------------------------------------------
def gaps() -> None:
    """A run of real networks from its start on, while one walks through all perspectives."""
    from app.perspectives import PERSPECTIVES

    with tempfile.TemporaryDirectory() as folder:
        made = subprocess.run(
            [sys.executable, __file__, "_make", folder], capture_output=True, text=True, check=True
        )
        path = Path(made.stdout.strip())
        application()
        heart = Heartbeat()
        heart.phase = "the window is made"
        with window_on() as window:
            heart.phase = "the project opens"
            window.commands.open_path(str(path))
            spin(lambda: window.workspace.index is not None)
            settle(3)
            heart.phase = "the run begins (libraries are loaded)"
            begun = time.perf_counter()
            parameters = window.workspace.backend.parse_parameters("concepts", {"components": "12"})
            models = ("pink-sensitive", "pink-invariant")
            window.workspace.start_audit("concepts", models, parameters, 1, "cpu")
            spin(lambda: window.workspace.session.snapshot.run_concepts)
            for perspective in PERSPECTIVES * 2:
                heart.phase = f"the run goes on; {perspective.title} is shown"
                window.show_perspective(perspective.id)
                settle(1.0)
            heart.phase = "the run goes on; Concepts is shown"
            window.show_perspective("concepts")
            spin(lambda: not window.workspace.jobs.busy)
            seconds = time.perf_counter() - begun
            heart.phase = "the run has ended"
            settle(1)
            heart.stop()
        say("a run of real networks took", f"{seconds:.1f} s")
        heart.report()


def _make() -> None:
    folder = Path(sys.argv[2])
    print(sample_copy(folder))


# -- growth --------------------------------------------------------------------------------------
def growth() -> None:
    """Resident memory and live objects over 50 openings of a project with every view shown."""
    import gc

    from PySide6.QtWidgets import QApplication

    with tempfile.TemporaryDirectory() as folder:
        code = [sys.executable, __file__, "_make_done", folder]
        path = Path(subprocess.run(code, capture_output=True, text=True, check=True).stdout.strip())
        application()
        memory, objects, widgets = [], [], []
        with window_on() as window:
            for turn in range(ROUNDS + 10):
                window.commands.open_path(str(path))
                spin(lambda: window.workspace.session.snapshot.run_concepts)
                for name in window.presenters:
                    window.show_perspective(name)
                    spin(lambda: not window.workspace.loader.loading)
                window.workspace.close_project()
                settle(0.05)
                if turn >= 9:
                    gc.collect()
                    memory.append(resident_mb())
                    objects.append(len(gc.get_objects()))
                    widgets.append(len(QApplication.allWidgets()))
    grown = memory[-1] - memory[0]
    say(
        f"project opened and closed {ROUNDS} times",
        f"{grown:+.1f} MB of {memory[0]:.0f} MB",
        "5 MB",
    )
    say(
        "    Python objects, widgets",
        f"{objects[-1] - objects[0]:+d}, {widgets[-1] - widgets[0]:+d}",
    )


def windows() -> None:
    """Resident memory and live objects over 50 windows opened and closed on a project."""
    import gc

    from PySide6.QtWidgets import QApplication

    with tempfile.TemporaryDirectory() as folder:
        code = [sys.executable, __file__, "_make_done", folder]
        path = Path(subprocess.run(code, capture_output=True, text=True, check=True).stdout.strip())
        application()
        memory, objects, widgets = [], [], []
        for turn in range(ROUNDS + 10):
            with window_on(path) as window:
                spin(lambda w=window: w.workspace.session.snapshot.run_concepts)
                for name in window.presenters:
                    window.show_perspective(name)
                    spin(lambda w=window: not w.workspace.loader.loading)
            del window
            if turn >= 9:
                gc.collect()
                memory.append(resident_mb())
                objects.append(len(gc.get_objects()))
                widgets.append(len(QApplication.allWidgets()))
    grown = memory[-1] - memory[0]
    say(
        f"window opened and closed {ROUNDS} times", f"{grown:+.1f} MB of {memory[0]:.0f} MB", "5 MB"
    )
    say(
        "    Python objects, widgets",
        f"{objects[-1] - objects[0]:+d}, {widgets[-1] - widgets[0]:+d}",
    )


def _make_done() -> None:
    print(sample_copy(Path(sys.argv[2]), ("concepts", "layers")))


# -- a large project -----------------------------------------------------------------------------
def large() -> None:
    """1,000 classes × 10 concepts × 2 models with 600,000 patches, opened and browsed."""
    import large_project

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.parallax"
        large_project.build(path)
        say("size of the file", f"{path.stat().st_size / 2**20:.0f} MB")
        application()
        before = resident_mb()
        heart = Heartbeat()
        _browse(path, heart)
        heart.stop()
        say("memory beside the empty window", f"{resident_mb() - before:.0f} MB")
        heart.report()


def _browse(path: Path, heart: Heartbeat) -> None:
    with window_on() as window:
        settle(2)
        workspace, session = window.workspace, window.workspace.session

        def timed(what: str, act: Callable[[], object], until: Callable[[], object]) -> None:
            heart.phase = what
            begun = time.perf_counter()
            act()
            spin(until)
            window.repaint()
            say(what, f"{1000 * (time.perf_counter() - begun):.0f} ms")
            settle(0.7)

        timed(
            "open: the project's lists are there",
            lambda: window.commands.open_path(str(path)),
            lambda: workspace.index is not None,
        )
        timed(
            "show 20,000 concepts",
            lambda: window.show_perspective("concepts"),
            lambda: workspace.points is not None,
        )
        settle(2)
        points = workspace.points
        ids = points.concept_id
        for name in ("class 0500", "class 0001", None, "class 0999"):
            timed(
                f"filter: {name or 'all classes'}",
                lambda name=name: session.update({"class_name": name}),
                lambda name=name: session.snapshot.class_name == name,
            )
        session.update({"class_name": None})
        settle(0.5)
        for many in (1, 1000, 20_000, 0):
            chosen = frozenset(ids[:many].tolist())
            timed(
                f"select {many:,} concepts",
                lambda chosen=chosen: session.update({"selection": chosen}),
                lambda chosen=chosen: session.snapshot.selection == chosen,
            )
        for row in (12, 12_345, 19_999):
            number = int(ids[row])
            timed(
                f"focus concept {row:,}: its patches are there",
                lambda number=number: session.update({"concept": number}),
                lambda number=number: getattr(workspace.focus.detail, "concept_id", None) == number,
            )
        timed(
            "command palette: find a concept",
            lambda: _find(window, "concept 4 ViT class 0777"),
            lambda: True,
        )
        for name in window.presenters:
            timed(
                f"show {name}",
                lambda name=name: window.show_perspective(name),
                lambda: not workspace.loader.loading,
            )
        say("memory with the project open", f"{resident_mb():.0f} MB")


def _find(window: object, text: str) -> None:
    from PySide6.QtWidgets import QApplication

    from app.dialogs.palette import CommandPalette

    window.actions_registry["palette"].trigger()
    palette = next(w for w in QApplication.topLevelWidgets() if isinstance(w, CommandPalette))
    palette.edit.setText(text)
    if not palette.found():
        raise SystemExit("the palette found nothing")
    palette.close()


PARTS = ("start", "painting", "gaps", "growth", "windows", "large")


def main() -> None:
    wanted = sys.argv[1:] or list(PARTS)
    if len(wanted) == 1 or wanted[0].startswith("_"):
        globals()[wanted[0]]()
        return
    for part in wanted:
        print(f"-- {part}: {globals()[part].__doc__}", flush=True)
        subprocess.run([sys.executable, __file__, part], check=False)


if __name__ == "__main__":
    main()
