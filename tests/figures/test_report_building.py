"""From a template or a stored composition to pages: findings, tables, and what is gone."""

from __future__ import annotations

import io
import re

import pytest
from PIL import Image

from analysis import cli
from analysis.errors import AuditError
from analysis.figures import report_pictures
from analysis.figures.report import stored_composition, write_report
from analysis.figures.report_build import build_document
from analysis.figures.report_composition import (
    ChapterBlock,
    Composition,
    DetailsBlock,
    FigureBlock,
    FindingBlock,
    FindingsBlock,
    LimitsBlock,
    SummaryBlock,
    TableBlock,
    TextBlock,
    composition_to_json,
    numbered,
)
from analysis.figures.report_document import (
    FindingCard,
    Heading,
    Notice,
    NumberedFigure,
    NumberedTable,
    Paragraph,
)
from analysis.figures.report_names import block_titles
from analysis.figures.report_offer import report_names, report_offer
from analysis.figures.report_preview import ReportPreview
from analysis.figures.report_templates import best_template, template_composition
from analysis.project.findings import Finding, FindingPicture
from tests.figures.conftest import MODEL_A, MODEL_B
from tests.figures.made_audits import MODELS
from tests.figures.made_saliency import VIT

HOSTILE = '<b>"#eval(1) $x$ *bold* \x01'


@pytest.fixture(autouse=True)
def coarse(monkeypatch):
    monkeypatch.setattr(report_pictures, "PRINTED_DPI", 50)


def png(colour: str = "red") -> FindingPicture:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 20), colour).save(buffer, "PNG")
    return FindingPicture(40, 20, buffer.getvalue())


def add_findings(project, run: int) -> tuple[int, int]:
    low = project.add_finding(Finding("Expected", "fine", "expected", "low", (), "layers", run))
    high = Finding(HOSTILE, "one\nline\n\nmore", "spurious", "high", ("cut", "dog"), "layers", run)
    return low, project.add_finding(high, png())


def composition(*blocks) -> Composition:
    return Composition("Mine", "of two models", numbered(blocks))


def build(project, *blocks):
    return build_document(project, composition(*blocks)).parts


# -- templates ---------------------------------------------------------------------------------
def test_a_comparison_has_the_chapters_of_its_pair(made_up):
    made = template_composition(made_up.project, "comparison")
    assert made.runs() == (made_up.layers_run, made_up.concepts_run)
    assert made.subtitle == f"Comparison of {MODEL_A} and {MODEL_B}"
    kinds = [block.kind for block in made.blocks]
    assert kinds[:3] == ["summary", "models", "chapter"]
    assert kinds[-3:] == ["left out", "limits", "appendix"]
    figures = [block for block in made.blocks if isinstance(block, FigureBlock)]
    assert {one.run for one in figures} == set(made.runs())
    concepts = [one for one in figures if one.figure == "concept"]
    assert len({one.parameters["concept"] for one in concepts}) == len(concepts) == 6
    assert best_template(made_up.project) == "comparison"
    assert template_composition(made_up.project).runs() == made.runs()


def test_a_damaged_part_of_a_run_costs_its_chapter_alone(made_up, tmp_path):
    with made_up.project.transaction() as connection:
        changed = connection.execute(
            "UPDATE array_chunk SET data = zeroblob(3) WHERE array IN"
            " (SELECT id FROM array WHERE run = ?)",
            (made_up.concepts_run,),
        )
    assert changed.rowcount
    out = write_report(made_up.project, tmp_path / "report.html", None, "comparison")
    page = out.read_text(encoding="utf-8")
    assert "of the project is damaged. Run the audit that made it again." in page
    assert "parallax export" in page  # the rest is there, down to the appendix


def test_a_family_begins_with_the_embedding(audited):
    project = audited.project
    assert best_template(project) == "family"
    made = template_composition(project, "family")
    audits = [project.value("SELECT audit FROM run WHERE id = ?", (run,)) for run in made.runs()]
    assert audits == ["embedding", "dissection", "dissection", "evaluation", "evaluation"]
    assert "models by the concepts they have learned" in made.subtitle


def test_an_audit_of_one_model_leaves_out_the_others(audited):
    made = template_composition(audited.project, "single", ["Imported net"])
    runs = [audited.project.run_models(run) for run in made.runs()]
    assert runs
    assert all("Imported net" in models for models in runs)
    assert made.subtitle == "Audit of Imported net"
    most = template_composition(audited.project, "single")
    assert most.subtitle.removeprefix("Audit of ") in MODELS


def test_figures_of_other_models_stay_out_of_the_audit_of_one(explained):
    project, run = explained
    names = project.run_models(run)
    for name in names:
        made = template_composition(project, "single", [name])
        maps = [one for one in made.blocks if getattr(one, "figure", "") == "saliency"]
        assert [one.parameters["models"] for one in maps] == [name]
        assert all(
            one.parameters["models"] == name
            for one in made.blocks
            if getattr(one, "figure", "") in ("faithfulness", "insertion-deletion")
        )
        depth = [one for one in made.blocks if getattr(one, "figure", "") == "attention-depth"]
        assert len(depth) == (name == VIT)
    both = [one for one in template_composition(project).blocks if one.kind == "figure"]
    assert sum(one.figure == "saliency" for one in both) == len(names)


@pytest.mark.parametrize(
    ("template", "models", "said"),
    [
        ("poster", (), "no template “poster”"),
        ("comparison", ("nobody",), "no model “nobody”"),
        ("comparison", (MODEL_A,), "about two models"),
        ("single", (MODEL_A, MODEL_B), "about one model"),
    ],
)
def test_impossible_templates_say_why(made_up, template, models, said):
    with pytest.raises(AuditError, match=said):
        template_composition(made_up.project, template, models)


# -- documents ---------------------------------------------------------------------------------
def test_findings_stand_with_verdict_place_and_picture(made_up):
    project = made_up.project
    low, high = add_findings(project, made_up.layers_run)
    parts = build(project, SummaryBlock(), FindingsBlock(), FindingBlock(finding=low, caption="x"))
    assert Paragraph("2 findings recorded: 1 expected, 1 spurious; 1 of high severity.") in parts
    first, second = [part for part in parts if isinstance(part, FindingCard)]
    assert (first.verdict, first.severity, first.tags) == ("spurious", "high", ("cut", "dog"))
    assert first.note == ("one line", "more")
    assert first.picture == png().data
    assert f"(run {made_up.layers_run})" in first.where
    assert "\x01" not in first.title
    assert (second.title, second.picture) == ("Expected", b"")  # told once: where it was put
    project.remove_finding(high)
    project.remove_finding(low)
    parts = build(project, FindingsBlock(), FindingBlock(finding=low))
    assert parts[1].text == "No findings have been recorded."
    assert isinstance(parts[-1], Notice)
    assert "removed" in parts[-1].text


def test_what_is_gone_is_said_in_its_place(made_up):
    parts = build(
        made_up.project,
        TextBlock(heading="Before", text="a\n\nb"),
        ChapterBlock(run=99),
        DetailsBlock(run=99),
        FigureBlock(figure="hologram"),
        FigureBlock(figure="layers", run=made_up.concepts_run, caption="Mine."),
        FigureBlock(figure="layers", parameters={"measure": "magic"}),
        TableBlock(table="sqlite_master"),
        TableBlock(table="concept", run=99),
        LimitsBlock(),
    )
    assert parts[:3] == (Heading("Before", 2), Paragraph("a"), Paragraph("b"))
    notices = [part.text for part in parts if isinstance(part, Notice)]
    assert len(notices) == 7
    assert "99" in notices[0]
    assert "no figure “hologram”" in notices[2]
    assert notices[3].startswith("Mine. ")
    assert "“magic”" in notices[4]
    assert "no table “sqlite_master”" in notices[5]
    assert not any(isinstance(part, NumberedFigure | NumberedTable) for part in parts)


def test_figures_and_tables_are_numbered_as_they_come(made_up):
    run = made_up.layers_run
    figure = FigureBlock(figure="layers", run=run, parameters={"measure": "cka"}, width=50)
    parts = build(
        made_up.project,
        figure,
        TableBlock(table="layer_similarity", run=run, rows=5),
        FigureBlock(figure="concepts", caption="Second"),
        TableBlock(table="run"),
    )
    first, second = [part for part in parts if isinstance(part, NumberedFigure)]
    assert (first.number, first.caption, first.width) == (1, "Similarity of layers", 50)
    assert (second.number, second.caption) == (2, "Second")
    width = float(re.search(rb'width="([0-9.]+)pt"', first.data).group(1))
    assert width == pytest.approx(87.5 / 25.4 * 72, rel=0.01)  # drawn for half the page
    tables = [part for part in parts if isinstance(part, NumberedTable)]
    assert [table.number for table in tables] == [1, 2]
    assert len(tables[0].table.rows) == 5
    assert "run" not in tables[0].table.columns
    assert len(tables[0].table.columns) <= 9
    assert any("7 more rows" in part.text for part in parts if isinstance(part, Paragraph))


def test_each_block_knows_where_it_begins(made_up):
    document = build_document(
        made_up.project,
        composition(
            TextBlock(heading="One", text="a", chapter=True), TextBlock(), TextBlock(text="b")
        ),
    )
    assert document.parts[0] == Heading("One", 1)
    assert document.starts == ((0, 1), (2, 2), (2, 3))


# -- files -------------------------------------------------------------------------------------
def test_a_composed_report_is_written_as_it_stands(made_up, tmp_path):
    project = made_up.project
    add_findings(project, made_up.layers_run)
    own = composition(
        TextBlock(heading=HOSTILE, text=HOSTILE),
        FindingsBlock(),
        FigureBlock(figure="layers", run=made_up.layers_run, caption=HOSTILE),
        TableBlock(table="layer_similarity", rows=60),
    )
    project.add_report("Ours", "", composition_to_json(own))
    read, notes = stored_composition(project, "Ours")
    assert (read, notes) == (own, ())
    page = write_report(project, tmp_path / "1.html", read).read_bytes()
    assert b"<b>&quot;#eval" not in page
    assert page.count(b"&lt;b&gt;&quot;#eval(1) $x$ *bold*") >= 4
    assert page.index(b"Figure 1.") < page.index(b"Table 1.")
    assert b"What these numbers cannot say" not in page
    for suffix in ("html", "pdf"):
        first = write_report(project, tmp_path / f"2.{suffix}", read).read_bytes()
        assert first == write_report(project, tmp_path / f"3.{suffix}", read).read_bytes()
    assert first.startswith(b"%PDF-")


def test_a_report_that_is_not_there_lists_the_others(made_up):
    with pytest.raises(AuditError, match="no report “Ours”") as caught:
        stored_composition(made_up.project, "Ours")
    assert "Compose one" in caught.value.hint
    made_up.project.add_report("Theirs", "", {"blocks": 3})
    with pytest.raises(AuditError) as caught:
        stored_composition(made_up.project, "Ours")
    assert "Theirs" in caught.value.hint
    with pytest.raises(AuditError, match="damaged"):
        stored_composition(made_up.project, "Theirs")


def test_the_command_line_writes_templates_and_compositions(made_up, tmp_path, capsys):
    project = made_up.project
    blocks = [{"kind": "text", "heading": "Ours alone"}, {"kind": "hologram"}]
    project.add_report("Ours", "", {"title": "T", "blocks": blocks})
    project.close()
    file, out = str(project.path), tmp_path / "r.html"
    cli.main(["export", file, "--report", "--composition", "Ours", "-o", str(out)])
    assert "Ours alone" in out.read_text("utf-8")
    assert "Part 2 was left out" in capsys.readouterr().err
    model = ["--models", MODEL_A, "--models", MODEL_B]
    cli.main(["export", file, "--report", "--template", "comparison", *model, "-o", str(out)])
    assert f"Comparison of {MODEL_A}" in out.read_text("utf-8")
    for wrong in (["--template", "poster"], ["--template", "family", "--composition", "Ours"]):
        with pytest.raises(SystemExit) as caught:
            cli.main(["export", file, "--report", *wrong, "-o", str(out)])
        assert caught.value.code == 2
    with pytest.raises(SystemExit) as caught:
        cli.main(["export", file, "--table", "run", "--template", "single", "-o", "t.csv"])
    assert caught.value.code == 2


# -- the composer's side -----------------------------------------------------------------------
def test_what_can_be_added_can_be_built(made_up):
    project = made_up.project
    low, _ = add_findings(project, made_up.layers_run)
    groups = report_offer(project)
    assert groups[0].title == "Texts and overviews"
    assert next(one.block for one in groups[1].entries) == FindingBlock(finding=low)
    assert [group.run for group in groups[2:]] == [made_up.concepts_run, made_up.layers_run]
    titles = [one.title for one in groups[-1].entries]
    assert titles[:2] == [
        "Chapter: results, and how to read them",
        "Tables of results and parameters",
    ]
    assert "Table: layer_similarity" in titles
    blocks = [one.block for group in (groups[0], groups[1], groups[-1]) for one in group.entries]
    document = build_document(project, composition(*blocks))
    assert not any(isinstance(part, Notice) for part in document.parts)
    names = block_titles(composition(*blocks, ChapterBlock(run=99)), report_names(project))
    assert len(set(names)) == len(blocks) + 1
    assert list(names.values())[-1] == "Chapter · run 99 was removed"


def test_the_preview_shows_text_first_and_figures_as_they_are_drawn(made_up, monkeypatch):
    clock = iter(range(0, 100_000, 10))  # every look at the clock is ten seconds later
    monkeypatch.setattr(report_pictures.time, "monotonic", lambda: float(next(clock)))
    own = composition(
        TextBlock(heading="One", text="word"),
        FigureBlock(figure="layers", run=made_up.layers_run),
        FigureBlock(figure="layers", run=made_up.layers_run, parameters={"measure": "cka"}),
        TextBlock(heading="Two", text="word"),
    )
    preview = ReportPreview()
    try:
        first = preview.pages(made_up.project, own, 50)
        assert first.missing == 2
        assert set(first.starts) == {1, 2, 3, 4}
        assert first.starts[1] == 3  # behind the title page and the contents
        sizes = {Image.open(io.BytesIO(page)).size for page in first.pages}
        assert len(sizes) == 1
        monkeypatch.setattr(report_pictures.time, "monotonic", lambda: 0.0)
        whole = preview.pages(made_up.project, own, 50)
        assert whole.missing == 0
        assert whole.pages != first.pages
        assert whole.pages[0] == first.pages[0]
    finally:
        preview.close()


def test_new_results_are_drawn_anew(made_up):
    pictures = report_pictures.ReportPictures()
    project, run = made_up.project, made_up.layers_run
    pictures.begin()
    first = pictures.picture(project, "layers", run, {}, 50)
    assert pictures.picture(project, "layers", run, {}, 50) is first
    with project.transaction() as connection:
        connection.execute("UPDATE layer_similarity SET mmcs_pearson = 0.01")
        connection.execute("UPDATE run SET state = 'cancelled' WHERE id = ?", (run,))
    assert pictures.picture(project, "layers", run, {}, 50).data != first.data
