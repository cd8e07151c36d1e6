"""The sample project: images and small networks with a planted difference, ready to be audited."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from analysis.audits.intake import add_images, add_model
from analysis.audits.parameters import parse_parameters
from analysis.audits.registry import audit_definition
from analysis.audits.runner import create_run
from analysis.errors import AuditError
from analysis.progress import Progress
from analysis.project import Project
from analysis.resources import resource_path

IMAGE_SET = "sample scenes"

# Where the networks look when they say “boat”, and whether they look at the planted square.
_PLANTED = {
    "target": "boat",
    "mask": "pink square",
    "images": 36,
    "steps": 14,
    "metrics": "average-drop,average-increase,insertion,deletion,localisation,sparseness",
}

# Concepts by which the same two networks differ (the square) and agree (the others).
SEMANTICS = {
    "concepts": "pink square,roof,wheel,window",
    "layers": 5,
    "images": 132,
    "negatives": 120,
    "random_sets": 30,
    "permutations": 100,
}

# The comparisons worth seeing first: the planted difference, two seeds, a CNN and a transformer;
# then all networks beside each other.
_RUNS: tuple[tuple[str, tuple[str, ...], Mapping[str, Any]], ...] = (
    ("concepts", ("pink-sensitive", "pink-invariant"), {}),
    ("layers", ("pink-sensitive", "pink-invariant"), {}),
    ("dissection", (), {}),
    ("evaluation", (), {}),
    ("embedding", (), {}),
    ("saliency", ("pink-sensitive", "pink-invariant", "vit", "untrained"), _PLANTED),
    ("semantics", ("pink-sensitive", "pink-invariant"), SEMANTICS),
    ("concepts", ("cnn-seed-1", "cnn-seed-2"), {}),
    ("layers", ("cnn-seed-1", "vit"), {}),
)


def sample_model_names() -> list[str]:
    """Names of the networks that ship with Parallax."""
    text = resource_path("sample", "models.json").read_text(encoding="utf-8")
    return list(json.loads(text)["models"])


def fill_sample_project(project: Project, progress: Progress) -> list[int]:
    """Add the sample's images, networks and runs where they are missing; returns unfinished runs.

    :raises AuditError: the sample's files are not installed.
    """
    images = resource_path("sample", "images")
    if not images.is_dir():
        raise AuditError("The sample is not installed.", "Install Parallax again.")
    if not project.value("SELECT 1 FROM image_set WHERE name = ?", (IMAGE_SET,)):
        add_images(project, IMAGE_SET, images, progress)
    for name in sample_model_names():
        if not project.value("SELECT 1 FROM model WHERE name = ?", (name,)):
            add_model(project, name, f"sample:{name}", progress)
    image_set = project.value("SELECT id FROM image_set WHERE name = ?", (IMAGE_SET,))
    present = {
        (row["audit"], project.run_models(row["id"]))
        for row in project.rows("SELECT id, audit FROM run")
    }
    for audit, named, settings in _RUNS:
        models = named or tuple(sample_model_names())
        if (audit, models) not in present:
            parameters = parse_parameters(audit_definition(audit).parameters, settings)
            create_run(project, audit, models, parameters, image_set)
    rows = project.rows("SELECT id FROM run WHERE state != 'done' ORDER BY id")
    return [row["id"] for row in rows]


def open_sample_project(path: Path) -> Project:
    """The sample project at `path`, made if it does not exist."""
    return Project.open(path) if path.exists() else Project.create(path, "sample")
