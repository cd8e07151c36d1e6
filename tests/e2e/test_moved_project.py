"""A project that was moved away alone: its images and weights are gone, everything is still there.

Then the images turn up, renamed and in one heap, and a run goes on with them.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from PySide6.QtWidgets import QApplication

from analysis import audits
from analysis.audits import intake
from analysis.cli import cli
from analysis.errors import AuditError
from analysis.figures.export import FIGURES, export_figure
from analysis.figures.report import write_report
from analysis.progress import Progress
from analysis.project import Project
from analysis.resources import resource_path
from app.backend import Backend
from app.main_window import MainWindow
from app.perspectives import PERSPECTIVES
from app.problems import Problem
from app.workspace import Workspace

LONG = 120_000
PAIR = ("pink-sensitive", "pink-invariant")
RUNS: tuple[tuple[str, tuple[str, ...], dict[str, str]], ...] = (
    ("concepts", PAIR, {"components": "3"}),
    ("layers", PAIR, {"layers": "3"}),
    ("dissection", (*PAIR, "vit"), {}),
    ("evaluation", (*PAIR, "vit"), {"folds": "2"}),
    ("embedding", (*PAIR, "vit"), {}),
    ("saliency", (*PAIR, "vit"), {"images": "4", "steps": "4", "metrics": "insertion,deletion"}),
    ("semantics", PAIR, {"concepts": "pink square,roof", "layers": "2", "images": "40",
                         "negatives": "30", "random_sets": "5", "permutations": "50"}),
)  # fmt: skip


CLASSES = ("boat/", "house/")
IMAGES = 20  # of each class


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder: the project in `away/deep`, its images as `heap`, figures as they were in `drawn`.

    The place where it was made is gone, and so are the weights.
    """
    folder = tmp_path_factory.mktemp("moved")
    layout = _part_of_the_sample(folder / "layout")
    file = folder / "away" / "deep" / "made.parallax"
    file.parent.mkdir(parents=True)
    with Project.create(file, "made") as project:
        image_set = intake.add_images(project, "scenes", layout, Progress())
        for name in (*PAIR, "vit"):
            intake.add_model(project, name, f"sample:{name}", Progress())
        for audit, models, values in RUNS:
            parameters = audits.parse_parameters(audits.AUDITS[audit].parameters, values)
            run = audits.create_run(project, audit, models, parameters, image_set, device="cpu")
            audits.execute(project, run, Progress())
        boats = [row["id"] for row in project.rows("SELECT id FROM image WHERE label = 'boat'")]
        project.add_image_slice("boats", boats)
        (folder / "drawn").mkdir()
        for name in FIGURES:
            _draw(project, name, folder / "drawn" / f"{name}.png")
        for name in PAIR:
            project.set_specification(name, f"timm:resnet18@/nowhere/{name}.safetensors")
    (folder / "heap").mkdir()
    for number, picture in enumerate(sorted((layout / "images").rglob("*.jpg"))):
        shutil.move(picture, folder / "heap" / f"IMG {number}.JPG")
    shutil.rmtree(layout)
    return folder


@pytest.fixture
def file(moved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(moved / "away" / "deep" / "made.parallax", tmp_path / "made.parallax"))


@pytest.fixture
def window(qtbot, file: Path) -> Iterator[MainWindow]:
    made = MainWindow(Workspace(Backend()))
    made.show()
    made.commands.open_path(str(file))
    qtbot.waitUntil(lambda: made.workspace.session.snapshot.run_concepts is not None, timeout=LONG)
    yield made
    made.close()
    qtbot.waitUntil(lambda: not made.workspace.running, timeout=LONG)
    made.deleteLater()
    QApplication.processEvents()


@pytest.mark.slow
def test_every_figure_and_the_report_are_as_they_were(moved: Path, file: Path) -> None:
    with Project.open(file, read_only=True) as project:
        images = [row["id"] for row in project.rows("SELECT id FROM image")]
        assert len(images) == 2 * IMAGES
        assert not any(project.resolve_image(image) for image in images)
        compared = 0
        for name in FIGURES:
            before = moved / "drawn" / f"{name}.png"
            after = file.with_name(f"{name}.png")
            _draw(project, name, after)
            assert before.exists() == after.exists(), name
            if before.exists():
                assert np.array_equal(_pixels(before), _pixels(after)), name
                compared += 1
        assert compared >= 20
        report = file.with_name("report.html")
        write_report(project, report)
        assert report.stat().st_size > 50_000


@pytest.mark.slow
def test_every_perspective_shows_its_results(qtbot, window) -> None:
    problems: list[Problem] = []
    window.workspace.problem_found.connect(lambda problem, _what: problems.append(problem))
    for perspective in PERSPECTIVES:
        window.show_perspective(perspective.id)
        presenter = window.presenters[perspective.id]
        if perspective.audits:
            qtbot.waitUntil(
                lambda it=presenter: it.widget.currentWidget() is not it.empty, timeout=LONG
            )
    project = window.workspace.project
    used = {row[0] for table in ("patch", "unit_patch", "saliency")
            for row in project.rows(f"SELECT DISTINCT image FROM {table}")}  # fmt: skip
    assert used
    source = window.workspace.thumbnails
    for image in sorted(used):
        qtbot.waitUntil(lambda it=image: source.request(it, None, 64) is not None, timeout=LONG)
    assert problems == []


@pytest.mark.slow
def test_the_images_are_found_in_a_heap_and_a_run_goes_on(moved: Path, file: Path) -> None:
    runner = CliRunner()
    settings = ["run", str(file), "concepts", "--models", "vit", "--models", "vit-again"]
    with Project.open(file) as project:
        intake.add_model(project, "vit-again", "sample:vit", Progress())
    refused = runner.invoke(cli, [*settings, "--set", "components=2"])
    assert isinstance(refused.exception, AuditError), refused.output
    found = runner.invoke(cli, ["relocate", str(file), "scenes", str(moved / "heap")])
    assert found.exit_code == 0, found.output
    assert f"{2 * IMAGES} of {2 * IMAGES} images found" in found.output
    done = runner.invoke(cli, [*settings, "--set", "components=2"])
    assert done.exit_code == 0, done.output
    with Project.open(file, read_only=True) as project:
        run = project.value("SELECT max(id) FROM run")
        same = project.value("SELECT min(cmcs_pearson) FROM concept_similarity WHERE run = ?",
                             (run,))  # fmt: skip
        assert same > 0.8  # a network predicts its own concepts


def _part_of_the_sample(folder: Path) -> Path:
    """The sample's images and label planes of two classes, as a layout of their own."""
    whole = resource_path("sample")
    (folder / "images").mkdir(parents=True)
    for table in whole.glob("*.csv"):
        shutil.copy(table, folder)
    header, *lines = (whole / "index.csv").read_text(encoding="utf-8").splitlines()
    kept = [line for name in CLASSES
            for line in [one for one in lines if one.startswith(name)][:IMAGES]]  # fmt: skip
    (folder / "index.csv").write_text("\n".join([header, *kept]) + "\n", encoding="utf-8")
    for line in kept:
        stem = line.split(",")[0].removesuffix(".jpg")
        for picture in (whole / "images").glob(f"{stem}*"):
            target = folder / "images" / picture.relative_to(whole / "images")
            target.parent.mkdir(exist_ok=True)
            shutil.copy(picture, target)
    return folder


def _draw(project: Project, name: str, out: Path) -> None:
    """The figure, where the project has results for it."""
    try:
        export_figure(project, name, out, dpi=60)
    except AuditError as error:
        if "results" not in str(error):
            raise


def _pixels(file: Path) -> np.ndarray:
    return np.asarray(Image.open(file).convert("RGB"))
