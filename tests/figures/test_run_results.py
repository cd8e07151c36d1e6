"""Which run is shown: the newest with results, also where a newer one has only begun."""

from __future__ import annotations

from analysis.figures.export import prepare_figure
from analysis.figures.report_content import reported_runs
from analysis.figures.run_results import Standing, has_results, latest_run, newest, run_standings
from tests.figures.conftest import MODEL_A, MODEL_B
from tests.figures.made_semantics import CONCEPTS, LAYERS_A, LAYERS_B, add_semantics, made_vectors


def begun(project) -> int:
    """A newer run that has its concept vectors, and nothing made of them."""
    run = project.add_run("semantics", "once more", {}, model_a=MODEL_A, model_b=MODEL_B,
                          image_set=1, units=["vectors/0", "vectors/1"])  # fmt: skip
    rows = made_vectors((MODEL_A, MODEL_B), (LAYERS_A, LAYERS_B), CONCEPTS)
    project.commit_unit(run, "vectors/0", {"concept_vector": rows}, {}, [], 0.1)
    return run


def test_the_rule() -> None:
    nothing, parts, results = Standing.NOTHING, Standing.PARTS, Standing.RESULTS
    assert newest({}) is None
    assert newest({1: nothing, 2: nothing}) is None
    assert newest({1: results, 2: results, 3: nothing}) == 2
    assert newest({1: results, 2: parts, 3: nothing}) == 1
    assert newest({1: nothing, 2: parts, 3: parts}) == 3


def test_a_run_that_has_only_begun_gives_way_to_one_with_results(made_up) -> None:
    project = made_up.project
    first = begun(project)
    assert latest_run(project, "semantics") == first  # better than nothing
    whole = add_semantics(project, (MODEL_A, MODEL_B))
    second = begun(project)
    standings = run_standings(project, "semantics")
    assert standings == {first: Standing.PARTS, whole: Standing.RESULTS, second: Standing.PARTS}
    assert has_results(project, second, "semantics")
    assert latest_run(project, "semantics", MODEL_A, MODEL_B) == whole
    assert latest_run(project, "semantics", MODEL_B, MODEL_A) is None
    assert prepare_figure(project, "space-similarity").run == whole
    reported = [row["id"] for row in reported_runs(project) if row["audit"] == "semantics"]
    assert whole in reported
    project.set_run_state(second, "done")  # it was asked for no more than that
    assert latest_run(project, "semantics") == second
