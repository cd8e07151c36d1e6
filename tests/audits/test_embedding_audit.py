"""The audits `embedding` and `evaluation`, and tables made elsewhere."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from analysis import audits
from analysis.audits import intake
from analysis.audits.imports import import_dissection, import_performance
from analysis.errors import AuditError
from analysis.figures.embedding_readers import embedding_points, performance_surface
from analysis.figures.unit_readers import profiles
from analysis.progress import Progress
from analysis.project import Project

Table = Callable[[Project, str, int], list[dict[str, Any]]]
MODELS = ("pink-sensitive", "pink-invariant", "untrained")
QUICK_EMBEDDING = {"replicates": 100, "permutations": 500, "parallel_permutations": 100}


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "lce.parallax", "lce") as project:
        yield project


def _run(project: Project, audit: str, models: tuple[str, ...], **settings: Any) -> int:
    parameters = audits.parse_parameters(audits.AUDITS[audit].parameters, settings)
    run = audits.create_run(project, audit, models, parameters, device="cpu")
    audits.execute(project, run, Progress())
    return run


def _units(path: Path, models: dict[str, list[tuple[str, str, float]]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["name", "unit", "iou", "label", "category"])
        for model, units in models.items():
            for number, (label, category, iou) in enumerate(units):
                writer.writerow([model, number, iou, label, category])
    return path


CAT, FUR, RED = ("cat", "object"), ("fur", "material"), ("red", "color")


def _made_up(path: Path) -> Path:
    def units(cats: int, furs: int, reds: int) -> list[tuple[str, str, float]]:
        found = [(*CAT, 0.1)] * cats + [(*FUR, 0.08)] * furs + [(*RED, 0.05)] * reds
        return [*found, (*CAT, 0.01)]

    counts = {"A": (9, 1, 1), "B": (8, 2, 1), "C": (1, 9, 2), "D": (2, 8, 1), "E": (5, 5, 5)}
    return _units(path, {name: units(*each) for name, each in counts.items()})


def test_the_published_embedding_comes_from_the_published_tables(
    empty: Project, shared: Path, table: Table
) -> None:
    data = shared / "data" / "lce"
    summary = import_dissection(empty, data / "models_dissect_profiles_raw.csv")
    assert (len(summary.models), summary.rows, summary.flagged) == (20, 40960, 947 + 397)
    assert len(import_performance(empty, data / "models_performance_on_tasks.csv").models) == 14
    models = tuple(row["name"] for row in empty.rows("SELECT name FROM model ORDER BY position"))
    run = _run(empty, "embedding", models, preset="paper", **QUICK_EMBEDDING)
    with (data / "published_lce_coordinates.csv").open(encoding="utf-8") as file:
        published = {row["model"]: row for row in csv.DictReader(file)}
    rows = {row["model"]: row for row in table(empty, "embedding", run)}
    assert {name for name, row in rows.items() if row["fitted"]} == set(published)
    for number in (1, 2, 3):
        pairs = [
            (rows[name][f"pc{number}"], float(row[f"pca{number}"]))
            for name, row in published.items()
        ]
        sign = 1 if pairs[0][0] * pairs[0][1] > 0 else -1
        assert max(abs(ours - sign * theirs) for ours, theirs in pairs) < 1e-9
    shares = sorted((row["component"], row["explained_variance"])
                    for row in table(empty, "component", run))  # fmt: skip
    assert [round(100 * share, 2) for _, share in shares] == [60.67, 17.70, 10.54]
    imagenet = {
        row["component"]: (round(row["r"], 3), row["n"])
        for row in table(empty, "performance_correlation", run)
        if row["task"] == "dt_ImageNet"
    }
    assert imagenet == {1: (-0.804, 12), 2: (-0.111, 12), 3: (0.227, 12)}
    groups: dict[str, set[str]] = {}
    for name in published:
        groups.setdefault(rows[name]["group"], set()).add(name.removesuffix("(R)"))
    assert groups == {
        "A": {"BYOL", "DeepClusterV2", "SeLaV2", "Supervised", "SwAV"},
        "B": {"InsDis", "MoCoV1", "PIRL"},
        "C": {"InfoMin", "MoCoV2", "PCLV1", "PCLV2", "SeLaV1"},
    }


def test_a_table_of_units_becomes_an_embedding(
    empty: Project, table: Table, tmp_path: Path
) -> None:
    summary = import_dissection(empty, _made_up(tmp_path / "units.csv"))
    assert summary.added_models == summary.models == ("A", "B", "C", "D", "E")
    run = _run(empty, "embedding", ("A", "B", "C", "D"), **QUICK_EMBEDDING)
    points = {row["model"]: row for row in table(empty, "embedding", run)}
    assert points["A"]["group"] == points["B"]["group"] != points["C"]["group"]
    assert all(row["se1"] > 0 for row in points.values())
    loadings = table(empty, "loading", run)
    assert {(row["concept"], row["category"]) for row in loadings} == {CAT, FUR, RED}
    assert {row["kind"] for row in table(empty, "stability", run)} == {
        "unit bootstrap",
        "leave one out",
        "iou threshold",
    }


def test_models_that_nobody_dissected_are_not_asked_for(empty: Project, tmp_path: Path) -> None:
    definition = audits.AUDITS["embedding"]
    intake.add_model(empty, "fresh", "sample:vit", Progress())
    assert audits.suitable_models(empty, definition) == ["fresh"]  # the audit says what is missing
    summary = import_dissection(empty, _made_up(tmp_path / "units.csv"))
    names = audits.suitable_models(empty, definition)
    assert set(names) == set(summary.models)
    assert "fresh" not in names
    assert audits.suitable_models(empty, audits.AUDITS["saliency"]) == ["fresh"]


def test_a_further_model_is_placed_without_moving_the_others(
    empty: Project, table: Table, tmp_path: Path
) -> None:
    import_dissection(empty, _made_up(tmp_path / "units.csv"))
    before = _run(empty, "embedding", ("A", "B", "C", "D"), **QUICK_EMBEDDING)
    after = _run(empty, "embedding", ("A", "B", "C", "D"), projected="E", **QUICK_EMBEDDING)
    places = [
        {row["model"]: (row["pc1"], row["pc2"]) for row in table(empty, "embedding", run)}
        for run in (before, after)
    ]
    newcomer = places[1].pop("E")
    assert places[0] == places[1]
    assert newcomer[0] is not None
    (row,) = [row for row in table(empty, "embedding", after) if row["model"] == "E"]
    assert row["fitted"] == 0
    assert row["group"] is None


def test_models_whose_names_hold_commas_can_be_projected(empty: Project, tmp_path: Path) -> None:
    path = _made_up(tmp_path / "units.csv")
    path.write_text(path.read_text("utf-8").replace("E,", '"E, large",'), encoding="utf-8")
    import_dissection(empty, path)
    for text in ('"E, large"', '["E, large"]'):
        run = _run(empty, "embedding", ("A", "B", "C", "D"), projected=text, **QUICK_EMBEDDING)
        assert embedding_points(empty, run).models[-1] == "E, large"
    with pytest.raises(AuditError, match="“E” has not been dissected"):
        _run(empty, "embedding", ("A", "B"), projected="E, large")


def test_newer_results_change_nothing_beside_an_old_embedding(
    empty: Project, tmp_path: Path
) -> None:
    import_dissection(empty, _made_up(tmp_path / "units.csv"))
    scores = tmp_path / "scores.csv"
    scores.write_text("model,pets\nA,90\nB,88\nC,60\nD,62\nE,75\n", encoding="utf-8")
    import_performance(empty, scores)
    run = _run(empty, "embedding", ("A", "B", "C", "D"), projected="E", **QUICK_EMBEDDING)
    before = profiles(empty, run)
    surface = performance_surface(empty, run, "pets")
    empty.rename_model("B", "B2")
    newer = {name: [(*RED, 0.3)] * 7 for name in ("A", "B2", "E")}
    import_dissection(empty, _units(tmp_path / "newer.csv", newer))
    scores.write_text("model,pets,cars\nA,10,1\nB2,20,2\nC,30,3\nE,3,4\n", encoding="utf-8")
    import_performance(empty, scores)
    after = profiles(empty, run)
    assert after.models == ("A", "B2", "C", "D", "E")
    assert after.concepts == before.concepts
    assert (after.units == before.units).all()
    assert (performance_surface(empty, run, "pets").performance == surface.performance).all()
    cars = performance_surface(empty, run, "cars")  # not known when the embedding was made
    assert (cars.models, cars.performance.tolist()) == (("A", "B2", "C", "E"), [1, 2, 3, 4])
    anew = _run(empty, "embedding", ("A", "B2", "C", "D"), projected="E", **QUICK_EMBEDDING)
    assert profiles(empty, anew).units.sum() != before.units.sum()
    assert performance_surface(empty, anew, "pets").performance.tolist() == [10, 20, 30, 62, 3]


def test_performance_is_correlated_where_it_is_known(
    empty: Project, table: Table, tmp_path: Path
) -> None:
    import_dissection(empty, _made_up(tmp_path / "units.csv"))
    scores = tmp_path / "scores.csv"
    scores.write_text("model,pets\nA,90\nB,88\nC,60\nD,62\n", encoding="utf-8")
    import_performance(empty, scores)
    run = _run(empty, "embedding", ("A", "B", "C", "D", "E"), **QUICK_EMBEDDING)
    rows = table(empty, "performance_correlation", run)
    assert {row["task"] for row in rows} == {"pets"}
    assert {row["n"] for row in rows} == {4}
    first = next(row for row in rows if row["component"] == 1)
    assert abs(first["r"]) > 0.9
    assert first["p"] <= first["p_adjusted"]


def test_what_cannot_be_embedded_is_refused(empty: Project, tmp_path: Path) -> None:
    import_dissection(empty, _made_up(tmp_path / "units.csv"))
    with pytest.raises(AuditError, match="2 models or more"):
        _run(empty, "embedding", ("A",))
    with pytest.raises(AuditError, match="named twice"):
        _run(empty, "embedding", ("A", "A"))
    with pytest.raises(AuditError, match="no dissection run “7”"):
        _run(empty, "embedding", ("A", "B"), dissection="7")
    with pytest.raises(AuditError, match="fitted and projected"):
        _run(empty, "embedding", ("A", "B"), projected="B")
    empty.add_model("new", "timm:none")
    with pytest.raises(AuditError, match="“new” has not been dissected"):
        _run(empty, "embedding", ("A", "new"))
    with pytest.raises(AuditError, match="imported table"):
        _run(empty, "evaluation", ("A", "B"))
    with pytest.raises(AuditError, match="No model has an interpretable unit"):
        _run(empty, "embedding", ("A", "B"), iou_threshold=0.9)


@pytest.mark.parametrize(
    "content",
    ["", "name,unit,iou,label,category\nA,0,0.1,cat,object\nA,0,0.1,cat,object\n",
     "name,unit,iou,label,category\nA,zero,0.1,cat,object\n", "a,b\n1,2\n"],
)  # fmt: skip
def test_a_bad_table_changes_nothing(empty: Project, tmp_path: Path, content: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(content, encoding="utf-8")
    for read in (import_dissection, import_performance):
        with pytest.raises(AuditError):
            read(empty, path)
    assert empty.value("SELECT count(*) FROM run") == 0
    assert empty.value("SELECT count(*) FROM model") == 0


def test_models_are_evaluated_and_pairs_vote(labelled_project: Project, table: Table) -> None:
    settings = {"neighbours": "3,5", "shots": "2", "episodes": 20, "replicates": 100}
    run = _run(labelled_project, "evaluation", MODELS, **settings)
    performance = table(labelled_project, "performance", run)
    tasks = {"k-NN (k = 3)", "k-NN (k = 5)", "linear probe", "prototypes (2 shots)"}
    assert {row["task"] for row in performance} == tasks
    assert len(performance) == len(tasks) * len(MODELS)
    for row in performance:
        assert 0 <= row["ci_low"] <= row["value"] <= row["ci_high"] <= 1
    by_model = {r["model"]: r["value"] for r in performance if r["task"] == "linear probe"}
    assert by_model["pink-sensitive"] > by_model["untrained"]
    votes = table(labelled_project, "ensemble", run)
    assert len(votes) == 3 * 3
    for row in votes:
        better = max(row["performance_a"], row["performance_b"])
        assert row["gain"] == pytest.approx(row["performance"] - better)


def test_what_the_images_do_not_allow_is_said_once_a_run(labelled_project: Project) -> None:
    settings = {"neighbours": "3,500", "shots": "2,50", "episodes": 20, "replicates": 100}
    run = _run(labelled_project, "evaluation", MODELS[:2], **settings)
    subjects = labelled_project.rows("SELECT subject FROM problem WHERE run = ?", (run,))
    left_out = sorted(row["subject"] for row in subjects if "linear probe" not in row["subject"])
    assert left_out == ["k-NN (k = 500)", "prototypes (50 shots)"]
