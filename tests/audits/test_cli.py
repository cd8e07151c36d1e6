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


def test_a_new_project_that_fails_can_be_made_again_by_the_same_command(
    small_images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "new.parallax"
    command = ["new", str(file), "--images", f"scenes={small_images}"]
    _fails(["new", str(file), "--images", f"scenes={tmp_path / 'nowhere'}"], 1, capsys)
    assert not list(tmp_path.iterdir())
    weights = tmp_path / "missing.pth"
    error = _fails([*command, "--model", f"one=timm:resnet18@{weights}"], 1, capsys)
    assert f"no file “{weights}”" in error
    assert "parallax add" in error
    with Project.open(file) as project:
        assert project.value("SELECT count(*) FROM image_set") == 1
    assert "exists already" in _fails(command, 1, capsys)
    assert file.is_file()


def test_a_folder_without_names_of_its_masks_is_no_label_set(
    small_path: Path, small_images: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    error = _fails(["add", str(small_path), "--labels", f"parts={small_images}"], 1, capsys)
    assert "names.csv" in error
    with Project.open(small_path) as project:
        assert project.value("SELECT count(*) FROM label_plane_source") == 0


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["run", "FILE", "concpts"], "concepts"),
        (["run", "FILE", "concepts", "--set", "componets=3"], "components"),
        (["run", "FILE", "concepts", "--set", "preset=papr"], "paper"),
        (["run", "FILE", "concepts", "--set", "layer_a=penultimat"], "penultimate"),
        (["run", "FILE", "evaluation", "--set", "layer=penultimat"], "penultimate"),
        (["run", "FILE", "saliency", "--set", "methods=gradcm"], "gradcam"),
        (["run", "FILE", "saliency", "--set", "metrics=insertio"], "insertion"),
        (["export", "FILE", "--table", "concpt", "-o", "a.csv"], "concept"),
        (["export", "FILE", "--figure", "layer", "-o", "a.svg"], "layers"),
    ],
)
def test_a_name_that_is_nearly_right_is_suggested(
    small_path: Path, arguments: list[str], meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    filled = [str(small_path) if part == "FILE" else part for part in arguments]
    error = _fails(filled, 1, capsys)
    assert f"Did you mean “{meant}”" in error
    assert len(error.splitlines()) == 1


def test_a_layer_that_no_model_has_is_an_error_even_beside_one_they_have(
    small_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["run", str(small_path), "dissection", "--set", "colours=true"]
    error = _fails([*arguments, "--set", "layers=blocks.3.act2,blocks.9.act2"], 1, capsys)
    assert "None of the models has a layer “blocks.9.act2”. Did you mean" in error


def test_damaged_parameters_of_an_earlier_run_do_not_stop_a_new_one(
    small_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Project.open(small_path) as project:
        run = project.add_run(audit="evaluation", name="old", parameters={}, models=())
        with project.transaction() as connection:
            connection.execute("UPDATE run SET parameters = '{bad' WHERE id = ?", (run,))
    main(["run", str(small_path), "evaluation", "--set", "folds=2", "--set", "shots=2"])
    assert "done" in capsys.readouterr().out


def test_what_can_be_read_of_a_damaged_project_is_brought_into_a_new_one(
    small_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = small_path.read_bytes()
    small_path.write_bytes(whole[: len(whole) // 2])
    assert "is damaged" in _fails(["info", str(small_path)], 1, capsys)
    saved = tmp_path / "saved.parallax"
    main(["salvage", str(small_path), str(saved)])
    assert "rows could be read" in capsys.readouterr().out
    main(["info", str(saved)])
    assert small_path.read_bytes() == whole[: len(whole) // 2]
    assert "exists already" in _fails(["salvage", str(small_path), str(saved)], 1, capsys)


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


@pytest.fixture
def explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    """A project of two small networks, one of which attends, and a picture from elsewhere."""
    file, picture = str(tmp_path / "two.parallax"), tmp_path / "a finch.png"
    Image.effect_noise((80, 60), 90).convert("RGB").save(picture)
    main(["new", file, "--model", "cnn=sample:cnn-seed-1", "--model", "vit=sample:vit"])
    capsys.readouterr()
    return file, str(picture)


def test_a_picture_is_explained_without_a_screen(
    explained: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, picture = explained
    out = tmp_path / "maps.csv"
    before = Path(file).read_bytes()
    main(["explain", file, picture, "--method", "gradcam", "--method", "rollout",
          "--device", "cpu", "-o", str(out)])  # fmt: skip
    said = capsys.readouterr()
    assert said.out.splitlines()[-1] == str(out)
    assert "cnn: no Rollout" in said.out
    assert said.err == ""
    rows = list(csv.DictReader(out.open(encoding="utf-8")))
    assert [(row["model"], row["method"]) for row in rows] == [
        ("cnn", "gradcam"), ("vit", "gradcam"), ("vit", "rollout"),
    ]  # fmt: skip
    assert {row["path"] for row in rows} == {"a finch.png"}
    assert Path(file).read_bytes() == before  # nothing is written into the project
    small = tmp_path / "attention.png"
    main(["explain", file, picture, "--model", "vit", "--method", "rollout", "--attention",
          "--width", "100", "--dpi", "60", "-o", str(small)])  # fmt: skip
    with Image.open(small) as drawn:
        assert abs(drawn.width - 100 / 25.4 * 60) < 2


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (["nothing.png"], "nothing.png”: The file is not there"),
        (["text.png"], "text.png”: This is a text file"),
        (["."], "is a folder"),
        ([None, "--model", "nobody"], "no model “nobody”"),
        ([None, "--method", "magic"], "Unknown saliency method “magic”"),
        ([None, "--target", "unicorn"], "no class “unicorn”"),
        ([None, "--target", "label"], "has no label"),
        ([None, "--model", "cnn", "--method", "random", "--attention"], "no attention"),
        ([None, "--width", "3"], "3 mm wide"),
        ([None, "-o", "maps.gif"], "“.gif”"),
        ([None, "-o", "nowhere/maps.png"], "does not exist"),
    ],
)
def test_what_cannot_be_explained_is_one_line(
    explained: tuple[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    changed: list[str | None],
    words: str,
) -> None:
    file, picture = explained
    monkeypatch.chdir(tmp_path)
    Path("text.png").write_text("no picture", encoding="utf-8")
    arguments = [picture if part is None else part for part in changed]
    out = [] if "-o" in arguments else ["-o", "out.png"]
    error = _fails(["explain", file, *arguments, *out], 1, capsys)
    assert words in error
    assert error.count("\n") == 1
    assert not Path("out.png").exists()
