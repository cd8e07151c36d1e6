"""The report says what the project holds, runs nothing, and is the same for the same project."""

from __future__ import annotations

import base64
import io
import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from analysis.errors import AuditError
from analysis.figures import report_content as content_module
from analysis.figures import report_pictures
from analysis.figures.readers import concept_points, layer_similarity
from analysis.figures.report import write_report
from tests.figures.chapters import page_and_print, report_content
from tests.figures.conftest import make_up

_VOID = {"meta", "img"}


class _Page(HTMLParser):
    """Tags, texts and attributes of a page; fails where tags do not close."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data + " "


def _parse(data: bytes) -> _Page:
    page = _Page()
    page.feed(data.decode())
    assert page.open == []
    return page


def _quicken(patch: pytest.MonkeyPatch) -> None:
    """Fewer and coarser pictures."""
    patch.setattr(content_module, "_TELLING_A_SIDE", 1)
    patch.setattr(report_pictures, "PRINTED_DPI", 50)


@pytest.fixture
def quick(monkeypatch):
    _quicken(monkeypatch)


@pytest.fixture(scope="module")
def written(templates, tmp_path_factory):
    """The report on the made-up project as it is written: page and print."""
    folder = tmp_path_factory.mktemp("report")
    with pytest.MonkeyPatch.context() as patch:
        _quicken(patch)
        project = templates.copy(folder / "made up.parallax", make_up).project
        files = [write_report(project, folder / f"report.{kind}") for kind in ("html", "pdf")]
        project.close()
    return tuple(file.read_bytes() for file in files)


def test_page_holds_models_runs_figures_limits_and_commands(written):
    page = _parse(written[0])
    for expected in (
        "ResNet-18",
        "0" * 64,
        "preset",
        "version of torch",
        "How to read it",
        "What these numbers cannot say",
        "parallax new 'made up.parallax' --images scenes=FOLDER --model",
        "ResNet-18=timm:resnet18?pretrained=false@0.pth",
        "parallax run 'made up.parallax' concepts --models ResNet-18 --models ViT-S",
        "--set components=4",
    ):
        assert expected in page.text, expected
    assert "someone" not in page.text
    images = [attributes for tag, attributes in page.tags if tag == "img"]
    assert len(images) == 3 + 2
    assert all(image["alt"] for image in images)
    for image in images:
        media, data = re.fullmatch(r"data:(image/[a-z+]+);base64,(.*)", image["src"]).groups()
        raw = base64.b64decode(data, validate=True)
        if media == "image/svg+xml":
            ElementTree.fromstring(raw)
        else:
            Image.open(io.BytesIO(raw)).load()
    _assert_needs_nothing_else(page)


def _assert_needs_nothing_else(page: _Page) -> None:
    assert not {tag for tag, _ in page.tags} & {"script", "link", "iframe", "object", "form"}
    for _, attributes in page.tags:
        for name in ("src", "href"):
            value = attributes.get(name)
            assert value is None or value.startswith(("data:image/", "#"))
        assert not any(name.startswith("on") for name in attributes)


def test_names_are_never_markup(make_project, quick):
    hostile = '<script>alert(1)</script>"><img src=x onerror=alert(2)>'
    made = make_project(
        models=(hostile, "#eval(1) $x$ *bold* @ref"),
        classes=(hostile, "'; DROP TABLE concept; --", '\x01#image("/etc/passwd")'),
    )
    with made.project.transaction() as connection:
        connection.execute("UPDATE project SET name = ?", (hostile,))
        connection.execute(
            "INSERT INTO problem (run, subject, reason) VALUES (?, ?, ?)",
            (made.concepts_run, hostile, hostile),
        )
    written, pdf = page_and_print(made.project)
    page = _parse(written.encode())
    assert "script" not in {tag for tag, _ in page.tags}
    assert not any("onerror" in attributes for _, attributes in page.tags)
    assert hostile in page.text
    assert pdf.startswith(b"%PDF-")


def test_pdf_is_a_whole_document(written):
    pdf = written[1]
    assert pdf.startswith(b"%PDF-")
    assert pdf.rstrip().endswith(b"%%EOF")
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) >= 3


def test_the_same_project_gives_the_same_bytes(made_up, written, quick):
    page, pdf = page_and_print(made_up.project)
    assert (page.encode(), pdf) == written


def test_sentences_say_what_the_tables_say(made_up, quick):
    project = made_up.project
    with project.transaction() as connection:
        connection.execute("UPDATE concept SET importance = 0.1")
        connection.execute("UPDATE concept SET importance = 0.8 WHERE id = 2")
        connection.execute(
            "UPDATE concept_similarity SET cmcs_pearson = 0.05, ci_low = -0.1, ci_high = 0.2,"
            " null_95 = 0.12 WHERE side = 'a' AND class = 'bird' AND concept = 1"
        )
    content = report_content(project)
    layers, concepts = content.sections
    captions = [picture.caption for picture in concepts.pictures]
    assert (
        "ViT-S cannot predict concept 1 of class bird of ResNet-18"
        " (CMCS 0.05 [−0.10, 0.20], chance 0.12, importance 0.80)." in captions
    )
    data = concept_points(project, made_up.concepts_run)
    of_a = data.side == "a"
    above = int((data.cmcs_pearson[of_a] > data.null_95[of_a]).sum())
    median = np.median(data.cmcs_pearson[of_a])
    assert f"predicts {above} of 12 concepts of ResNet-18" in concepts.paragraphs[0]
    assert f"median CMCS {median:.2f}" in concepts.paragraphs[0]
    assert "important to ResNet-18 and unlike: 1." in concepts.paragraphs[0]
    assert "of 12 pairs of layers are more alike than chance" in layers.paragraphs[1]
    cka = layer_similarity(made_up.project, made_up.layers_run, "cka")
    at = np.unravel_index(np.nanargmax(cka.values), cka.values.shape)
    told = f"{cka.values[at]:.2f} [{cka.ci_low[at]:.2f}, {cka.ci_high[at]:.2f}], chance 0.20"
    assert "Without concepts, most alike are by CKA " in layers.paragraphs[1]
    assert f"({told}), by RSA" in layers.paragraphs[1]
    assert "by Procrustes" in layers.paragraphs[1]


def test_an_unfinished_run_is_called_so(made_up, quick):
    with made_up.project.transaction() as connection:
        connection.execute("UPDATE run SET state = 'cancelled'")
        connection.execute("DELETE FROM replacement")
        connection.execute("UPDATE layer_similarity SET mmcs_pearson = NULL, null_95 = NULL")
        connection.execute("UPDATE concept_similarity SET cmcs_pearson = NULL WHERE side = 'b'")
    layers, concepts = report_content(made_up.project).sections
    assert "This run is cancelled" in layers.paragraphs[0]
    assert "not computed yet" in layers.paragraphs[0]
    assert "This run is cancelled" in concepts.paragraphs[-1]
    assert "have no similarities yet" in concepts.paragraphs[1]
    assert len(concepts.pictures) == 2


def test_what_cannot_be_reported_says_why(made_up, tmp_path):
    with pytest.raises(AuditError, match="docx") as caught:
        write_report(made_up.project, tmp_path / "report.docx")
    assert ".html" in caught.value.hint
    with made_up.project.transaction() as connection:
        connection.execute("DELETE FROM concept")
        connection.execute("DELETE FROM layer_similarity")
    with pytest.raises(AuditError, match="no results") as caught:
        write_report(made_up.project, tmp_path / "report.html")
    assert "parallax run" in caught.value.hint
    assert not list(tmp_path.glob("report.*"))
