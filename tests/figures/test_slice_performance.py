"""Performance by slice: the numbers of a plain loop, what is refused, what is said."""

from __future__ import annotations

import re

import numpy as np
import pytest

from analysis.errors import AuditError
from analysis.figures.agreement import predictions
from analysis.figures.export import FIGURES, prepare_figure
from analysis.figures.report_offer import report_offer
from analysis.figures.slice_performance import ALL_IMAGES, MOST_SLICES, slice_performance
from tests.figures.drawn import assert_whole, draw, texts
from tests.figures.made_audits import MODELS, TASKS

FIGURE = "performance-by-slice"


@pytest.fixture
def project(audited):
    return audited.project


def test_shares_and_chance_are_those_of_a_plain_loop(audited, project):
    data = slice_performance(project, audited.evaluation, tasks=TASKS)
    assert data.slices[0] == ALL_IMAGES
    assert (data.models, data.tasks) == (MODELS, TASKS)
    by_name = {one.name: project.slice_images(one.id) for one in project.image_slices()}
    for t, task in enumerate(TASKS):
        for m, model in enumerate(MODELS):
            found = predictions(project, audited.evaluation, task, model)
            listed = list(zip(found.images.tolist(), found.labels, found.answers, strict=True))
            for s, name in enumerate(data.slices):
                within = [one for one in listed if name == ALL_IMAGES or one[0] in by_name[name]]
                right = sum(label == answer for _, label, answer in within)
                assert data.n[t, s, m] == len(within)
                assert data.value[t, s, m] == pytest.approx(right / len(within))
                assert data.ci_low[t, s, m] <= right / len(within) <= data.ci_high[t, s, m]
                blind = [
                    sum(answer == label for _, _, answer in listed) / len(listed)
                    for _, label, _ in within
                ]
                assert data.chance[t, s, m] == pytest.approx(np.mean(blind))


def test_what_cannot_be_shown_says_why(audited, project):
    run = audited.evaluation
    cases = [
        ({"slices": "nowhere"}, "no slice “nowhere”"),
        ({"tasks": "juggling"}, "task “juggling”"),
        ({"models": "nobody"}, "model “nobody”"),
        ({"slices": ",".join(f"s{n}" for n in range(MOST_SLICES + 1))}, "more than one figure"),
        ({"run": audited.imported_evaluation}, "no results of single images"),
    ]
    for options, words in cases:
        with pytest.raises(AuditError, match=re.escape(words)) as caught:
            prepare_figure(project, FIGURE, **{"run": run, **options})
        assert caught.value.hint
    image_set = project.value("SELECT MIN(id) FROM image_set")
    with project.transaction() as connection:
        connection.execute("DELETE FROM image_slice")
        connection.execute(
            "INSERT INTO image (id, image_set, path, width, height, sha256)"
            " VALUES (900001, ?, 'new.png', 8, 8, 'x')",
            (image_set,),
        )
    with pytest.raises(AuditError, match="no slices yet"):
        prepare_figure(project, FIGURE, run)
    project.add_image_slice("untested", [900001])
    with pytest.raises(AuditError, match="asked about no image"):
        prepare_figure(project, FIGURE, run)


def test_the_newest_run_with_predictions_and_a_table_of_everything_shown(audited, project):
    prepared = prepare_figure(project, FIGURE)
    assert prepared.run == audited.evaluation  # not the newer one, which was imported
    columns, rows = FIGURES[FIGURE].tabulate(prepared.data)
    assert columns == ("task", "slice", "model", "value", "ci_low", "ci_high", "n", "chance")
    assert len(rows) == 3 * len(MODELS)
    named = prepare_figure(project, FIGURE, slices='"the first $3"', models="BYOL", tasks=TASKS[1])
    assert (named.data.slices, named.data.models) == ((ALL_IMAGES, "the first $3"), ("BYOL",))


@pytest.mark.parametrize("width_mm", [85, 175])
def test_many_slices_of_long_names_are_drawn_whole(project, width_mm):
    images = [row[0] for row in project.rows("SELECT id FROM image")]
    for number in range(MOST_SLICES - 2):
        project.add_image_slice(f"{number} " + "a very long name of a slice " * 5, images[:4])
    figure = draw(project, FIGURE, width_mm, tasks=",".join(TASKS))
    assert_whole(figure)
    shown = {text.get_text() for text in texts(figure)}
    assert any(text.startswith("all images") for text in shown)
    assert {"by chance", "95 % intervals over images"} <= shown


def test_a_report_offers_it_and_its_chapter_shows_it(audited, project):
    (group,) = (one for one in report_offer(project) if one.run == audited.evaluation)
    assert any(entry.title.startswith("Figure: Performance by slice") for entry in group.entries)
    with project.transaction() as connection:
        connection.execute("DELETE FROM image_slice")
    (group,) = (one for one in report_offer(project) if one.run == audited.evaluation)
    assert not any("Performance by slice" in entry.title for entry in group.entries)
