import numpy as np
import pytest

from analysis.errors import AuditError
from analysis.evaluation.splits import CROSS_VALIDATION, TRAIN_AND_TEST, make_split


def test_folds_test_every_image_once_and_share_out_every_class():
    labels = ["cat"] * 23 + ["dog"] * 17 + ["eel"] * 6
    split = make_split(labels, None, folds=5, seed=3)
    assert split.kind == CROSS_VALIDATION
    assert split.classes == ("cat", "dog", "eel")
    assert np.array_equal(split.tested, np.arange(46))
    sizes = [len(fold.test) for fold in split.folds]
    assert max(sizes) - min(sizes) <= 1
    for fold in split.folds:
        assert not set(fold.train) & set(fold.test)
        assert len(fold.train) + len(fold.test) == 46
        for number, count in enumerate((23, 17, 6)):
            share = int((split.labels[fold.test] == number).sum())
            assert share in (count // 5, -(-count // 5))


def test_folds_depend_on_the_seed_alone():
    labels = ["cat", "dog"] * 20
    first, again, other = (make_split(labels, folds=4, seed=seed) for seed in (1, 1, 2))
    assert all(
        np.array_equal(a.test, b.test) for a, b in zip(first.folds, again.folds, strict=True)
    )
    assert not all(
        np.array_equal(a.test, b.test) for a, b in zip(first.folds, other.folds, strict=True)
    )


def test_small_classes_and_images_without_a_label_are_left_out_with_the_reason():
    labels = ["cat"] * 6 + ["dog"] * 6 + ["eel"] * 4 + [None, "  "]
    split = make_split(labels, folds=5)
    assert split.classes == ("cat", "dog")
    assert dict(split.left_out) == {
        "2 images": "no class label",
        "class eel": "4 images, fewer than the 5 folds",
    }
    assert (split.labels[12:] == -1).all()
    assert np.array_equal(split.tested, np.arange(12))


def test_the_split_of_the_image_set_is_used():
    labels = ["cat", "dog"] * 6 + ["eel", "fox"]
    splits = ["train"] * 6 + ["val"] * 2 + ["Test"] * 4 + ["train", "test"]
    split = make_split(labels, splits)
    assert split.kind == TRAIN_AND_TEST
    (fold,) = split.folds
    assert fold.train.tolist() == [0, 1, 2, 3, 4, 5]
    assert fold.test.tolist() == split.tested.tolist() == [8, 9, 10, 11]
    assert dict(split.left_out) == {
        "class eel": "no image to test with",
        "class fox": "no image to train with",
        "2 images": "of the split val, which is not used",
    }


def test_validation_images_test_where_test_images_have_no_label():
    labels = ["cat", "dog"] * 4 + [None] * 2
    splits = ["train"] * 4 + ["val"] * 4 + ["test"] * 2
    split = make_split(labels, splits)
    assert split.tested.tolist() == [4, 5, 6, 7]


@pytest.mark.parametrize("splits", [["train"] * 10, ["test"] * 10, [None] * 10, ["a", "b"] * 5])
def test_without_both_parts_images_are_dealt_to_folds(splits):
    split = make_split(["cat", "dog"] * 5, splits, folds=5)
    assert split.kind == CROSS_VALIDATION
    assert len(split.folds) == 5


@pytest.mark.parametrize(
    ("labels", "splits", "folds"),
    [
        (["cat"] * 20, None, 5),
        ([None] * 20, None, 5),
        (["cat"] * 20 + ["dog"] * 4, None, 5),
        ([str(number) for number in range(20)], None, 2),
        (["cat"] * 4 + ["dog"] * 4, ["train"] * 4 + ["test"] * 4, 5),
        (["cat", "dog"] * 5, None, 1),
        (["cat", "dog"] * 5, ["train"], 5),
        ([], [], 5),
    ],
)
def test_what_cannot_be_split_is_refused(labels, splits, folds):
    with pytest.raises(AuditError):
        make_split(labels, splits, folds)
