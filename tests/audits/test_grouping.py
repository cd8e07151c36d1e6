from __future__ import annotations

import pytest

from analysis.audits.grouping import ImageEntry, group_by_label, group_by_prediction
from analysis.errors import AuditError


def _images(counts: dict[str, int]) -> list[ImageEntry]:
    entries = []
    for label, count in counts.items():
        for number in range(count):
            path = f"{label}/{number:04}.jpg"
            entries.append(ImageEntry(len(entries) + 1, path, label, path, 10, 10))
    return entries


def test_labels_make_classes_and_small_ones_are_reported() -> None:
    found = group_by_label(_images({"cat": 12, "dog": 4}), limit=100, minimum=5, seed=0)
    assert [group.name for group in found.classes] == ["cat"]
    assert found.problems == (("dog", "Only 4 images; 5 are needed."),)


def test_a_smaller_limit_draws_a_prefix_of_a_larger_one() -> None:
    images = _images({"cat": 50})
    small = group_by_label(images, limit=10, minimum=5, seed=3).classes[0].images
    large = group_by_label(images, limit=40, minimum=5, seed=3).classes[0].images
    other = group_by_label(images, limit=40, minimum=5, seed=4).classes[0].images
    assert large[:10] == small
    assert other != large


def test_the_order_of_the_images_does_not_matter() -> None:
    images = _images({"cat": 30, "dog": 30})
    forwards = group_by_label(images, limit=9, minimum=5, seed=0)
    assert group_by_label(images[::-1], limit=9, minimum=5, seed=0) == forwards


def test_predictions_are_united_over_both_models() -> None:
    images = _images({"x": 20})
    predicted_a = {image.id: "cat" if image.id <= 12 else "dog" for image in images}
    predicted_b = {image.id: "cat" if image.id > 6 else "cow" for image in images}
    found = group_by_prediction(images, predicted_a, predicted_b, limit=100, minimum=5, seed=0)
    (cat,) = found.classes
    assert len(cat.images) == 20
    assert cat.drawn_from("a") == frozenset(range(1, 13))
    assert cat.drawn_from("b") == frozenset(range(7, 21))
    # What only one model predicts is not dropped in silence, whichever model it is.
    assert {name for name, _ in found.problems} == {"dog", "cow"}


def test_a_class_that_does_not_exist_is_named() -> None:
    with pytest.raises(AuditError, match="zebra"):
        group_by_label(_images({"cat": 9}), limit=9, minimum=5, seed=0, only=["zebra"])


def test_no_class_left_is_an_error() -> None:
    with pytest.raises(AuditError, match="No class"):
        group_by_label(_images({"cat": 3}), limit=9, minimum=5, seed=0)
