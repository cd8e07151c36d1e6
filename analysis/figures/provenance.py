"""Where a figure comes from: project, run, parameters, seeds, versions, and hashes of weights.

No dates and no folders of this machine: equal figures stay equal files, and nothing private leaves
with them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import analysis
from analysis.figures.readers import run_row
from analysis.figures.words import plain

if TYPE_CHECKING:
    from analysis.project import Project


def figure_provenance(
    project: Project, run: int, figure: str, parameters: Mapping[str, Any]
) -> dict[str, Any]:
    """Everything needed to make the figure again, as plain JSON values."""
    about = run_row(project, run)
    return {
        "figure": figure,
        "figure_parameters": dict(parameters),
        "project": project.name,
        "run": run,
        "audit": about["audit"],
        "run_state": about["state"],
        "run_parameters": json_value(about["parameters"]),
        "seed": about["seed"],
        "device": about["device"],
        "versions": json_value(about["versions"]),
        "models": _models(project, about),
        "images": image_provenance(project, about["image_set"]),
        "written_by": f"parallax-audit {analysis.__version__}",
    }


def _models(project: Project, about: Any) -> list[dict[str, Any]]:
    """The pair of a comparison with its sides, or the list of a run of many models."""
    sides = ["a", "b"] if about["model_a"] is not None else []
    names = project.run_models(about["id"])
    return [
        model_provenance(project, name, sides[place] if place < len(sides) else None)
        for place, name in enumerate(names)
    ]


def model_provenance(project: Project, name: str, side: str | None) -> dict[str, Any]:
    """A model of a run with what identifies it."""
    (row,) = project.rows("SELECT specification, weights_sha256 FROM model WHERE name = ?", (name,))
    return {
        "side": side,
        "name": name,
        "specification": without_folder(row["specification"]),
        "weights_sha256": row["weights_sha256"],
    }


def image_provenance(project: Project, image_set: int | None) -> dict[str, Any] | None:
    """An image set with one hash over the paths and contents of all its images."""
    if image_set is None:
        return None
    digest, amount = hashlib.sha256(), 0
    for path, sha256 in project.rows(
        "SELECT path, sha256 FROM image WHERE image_set = ? ORDER BY path", (image_set,)
    ):
        digest.update(f"{path}\x1f{sha256}\x1e".encode())
        amount += 1
    name = project.value("SELECT name FROM image_set WHERE id = ?", (image_set,))
    return {"name": name, "count": amount, "sha256": digest.hexdigest()}


def without_folder(specification: str) -> str:
    """A model's specification whose weights file is named without the folders of this machine."""
    architecture, at, weights = specification.partition("@")
    return architecture + at + weights.replace("\\", "/").rsplit("/", 1)[-1]


def json_value(text: str | None) -> Any:
    """The value of a JSON column, or None where it is empty or damaged."""
    try:
        return json.loads(text) if text else None
    except ValueError:
        return None


def file_metadata(
    provenance: Mapping[str, Any], title: str, format: str, of: str = ""
) -> dict[str, str | None]:
    """`provenance` as the metadata that `format` (svg, pdf or png) has room for.

    :param of: what the figure is made of; empty: the run that `provenance` names.

    The whole is JSON: in PNG the text chunk `Parallax`, in PDF the keywords, in SVG the
    description.
    """
    whole = json.dumps(provenance, sort_keys=True, ensure_ascii=True)
    program = str(provenance["written_by"])
    of = of or f"Run {provenance['run']}"
    about = f"{of} of the project {plain(provenance['project'])}"
    if format == "png":
        return {"Title": title, "Description": about, "Software": program, "Parallax": whole}
    if format == "pdf":
        return {
            "Title": title,
            "Subject": about,
            "Keywords": whole,
            "Creator": program,
            "CreationDate": None,
        }
    return {"Title": title, "Description": whole, "Creator": program, "Date": None}
