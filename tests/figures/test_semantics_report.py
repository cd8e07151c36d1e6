"""The chapter of a report on semantic similarity."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analysis.figures import report_pictures, report_words
from analysis.figures import semantics_readers as readers
from analysis.figures.report_semantics import rank_correlation
from analysis.figures.words import interval, number
from tests.figures import made_semantics as made
from tests.figures.changing import alter
from tests.figures.chapters import page_and_print, report_content
from tests.figures.made_semantics import CONCEPTS, LAYERS_A, LAYERS_B, A, B


@pytest.fixture(autouse=True)
def coarse(monkeypatch):
    monkeypatch.setattr(report_pictures, "PRINTED_DPI", 50)


def _table(section, title: str):
    return next(one.table for one in section.tables if one.title == title)


def test_the_chapter_says_what_came_out_and_how_sure_it_is(compared):
    project, run = compared
    content = report_content(project)
    (section,) = content.sections
    assert section.title == f"Semantics of {A} (A) and {B} (B)"
    whole = " ".join(section.paragraphs)
    assert section.paragraphs[0] == (
        "Compared by 4 concepts given by examples in 6 and 4 layers, and by 5 and 4 concepts found"
        " in blocks.4 of A and backbone.features.16 of B."
    )
    data = readers.space_similarity(project, run)
    i, j = np.unravel_index(np.nanargmax(data.pearson), data.pearson.shape)
    score = interval(data.pearson[i, j], data.ci_low[i, j], data.ci_high[i, j])
    score += f", mean by Fisher's z {number(data.fisher[i, j])}, chance 0.18)"
    assert f"{LAYERS_A[i]} of A and {LAYERS_B[j]} of B are most alike (SFSS {score}" in whole
    above = sum(
        value is not None and value > 0.25
        for value in (
            project.value(
                "SELECT sfss_pearson FROM space_similarity WHERE concept IS NULL AND layer_a = ?"
                " AND layer_b = ?",
                (a, b),
            )
            for a in LAYERS_A
            for b in LAYERS_B
        )
    )
    assert f"{above} of {np.isfinite(data.pearson).sum()} pairs of layers are more alike" in whole
    told = sum(made.separates(LAYERS_B, layer, one) for layer in LAYERS_B for one in CONCEPTS)
    assert f"In {B} {told} of 16 vectors tell their concept" in whole
    assert "Of 4 matched pairs of found concepts 4 overlap more than chance above 0.50" in whole
    assert "; 4 of them also above 0.75." in whole
    assert "untrained" not in whole
    assert section.how_to_read == report_words.HOW_TO_READ_SEMANTICS
    assert [picture.format for picture in section.pictures] == [
        *("svg", "svg", "svg", "svg", "jpeg", "svg")
    ]
    assert content.summary[0].startswith(f"{A} (A) and {B} (B): By the mean")


def test_similarity_and_depth_are_described_by_their_ranks(compared):
    project, run = compared
    data = readers.space_similarity(project, run)
    apart = [
        abs(a.depth - b.depth)
        for i, a in enumerate(data.layers_a)
        for j, b in enumerate(data.layers_b)
        if np.isfinite(data.pearson[i, j])
    ]
    values = data.pearson[np.isfinite(data.pearson)]
    expected = stats.spearmanr(apart, values).statistic
    assert rank_correlation(np.array(apart), values) == pytest.approx(expected)
    assert expected < -0.5
    (section,) = report_content(project).sections
    assert f"have a rank correlation of {number(expected)} (" in " ".join(section.paragraphs)
    assert np.isnan(rank_correlation(np.ones(5), np.arange(5.0)))
    alter(project, "UPDATE layer SET depth = NULL")
    (section,) = report_content(project).sections
    assert "rank correlation" not in " ".join(section.paragraphs)


def test_doubt_is_said(compared):
    project, _ = compared
    alter(project, "UPDATE mask_similarity SET p_adjusted = 0.06 WHERE threshold > 0.7")
    alter(project, "UPDATE model SET load_report = '{\"untrained\": true}' WHERE name = ?", (B,))
    alter(
        project, "UPDATE run SET state = 'cancelled', parameters = '{\"normalisation\": \"image\"}'"
    )
    (section,) = report_content(project).sections
    whole = " ".join(section.paragraphs)
    assert "is cancelled" in section.paragraphs[0]
    assert f"{B} (B) is untrained: the weights are random" in whole
    assert "; 0 of them also above 0.75." in whole
    assert "every image has a mask of every concept" in whole
    alter(project, "UPDATE model SET load_report = '{\"untrained\": true}'")
    (section,) = report_content(project).sections
    assert f"{A} (A) and {B} (B) are untrained" in " ".join(section.paragraphs)


def test_the_tables_hold_every_concept(compared):
    project, run = compared
    (section,) = report_content(project).sections
    for model, layers, side in ((A, LAYERS_A, "A"), (B, LAYERS_B, "B")):
        rows = _table(section, f"Concepts given by examples in {model} ({side})").rows
        assert [row[0] for row in rows] == list(CONCEPTS)
        for row in rows:
            told = [layer for layer in layers if made.separates(layers, layer, row[0])]
            assert row[1] == f"{len(told)} of {len(layers)}"
            best = max(told, key=lambda layer: made.accuracy(layers, layer, row[0]))
            assert row[2] == best
            assert row[3].startswith(number(made.accuracy(layers, best, row[0])))
    rows = _table(section, "Layers most alike by each concept").rows
    assert [row[0] for row in rows] == ["mean of all", *CONCEPTS]
    data = readers.space_similarity(project, run, "sky")
    assert rows[3][3].startswith(number(np.nanmax(data.pearson)))
    rows = _table(section, f"TCAV in blocks.6 of {A}").rows
    assert len(rows) == 4 * 2
    assert rows[0][3] == "0.31 to 0.72"
    matches = _table(section, "Best matches, blocks.4 of A and backbone.features.16 of B")
    assert matches.columns[2] == "UCS above 0.50"
    assert [row[:2] for row in matches.rows] == [("0", "1"), ("1", "2"), ("2", "3"), ("4", "0")]
    assert matches.rows[0][2].startswith(number(made.ucs(0, 1, 0.5)))
    assert matches.rows[0][4] == "14 of 14 thresholds"
    found = _table(section, "Found concepts").rows
    assert found[1] == ("A", "1", "90 %", "0.40", "0.12", "bird")
    alter(project, "UPDATE mask_concept SET class = NULL")
    bare = _table(report_content(project).sections[0], "Found concepts")
    assert bare.columns[-1] == "change of scores"
    assert bare.rows[1] == ("A", "1", "90 %", "0.40", "0.12")
    assert found[5] == ("B", "0", "100 %", "–", "–", "–")
    assert _table(section, "What could not be done").rows == (("grass", "Only 4 examples."),)
    assert ("Masks scaled", "by the largest value in all images") in _table(
        section, "Measured with"
    ).rows


def test_a_concept_that_nothing_separates_says_so(compared):
    project, _ = compared
    alter(project, "UPDATE concept_vector SET separates = 0 WHERE concept = 'sky'")
    alter(
        project,
        "UPDATE space_similarity SET sfss_pearson = NULL, null_95 = NULL WHERE concept = 'sky'",
    )
    alter(project, "UPDATE tcav SET score = NULL WHERE concept = 'sky'")
    (section,) = report_content(project).sections
    rows = _table(section, f"Concepts given by examples in {A} (A)").rows
    assert rows[2][:4] == ("sky", "0 of 6", "none separates it", "–")
    rows = _table(section, "Layers most alike by each concept").rows
    assert rows[3][3] == "separates in no pair"
    rows = _table(section, f"TCAV in blocks.6 of {A}").rows
    assert [row[2] for row in rows if row[0] == "sky"] == ["does not separate"] * 2


@pytest.mark.parametrize(
    ("emptied", "left"),
    [
        (
            ("mask_concept", "mask_similarity", "array"),
            ["space-similarity", "separability", "tcav"],
        ),
        (
            ("concept_vector", "space_similarity", "tcav"),
            ["mask-similarity", "mask-pair", "robustness"],
        ),
        (("tcav", "array"), ["space-similarity", "separability", "mask-similarity", "robustness"]),
    ],
)
def test_a_run_with_a_part_alone_has_a_chapter(compared, emptied, left):
    project, _ = compared
    for table in emptied:
        alter(project, f"DELETE FROM {table}")
    content = report_content(project)
    (section,) = content.sections
    assert len(section.pictures) == len(left)
    assert [line for line in content.commands if "export" in line] == [
        f"parallax export compared.parallax --figure {name} -o {name}.pdf" for name in left
    ]


def test_limits_and_commands_make_the_chapter_again(compared):
    content = report_content(compared[0])
    assert content.limits == report_words.SEMANTICS_LIMITS
    told = " ".join((*content.limits, *report_words.HOW_TO_READ_SEMANTICS))
    for words in ("published formulas alone", "It is not 0", "random weights", "UCS is too high"):
        assert words in told
    run = next(line for line in content.commands if line.startswith("parallax run"))
    assert f"run compared.parallax semantics --models {A} --models {B}" in run
    assert "--set 'normalisation=data set'" in run


def test_the_report_is_written_as_page_and_print(compared):
    project, _ = compared
    alter(project, "UPDATE problem SET reason = '<b>no</b> $x$ #token'")
    page, pdf = page_and_print(project)
    assert "&lt;b&gt;no&lt;/b&gt;" in page
    assert "<b>no" not in page
    assert "Best matches" in page
    assert pdf.startswith(b"%PDF")
