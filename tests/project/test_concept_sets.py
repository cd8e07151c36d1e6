"""Concepts given by examples: added, extended, renamed, forgotten; wrong input is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.errors import AuditError
from analysis.project import Project
from analysis.project.concept_sets import ExampleBox, Kind, StoredExample


def test_patches_are_added_once_and_forgotten(filled: Project) -> None:
    project = filled
    image = project.value("SELECT min(id) FROM image")
    box = ExampleBox(image, 1, 2, 30, 40)
    number = project.add_concept_set("beaks", "patches", examples=[box])
    assert project.add_concept_examples(number, [box, ExampleBox(image, 5, 5, 9, 9)]) == 1
    assert project.add_concept_examples(number, [box], "negative") == 1
    rows = project.rows("SELECT id, role FROM concept_example ORDER BY id")
    assert [row["role"] for row in rows] == ["positive", "positive", "negative"]
    project.remove_concept_examples([rows[0]["id"]])
    assert project.value("SELECT count(*) FROM concept_example") == 2
    project.remove_concept_set(number)
    assert project.value("SELECT count(*) FROM concept_example") == 0


def test_a_folder_is_found_again_beside_a_moved_project(project: Project, tmp_path: Path) -> None:
    folder = tmp_path / "stripes"
    folder.mkdir()
    number = project.add_concept_set("stripes", "folder", folder)
    assert project.concept_folder(number) == folder
    copy = tmp_path / "elsewhere" / "copy.parallax"
    copy.parent.mkdir()
    project.save_copy(copy)
    with Project.open(copy) as moved:
        assert moved.concept_folder(number) == folder
    label = project.add_concept_set("wheel", "labels", label="wheel", category="part")
    with pytest.raises(AuditError):
        project.concept_folder(label)


def test_names_are_unique_and_results_keep_theirs(project: Project) -> None:
    first = project.add_concept_set("a", "labels", label="wheel")
    project.add_concept_set("b", "labels", label="wheel")
    project.rename_concept_set(first, "c")
    project.rename_concept_set(first, "c")
    with pytest.raises(AuditError, match="called “b”"):
        project.rename_concept_set(first, "b")
    with pytest.raises(AuditError, match="called “c”"):
        project.add_concept_set("c", "patches")


@pytest.mark.parametrize(
    ("name", "kind", "label"),
    [("", "patches", None), ("x" * 201, "patches", None), ("x", "folder", None),
     ("x", "labels", " "), ("x", "patches", "y"), ("x", "magic", "y")],
)  # fmt: skip
def test_what_cannot_be_a_concept(
    project: Project, name: str, kind: Kind, label: str | None
) -> None:
    with pytest.raises(AuditError):
        project.add_concept_set(name, kind, label=label)
    assert project.value("SELECT count(*) FROM concept_set") == 0


def test_boxes_and_concepts_that_do_not_exist(filled: Project) -> None:
    project = filled
    image = project.value("SELECT min(id) FROM image")
    with pytest.raises(AuditError, match="no such concept"):
        project.add_concept_examples(9, [ExampleBox(image, 0, 0, 1, 1)])
    with pytest.raises(AuditError, match="patch"):
        project.add_concept_set("x", "patches", examples=[ExampleBox(image, 0, 0, 0, 1)])
    assert project.value("SELECT count(*) FROM concept_set") == 0


def test_examples_are_turned_and_never_stand_on_one_side_twice(filled: Project) -> None:
    image = filled.value("SELECT min(id) FROM image")
    first, second = ExampleBox(image, 0, 0, 2, 2), ExampleBox(image, 1, 1, 2, 2)
    number = filled.add_concept_set("stripes", "patches", examples=[first, second])
    filled.add_concept_examples(number, [second], "negative")

    def examples() -> list[tuple[str, int]]:
        rows = filled.rows("SELECT role, x FROM concept_example WHERE concept_set = ?", (number,))
        return sorted((row["role"], row["x"]) for row in rows)

    ids = [
        row["id"]
        for row in filled.rows("SELECT id FROM concept_example WHERE role = 'positive' ORDER BY x")
    ]
    filled.turn_concept_examples(ids)
    assert examples() == [("negative", 0), ("negative", 1)]
    filled.turn_concept_examples(ids[:1])
    assert examples() == [("negative", 1), ("positive", 0)]
    filled.turn_concept_examples([999_999])  # gone meanwhile
    assert len(examples()) == 2


def test_what_was_removed_comes_back_with_its_ids(filled: Project) -> None:
    image = filled.value("SELECT min(id) FROM image")
    box, other = ExampleBox(image, 0, 0, 2, 2), ExampleBox(image, 1, 1, 2, 2)
    filled.add_concept_set("first", "patches", examples=[box])
    number = filled.add_concept_set("stripes", "patches", examples=[box, other])
    examples = filled.concept_examples(number)
    assert [one.box for one in examples] == [box, other]
    filled.remove_concept_set(number)
    assert filled.concept_examples(number) == ()
    with pytest.raises(AuditError, match="no such concept"):
        filled.restore_concept_examples(examples)
    assert filled.add_concept_set("stripes", "patches", id=number, created="then") == number
    gone = StoredExample(77, number, "negative", ExampleBox(999_999, 0, 0, 2, 2))
    filled.restore_concept_examples([gone, *reversed(examples)])
    assert filled.concept_examples(number) == examples
    assert filled.value("SELECT created FROM concept_set WHERE id = ?", (number,)) == "then"
