"""Taking images and models into a project."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.errors import AuditError
from analysis.progress import Progress
from analysis.project import Project

if TYPE_CHECKING:
    import torch

    from analysis.images.scanning import RejectedImage, ScannedImage
    from analysis.models.loading import LoadedModel

_BATCH = 500


def add_images(project: Project, name: str, source: Path, progress: Progress) -> int:
    """Scan an image folder or list into the project; returns the image set's id.

    Nothing is added if the scan is cancelled or finds no image.

    :raises AuditError: the name is taken, or there are no readable images.
    """
    from analysis.images.scanning import RejectedImage, open_source, scan

    check_new_name(project, "image_set", name, "image set")
    opened = open_source(source)
    image_set = project.add_image_set(name, opened.root, opened.kind)
    try:
        count = 0
        batch, rejected = [], []
        for found in scan(opened, progress):
            if isinstance(found, RejectedImage):
                rejected.append(found)
            else:
                batch.append(found)
                count += 1
            if len(batch) + len(rejected) >= _BATCH:
                _add_batch(project, image_set, batch, rejected)
                batch, rejected = [], []
        _add_batch(project, image_set, batch, rejected)
        if not count:
            reasons = project.rows(
                "SELECT path, reason FROM rejected_image WHERE image_set = ? LIMIT 1", (image_set,)
            )
            detail = f" {reasons[0]['path']}: {reasons[0]['reason']}" if reasons else ""
            raise AuditError(
                f"No image in “{source}” can be read.{detail}",
                "Choose a folder of JPEG, PNG, WebP, TIFF or BMP images.",
            )
    except BaseException:
        project.remove_image_set(image_set)
        raise
    return image_set


def add_labels(project: Project, name: str, source: Path, image_set: int | None = None) -> int:
    """Note a folder of label planes; returns its id.

    :raises AuditError: it is no folder with label planes, or what says their names is damaged.
    """
    from analysis.segmentation.broden import open_broden
    from analysis.segmentation.mask_names import read_names

    check_new_name(project, "label_plane_source", name, "label set")
    if not source.is_dir():
        raise AuditError(f"“{source}” is not a folder.", "Choose the folder of the label planes.")
    kind = "broden" if (source / "index.csv").is_file() else "masks"
    if kind == "broden":
        open_broden(source)
    else:
        read_names(source)
    return project.add_label_planes(name, source.absolute(), kind, image_set)


def add_model(
    project: Project,
    name: str,
    specification: str,
    progress: Progress,
    preprocessing: str | None = None,
) -> int:
    """Load a model, run it once to learn its layers and speed, and note it; returns its id.

    :param specification: `timm:ARCH[?key=value&…][@WEIGHTS]`, `torchvision:ARCH[@WEIGHTS]` or
        `sample:NAME`.
    :param preprocessing: JSON that replaces the model's own preprocessing.
    :raises AuditError: the name is taken, or the model cannot be loaded.
    """
    check_new_name(project, "model", name, "model")
    progress.report(0, 3, f"Loading {name}")
    from analysis.models.layers import default_layers, find_layers
    from analysis.models.loading import load_model
    from analysis.models.preprocessing import Preprocessing
    from analysis.models.specification import parse_specification

    parsed = parse_specification(specification)
    if parsed.weights and parsed.weights != "hub":
        weights = Path(parsed.weights).expanduser().absolute()
        if not weights.is_file():
            raise AuditError(
                f"There is no file “{weights}”.", "Check the path, or choose another file."
            )
        parsed = dataclasses.replace(parsed, weights=weights.as_posix())
    model = load_model(parsed)
    if preprocessing is not None:
        model = dataclasses.replace(model, preprocessing=Preprocessing.from_json(preprocessing))
    progress.report(1, 3, f"Finding the layers of {name}")
    layers = find_layers(model)
    progress.report(2, 3, f"Measuring the speed of {name}")
    seconds = _seconds_per_image(model)
    return project.add_model(
        name,
        model.specification.text,
        weights_sha256=model.weights_sha256,
        library=parsed.library,
        architecture=parsed.architecture,
        num_classes=model.num_classes,
        class_names=list(model.class_names or ()),
        preprocessing=model.preprocessing.to_json(),
        load_report=model.report.to_json(),
        seconds_per_image=seconds,
        layers=layers,
        spread=default_layers(layers, len(layers)),
    )


def _add_batch(
    project: Project,
    image_set: int,
    images: Sequence[ScannedImage],
    rejected: Sequence[RejectedImage],
) -> None:
    project.add_images(image_set, images)
    project.add_rejected_images(image_set, [(found.path, found.reason) for found in rejected])


def _seconds_per_image(model: LoadedModel) -> float:
    """Seconds a forward of one input takes here, from the quickest of three small batches."""
    import torch

    from analysis.models.preprocessing import to_model_input

    def inputs() -> Iterator[torch.Tensor]:
        pixels = torch.full((8, 3, 64, 64), 127, dtype=torch.uint8)
        batch = to_model_input(pixels, model.preprocessing, torch.device("cpu"))
        for _ in range(3):
            yield batch

    times = []
    for batch in inputs():
        started = time.perf_counter()
        model.run(batch)
        times.append((time.perf_counter() - started) / len(batch))
    return min(times)


def _with_article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def check_new_name(project: Project, table: str, name: str, what: str) -> None:
    """:raises AuditError: no name, too long a one, or one that the project has."""
    if not name.strip() or len(name) > 200:
        raise AuditError(f"The {what} needs a name of 1 to 200 characters.", "Choose a name.")
    if project.value(f"SELECT 1 FROM {table} WHERE name = ?", (name,)):  # a constant of ours
        raise AuditError(
            f"The project already has {_with_article(what)} called “{name}”.",
            "Choose another name.",
        )
