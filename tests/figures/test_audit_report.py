"""What a report says of dissection, embedding and evaluation."""

from __future__ import annotations

import pytest

from analysis.figures import report_embedding, report_pictures, report_words
from tests.figures.chapters import page_and_print, report_content
from tests.figures.made_audits import MODELS, add_embedding


@pytest.fixture
def quick(monkeypatch):
    """Coarser pictures and fewer of them."""
    monkeypatch.setattr(report_pictures, "PRINTED_DPI", 50)
    kept = [figure for figure in report_embedding._MORE_FIGURES if figure[0] in ("loadings",)]
    monkeypatch.setattr(report_embedding, "_MORE_FIGURES", kept)


def test_each_audit_has_its_chapter(audited):
    content = report_content(audited.project)
    titles = [section.title for section in content.sections]
    assert titles == [
        "Units of Imported net",
        "Units of 6 models",
        "Performance of 6 models",
        "Performance of 5 models",
        "Embedding of 6 models",
    ]
    imported, units, evaluation, table, embedding = content.sections
    assert "2 of 3 units of Imported net (67 %) know 1 concept." in imported.paragraphs[0]
    assert "chance would give is not known" in imported.paragraphs[1]
    assert [picture.format for picture in imported.pictures] == ["svg"]
    assert "10 of 12 units of" in units.paragraphs[0]
    assert "Of 66 units with a concept 60 overlap with it more than chance" in units.paragraphs[1]
    assert "6 units were not counted" in units.paragraphs[2]
    assert [picture.format for picture in units.pictures] == ["svg", "jpeg", "svg"]
    assert "BYOL is best (0.75 [0.73, 0.77])" in evaluation.paragraphs[0]
    assert "In ImageNet MobileNet has the highest value (74.00)." in table.paragraphs[0]
    assert "A: ResNet-18, SqueezeNet 1.1, MobileNet; B: ViT-S, Lite0" in embedding.paragraphs[0]
    assert "more than chance: component 1." in embedding.paragraphs[0]
    assert "2 of 6 correlations with performance survive" in " ".join(embedding.paragraphs)
    assert len(embedding.pictures) == 9
    assert set(report_words.EMBEDDING_LIMITS) < set(content.limits)
    assert not set(report_words.COMPARISON_LIMITS) & set(content.limits)
    assert ("preset", "default") in embedding.parameters.rows


def test_commands_make_the_runs_again(audited, quick):
    lines = report_content(audited.project).commands
    assert "--model 'ViT-S=" in lines[0] or "--model ViT-S=" in lines[0]
    assert "Imported net" not in lines[0]
    assert any(line.endswith("dissection units.csv") for line in lines)
    assert any(line.endswith("performance performance.csv") for line in lines)
    (run,) = [line for line in lines if " dissection --models" in line]
    assert all(f"{model}" in run for model in MODELS)
    assert "--set quantile=0.01" in run
    assert "someone" not in " ".join(lines)


def test_page_and_print_hold_the_new_chapters(audited, quick):
    page, pdf = page_and_print(audited.project)
    assert "Embedding of 6 models" in page
    assert "interpretable" in page
    assert pdf.startswith(b"%PDF")
    assert pdf.count(b"/Subtype /Image") + pdf.count(b"/Subtype/Image") >= 1


def test_two_presets_and_one_component_are_reported(audited, quick):
    project = audited.project
    add_embedding(project, MODELS, preset="paper", sources=[audited.dissection])
    add_embedding(project, MODELS[:2], components=1, sources=[audited.dissection])
    sections = report_content(project).sections
    embeddings = [section for section in sections if section.title.startswith("Embedding")]
    assert len(embeddings) == 3
    assert embeddings[2].pictures[0].text.startswith("Bars of the strongest")
    assert "paper (as published)" in embeddings[1].pictures[0].caption


def test_unfinished_runs_say_so(audited, quick):
    with audited.project.transaction() as connection:
        connection.execute("UPDATE run SET state = 'cancelled'")
        connection.execute("UPDATE performance SET value = NULL")
    content = report_content(audited.project)
    assert all("is cancelled" in section.paragraphs[0] for section in content.sections)
    assert "No performance is known yet." in content.summary


def test_a_component_that_is_nearly_one_concept_is_called_so(audited, monkeypatch):
    monkeypatch.setattr(report_embedding, "_MORE_FIGURES", report_embedding._MORE_FIGURES[2:3])
    project = audited.project
    assert "nearly one concept" not in _words(project)
    with project.transaction() as connection:
        connection.execute("UPDATE loading SET loading = 9 WHERE concept = 'blue'")
        connection.execute(
            "UPDATE embedding SET pc1 = -(SELECT COUNT(*) FROM unit WHERE concept = 'blue'"
            " AND interpretable AND unit.model = embedding.model)"
        )
    assert "goes together with the units for blue (colours) alone, r = −1.00." in _words(project)


def _words(project) -> str:
    return " ".join(report_content(project).sections[-1].paragraphs)
