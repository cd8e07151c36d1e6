"""The chapter of a report on saliency."""

from __future__ import annotations

import pytest

from analysis.figures import report_pictures, report_words
from analysis.figures.saliency_readers import faithfulness_summary
from analysis.figures.words import interval
from tests.figures.chapters import page_and_print, report_content
from tests.figures.made_saliency import CNN, METRICS, VIT, add_saliency


@pytest.fixture(autouse=True)
def coarse(monkeypatch):
    monkeypatch.setattr(report_pictures, "PRINTED_DPI", 50)


def _table(section, title: str):
    return next(one.table for one in section.tables if one.title == title)


def test_the_chapter_says_what_came_out_and_how_sure_it_is(explained):
    project, run = explained
    (section,) = report_content(project).sections
    assert section.title == "Saliency of 2 models"
    assert section.paragraphs[0] == (
        "54 maps of 6 images by 4 methods for 2 models, beside 2 null maps."
    )
    data = faithfulness_summary(project, run)
    score = interval(data.mean[3, 0, 0], data.ci_low[3, 0, 0], data.ci_high[3, 0, 0])
    told = f"by deletion GradCAM is best ({score}), 2 of 2 methods beat every null map"
    assert section.paragraphs[1].startswith(f"{CNN}: ")
    assert told in section.paragraphs[1]
    assert section.paragraphs[2].startswith(f"{VIT}: ")
    assert section.how_to_read == report_words.HOW_TO_READ_SALIENCY
    assert [picture.format for picture in section.pictures] == [
        "jpeg",
        "jpeg",
        "svg",
        "svg",
        "jpeg",
    ]


def test_the_tables_hold_every_mean_and_mark_the_best(explained):
    project, run = explained
    (section,) = report_content(project).sections
    data = faithfulness_summary(project, run)
    table = _table(section, f"Faithfulness of {CNN}")
    assert table.columns[0] == "method"
    assert table.columns[4] == "Deletion ↓"
    assert [row[0] for row in table.rows] == [
        "GradCAM",
        "Score-CAM",
        "Random (null)",
        "Edges (null)",
    ]
    for row, k in zip(table.rows, (0, 1, 4, 5), strict=True):
        for i in range(len(METRICS)):
            score = interval(data.mean[i, 0, k], data.ci_low[i, 0, k], data.ci_high[i, 0, k])
            assert row[i + 1] == (f"★ {score}" if data.best[i, 0, k] else score)
    refused = _table(section, "Methods that a model cannot be explained by")
    assert refused.rows == ((CNN, "Rollout", "There is no class token."),)
    assert ("Deletion ends in", "mean grey") in _table(section, "Measured with").rows
    assert len(_table(section, "Metrics").rows) == len(METRICS)


def test_doubt_is_said(explained):
    project, _ = explained
    with project.transaction() as connection:
        connection.execute("UPDATE faithfulness_comparison SET p_adjusted = 1")
        connection.execute("UPDATE saliency SET tied = 0.62 WHERE method = 'scorecam'")
        connection.execute(
            "UPDATE faithfulness_summary SET mean = 0.99"
            " WHERE metric = 'insertion' AND method = 'random' AND model = ?",
            (CNN,),
        )
        connection.execute("UPDATE run SET state = 'cancelled'")
    (section,) = report_content(project).sections
    whole = " ".join(section.paragraphs)
    assert "is cancelled" in section.paragraphs[0]
    assert "is best" not in whole
    assert "has the best mean, not told from all others" in whole
    assert "0 of 2 methods beat every null map" in whole
    assert f"A null map has the best mean in: Insertion of {CNN} (Random (null))" in whole
    assert f"Score-CAM of {CNN} (62 %)" in whole


def test_a_run_with_maps_alone_has_a_chapter(explained):
    project, _ = explained
    with project.transaction() as connection:
        for table in ("faithfulness", "faithfulness_summary", "faithfulness_comparison", "curve"):
            connection.execute(f"DELETE FROM {table}")
        connection.execute("DELETE FROM array")
    content = report_content(project)
    (section,) = content.sections
    assert [picture.format for picture in section.pictures] == ["jpeg", "jpeg"]
    assert [line for line in content.commands if "export" in line] == [
        "parallax export explained.parallax --figure saliency -o saliency.pdf"
    ]


def test_limits_and_commands_make_the_chapter_again(explained):
    content = report_content(explained[0])
    assert content.limits == report_words.SALIENCY_LIMITS
    run = next(line for line in content.commands if line.startswith("parallax run"))
    assert f"--models {CNN} --models {VIT}" in run
    assert "--set preset=correct" in run
    exported = [line for line in content.commands if "--figure" in line]
    assert [line.split("--figure ")[1].split()[0] for line in exported] == [
        *("saliency", "faithfulness", "insertion-deletion", "attention-depth")
    ]


def test_presets_are_reported_side_by_side(explained):
    project, _ = explained
    add_saliency(project, images=2)
    add_saliency(project, images=2, preset="thesis")
    assert len(report_content(project).sections) == 2


def test_the_report_is_written_as_page_and_print(explained):
    project, _ = explained
    with project.transaction() as connection:
        connection.execute("UPDATE problem SET reason = '<b>no</b> $x$ #token'")
    page, pdf = page_and_print(project)
    assert "&lt;b&gt;no&lt;/b&gt;" in page
    assert "<b>no" not in page
    assert "★" in page
    assert f"Faithfulness of {VIT}" in page
    assert pdf.startswith(b"%PDF")
