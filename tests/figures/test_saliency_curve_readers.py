"""Curves of insertion and deletion, and the image at each step, as views get them."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image
from scipy import stats

from analysis.errors import AuditError
from analysis.faithfulness import steps
from analysis.figures import saliency_readers as readers
from analysis.figures import saliency_steps
from analysis.figures.saliency_data import Cell
from tests.figures.changing import alter, change_parameters
from tests.figures.made_saliency import (
    CNN,
    FRAME,
    STEPS,
    VIT,
    curve,
)

_GRADCAM = Cell(1, CNN, "gradcam")


def test_curves_of_cells_and_their_means(explained):
    project, run = explained
    cells = [_GRADCAM, Cell(2, CNN, "gradcam"), Cell(1, VIT, "attention"), Cell(9, CNN, "gradcam")]
    found = readers.saliency_curves(project, run, cells)
    assert [(one.cell, one.kind) for one in found.curves] == [
        (cell, kind) for cell in cells[:3] for kind in ("insertion", "deletion")
    ]
    for one in found.curves:
        expected = curve(one.kind, one.cell.method, one.cell.image)
        np.testing.assert_allclose(one.scores, expected, atol=1e-12)
        np.testing.assert_allclose(one.fraction, np.arange(STEPS + 1) / STEPS)
        assert one.auc == pytest.approx(np.trapezoid(expected, dx=1 / STEPS))
    assert [(mean.model, mean.method, mean.kind) for mean in found.means] == [
        (model, method, kind)
        for model, method in ((CNN, "gradcam"), (VIT, "attention"))
        for kind in ("insertion", "deletion")
    ]
    for mean in found.means:
        values = np.array([curve(mean.kind, mean.method, image) for image in range(1, 7)])
        np.testing.assert_allclose(mean.mean, values.mean(0), atol=1e-12)
        assert mean.n == 6
        assert mean.auc == pytest.approx(np.trapezoid(values.mean(0), dx=1 / STEPS))
        spread = stats.bootstrap((values,), np.mean, n_resamples=4000, method="percentile",
                                 rng=np.random.default_rng(1))  # fmt: skip
        width = (spread.confidence_interval.high - spread.confidence_interval.low).max()
        np.testing.assert_allclose(mean.low, spread.confidence_interval.low, atol=0.1 * width)
        np.testing.assert_allclose(mean.high, spread.confidence_interval.high, atol=0.1 * width)


def test_the_mean_of_one_image_has_no_interval_and_equal_files_equal_ones(explained):
    project, run = explained
    first, second = (readers.saliency_curves(project, run, [_GRADCAM]).means[0] for _ in "ab")
    np.testing.assert_array_equal(first.low, second.low)
    alter(project, "DELETE FROM curve WHERE image > 1")
    mean = readers.saliency_curves(project, run, [_GRADCAM]).means[0]
    assert mean.n == 1
    assert np.isnan(mean.low).all()


@pytest.mark.parametrize(
    "scores",
    [
        "", "null", "{}", "[]", "[0.5]", "[0.5, null]", "[0.5, true]", '[0.5, "1"]',
        "[NaN, 0.5]", "[0.5, Infinity]", "[0.5, 1e999]", "[" * 100_000, "[1, [2]]",
        f"[1, {'9' * 400}]", f"[1, {'9' * 5000}]",
    ],
)  # fmt: skip
def test_scores_that_are_no_numbers_are_left_out(explained, scores):
    project, run = explained
    alter(project, "UPDATE curve SET scores = ? WHERE image = 1", (scores,))
    found = readers.saliency_curves(project, run, [_GRADCAM, Cell(2, CNN, "gradcam")])
    assert {one.cell.image for one in found.curves} == {2}
    assert {mean.n for mean in found.means} == {5}


def test_very_long_and_odd_curves(explained):
    project, run = explained
    alter(project, "UPDATE curve SET scores = ? WHERE image = 1", ("[" + "0.5," * 600_000 + "1]",))
    assert readers.saliency_curves(project, run, [_GRADCAM]).curves == ()
    alter(project, "UPDATE curve SET scores = '[0.1, 0.2]' WHERE image = 2")
    assert readers.saliency_curves(project, run, [_GRADCAM]).means[0].n == 4
    long = json.dumps(np.linspace(0, 1, 5001).tolist())
    alter(project, "UPDATE curve SET scores = ?", (long,))
    found = readers.saliency_curves(project, run, [_GRADCAM])
    assert len(found.curves[0].scores) == 5001
    assert len(found.means[0].mean) == 1001
    np.testing.assert_allclose(found.means[0].mean, found.means[0].fraction, atol=1e-12)
    assert found.means[0].auc == pytest.approx(0.5)


def _picture(tmp_path, project) -> np.ndarray:
    """The file of image 1 beside the project: noise, 40 × 40."""
    pixels = np.random.default_rng(5).integers(0, 256, (40, 40, 3)).astype(np.uint8)
    file = tmp_path / "bird" / "0.png"
    file.parent.mkdir()
    Image.fromarray(pixels).save(file)
    alter(project, "UPDATE image_set SET source = ?", (str(tmp_path),))
    alter(project, "UPDATE image SET path = 'bird/0.png', size_bytes = ? WHERE id = 1",
            (file.stat().st_size,))  # fmt: skip
    return FRAME.apply(Image.fromarray(pixels))


def test_a_step_is_the_image_as_it_was_measured(explained, tmp_path):
    project, run = explained
    pixels = _picture(tmp_path, project)
    values = readers.saliency_maps(project, run, [_GRADCAM])[_GRADCAM].values
    for kind, step in (("insertion", 3), ("deletion", 5), ("insertion", 0)):
        shown = readers.step_picture(project, run, _GRADCAM, kind, step)
        expected = steps.StepPictures(pixels, values, kind, STEPS).at(step)
        np.testing.assert_array_equal(shown.pixels, expected)
        assert (shown.cell, shown.kind, shown.step) == (_GRADCAM, kind, step)
    for kind, step in (("insertion", STEPS), ("deletion", 0)):
        shown = readers.step_picture(project, run, _GRADCAM, kind, step)
        np.testing.assert_array_equal(shown.pixels, pixels)


def test_dragging_along_a_curve_reads_the_image_once(explained, tmp_path, monkeypatch):
    project, run = explained
    _picture(tmp_path, project)
    read = []
    decode = saliency_steps.decode_image
    monkeypatch.setattr(saliency_steps, "decode_image", lambda file: read.append(file) or decode(
        file))  # fmt: skip
    for step in range(STEPS + 1):
        readers.step_picture(project, run, _GRADCAM, "deletion", step)
    assert len(read) == 1


@pytest.mark.parametrize("lost", ["nothing", "file", "size", "content"])
def test_without_its_file_a_step_is_shown_on_the_thumbnail(explained, tmp_path, lost):
    project, run = explained
    whole = _picture(tmp_path, project)
    file = tmp_path / "bird" / "0.png"
    if lost == "file":
        file.unlink()
    elif lost == "size":
        other = io.BytesIO()
        Image.new("RGB", (10, 90)).save(other, "PNG")
        file.write_bytes(other.getvalue())
        alter(project, "UPDATE image SET size_bytes = ?", (file.stat().st_size,))
    elif lost == "content":
        file.write_bytes(bytes(file.stat().st_size))
    shown = readers.step_picture(project, run, _GRADCAM, "deletion", 0).pixels
    assert shown.shape == (FRAME.crop, FRAME.crop, 3)
    if lost == "nothing":
        np.testing.assert_array_equal(shown, whole)
    else:
        assert shown[2, 2].tolist() == [255, 0, 0]  # the thumbnail's quarters
        assert shown[-3, -3].tolist() == [255, 255, 255]
        alter(project, "DELETE FROM thumbnail")
        with pytest.raises(AuditError, match="no picture of image 1") as caught:
            readers.step_picture(project, run, _GRADCAM, "deletion", 0)
        assert caught.value.hint


def test_steps_that_do_not_exist(explained):
    project, run = explained
    for cell, kind, step, words in (
        (_GRADCAM, "deletion", STEPS + 1, f"no step {STEPS + 1} of {STEPS}"),
        (_GRADCAM, "deletion", -1, "no step"),
        (_GRADCAM, "sideways", 1, "no sideways"),
        (Cell(1, CNN, "attention"), "deletion", 1, "no deletion of attention"),
    ):
        with pytest.raises(AuditError, match=words) as caught:
            readers.step_picture(project, run, cell, kind, step)
        assert caught.value.hint


def test_a_huge_frame_is_shown_smaller(explained):
    project, run = explained
    change_parameters(project, run, resize=4096, frame=4096)
    shown = readers.step_picture(project, run, _GRADCAM, "insertion", 4)
    assert shown.pixels.shape == (1024, 1024, 3)
