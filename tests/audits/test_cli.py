"""The command line as scripts use it: exit codes, tables, JSON lines."""

from __future__ import annotations

import csv
import json
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from analysis.cli import main
from analysis.project import Project


def _fails(arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == code
    error = capsys.readouterr().err
    assert "Traceback" not in error
    return error


def test_from_images_to_a_table(
    small_images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(tmp_path / "new.parallax")
    main(["new", file, "--images", f"scenes={small_images}", "--model", "one=sample:cnn-seed-1"])
    main(["add", file, "--model", "two=sample:cnn-seed-2"])
    capsys.readouterr()
    quick = ["replicates=100", "permutations=100", "components=4", "stability_seeds=0"]
    settings = [part for text in quick for part in ("--set", text)]
    main(["run", file, "concepts", "--models", "one", "--models", "two", "--json-progress",
          "--device", "cpu", *settings])  # fmt: skip
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    kinds = [event["event"] for event in events]
    assert kinds[0] == "estimate"
    assert kinds[-1] == "done"
    assert kinds.count("unit") == 2
    assert {"done", "total", "text", "seconds_left"} <= set(
        next(event for event in events if event["event"] == "progress")
    )

    main(["tables", file])
    listing = dict(line.split("\t")[:2] for line in capsys.readouterr().out.splitlines())
    assert listing["concept"] == "16"

    out = tmp_path / "similarity.csv"
    main(["export", file, "--table", "concept_similarity", "-o", str(out)])
    rows = list(csv.DictReader(out.open(encoding="utf-8")))
    assert len(rows) == 16
    assert {"run", "class", "target_model", "cmcs_pearson", "ci_low", "null_95"} <= set(rows[0])

    main(["export", file, "--figure", "concepts", "-o", str(tmp_path / "figure.svg")])
    assert (tmp_path / "figure.svg").read_text(encoding="utf-8").startswith("<?xml")
    small = tmp_path / "small.png"
    main(
        ["export", file, "--figure", "concepts", "--width", "85", "--dpi", "100", "-o", str(small)]
    )
    with Image.open(small) as picture:
        assert abs(picture.width - 85 / 25.4 * 100) < 2
    main(["export", file, "--figure", "concepts", "-o", str(tmp_path / "numbers.csv")])
    assert "cmcs_pearson" in (tmp_path / "numbers.csv").read_text(encoding="utf-8")

    capsys.readouterr()
    main(["info", file])
    described = capsys.readouterr().out
    assert "cnn-seed-1" in described
    assert "done" in described


@pytest.mark.parametrize(
    "arguments",
    [
        ["run"],
        ["nonsense"],
        ["new"],
        ["export", "x.parallax", "-o", "out.csv"],
        ["export", "x.parallax", "--table", "a", "--report", "-o", "out.csv"],
        ["run", "x.parallax", "concepts", "--device", "tpu"],
        ["new", "x.parallax", "--model", "without a sign"],
    ],
)
def test_wrong_usage_is_exit_code_2(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    _fails(arguments, 2, capsys)
    assert not list(tmp_path.iterdir())


def test_an_error_is_one_line_with_its_hint_and_exit_code_1(
    small_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(small_path)
    pair = ["--models", "pink-sensitive", "--models", "pink-invariant"]
    for arguments, expected in (
        (["info", "missing.parallax"], "missing.parallax"),
        (["run", file, "divination"], "no audit “divination”"),
        (["run", file, "concepts", *pair, "--set", "components=no"], "components"),
        (["run", file, "concepts", "--models", "pink-sensitive"], "two models"),
        (["run", file, "concepts", "--models", "x", "--models", "y"], "no model “x”"),
        (["run", file, "concepts", *pair, "--images", "none"], "no image set “none”"),
        (["export", file, "--table", "nothing", "-o", "out.csv"], "nothing"),
        (["export", file, "--figure", "nothing", "-o", "out.svg"], "nothing"),
        (["export", file, "--figure", "concepts", "--width", "5", "-o", "out.svg"], "mm wide"),
        (["add", file, "--model", "pink-sensitive=sample:cnn-seed-1"], "already"),
        (["add", file, "--model", "x=timm:no_such_network"], "no_such_network"),
        (["add", file, "--images", "scenes=nowhere"], "already"),
        (["add", file, "--images", "other=nowhere"], "nowhere"),
    ):
        error = _fails(arguments, 1, capsys)
        assert expected in error
        assert len(error.strip().splitlines()) == 1


def test_what_fails_to_be_added_leaves_nothing_behind(
    small_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty, texts = tmp_path / "empty", tmp_path / "texts"
    empty.mkdir()
    texts.mkdir()
    (texts / "a.jpg").write_text("no picture")
    (texts / "b.jpg").write_bytes(b"")
    foreign = tmp_path / "pickle.pth"
    with zipfile.ZipFile(foreign, "w") as archive:
        archive.writestr("archive/data.pkl", b"cos\nsystem\n(S'echo broken'\ntR.")
    file = str(small_path)
    _fails(["add", file, "--images", f"empty={empty}"], 1, capsys)
    assert "a.jpg" in _fails(["add", file, "--images", f"texts={texts}"], 1, capsys)
    _fails(["add", file, "--model", f"evil=timm:resnet18@{foreign}"], 1, capsys)
    with Project.open(small_path) as project:
        assert project.value("SELECT count(*) FROM image_set") == 1
        assert project.value("SELECT count(*) FROM model") == 2
        assert project.value("SELECT count(*) FROM rejected_image") == 0


def test_interrupting_is_exit_code_130(
    small_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from analysis.audits import concepts_unit

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(concepts_unit, "run_class_unit", interrupt)
    error = _fails(["run", str(small_path), "concepts"], 130, capsys)
    assert "interrupted" in error
    with Project.open(small_path) as project:
        assert project.value("SELECT state FROM run") == "cancelled"
