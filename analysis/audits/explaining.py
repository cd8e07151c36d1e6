"""Explaining one picture at once, outside of any run: all methods of all models of a project."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from analysis.audits.registry import audit_definition
from analysis.audits.runner import package_versions, suitable_models
from analysis.audits.saliency import SaliencyParameters
from analysis.errors import AuditError
from analysis.figures.saliency_data import (
    OUTSIDE,
    AttentionDepth,
    Cell,
    ExplainedBy,
    Explanation,
    ExplanationOrigin,
    MethodInfo,
    SaliencyIndex,
    SaliencyMap,
)
from analysis.figures.saliency_words import method_info, settings_words
from analysis.images.frames import Frame

if TYPE_CHECKING:
    import torch

    from analysis.progress import Progress
    from analysis.project import Project
    from analysis.saliency.maps import Maps

Region = tuple[int, int, int, int]


@dataclass(frozen=True)
class _Picture:
    """What is explained: the square the models see, and where it lies in the picture."""

    image: int
    name: str
    label: str | None
    sha256: str
    pixels: np.ndarray
    region: Region


@dataclass(frozen=True)
class _ModelMaps:
    """All maps of one model."""

    by: ExplainedBy
    methods: dict[str, MethodInfo]
    maps: tuple[SaliencyMap, ...]
    depth: AttentionDepth | None
    refused: tuple[tuple[str, str, str], ...]


def explain_picture(
    project: Project,
    source: Path | int,
    progress: Progress,
    models: Sequence[str] = (),
    methods: str = "",
    target: str = "predicted",
    device: str = "auto",
) -> Explanation:
    """Maps of a picture by every method that each model has what it needs for.

    :param source: a file, or the id of an image of the project.
    :param models: by name; empty: all that have a network.
    :param methods: as in the parameters of the audit `saliency`.
    :param target: predicted, label, or the name of a class.
    :raises AuditError: the picture cannot be read, or not one model can be run.
    :raises Cancelled: when `progress` is cancelled.
    """
    from analysis.devices import choose_device

    parameters = SaliencyParameters(methods=methods, target=target)
    names = tuple(models) or tuple(suitable_models(project, audit_definition("saliency")))
    if not names:
        raise AuditError("The project has no model that could be run.", "Add a model first.")
    picture = _read_picture(project, source, parameters)
    place = choose_device(device)
    found: dict[str, _ModelMaps] = {}
    problems: list[tuple[str, str]] = []
    for done, name in enumerate(names):
        progress.report(done, len(names), f"Explaining {picture.name} by {name}")
        try:
            found[name] = _explain_by(project, name, picture, parameters, place, progress)
        except AuditError as error:
            problems.append((name, str(error)))
    if not found:
        raise AuditError(
            f"“{picture.name}” could not be explained by any model.",
            f"{problems[0][0]}: {problems[0][1]}",
        )
    progress.report(len(names), len(names), f"{picture.name} explained")
    maps = tuple(one for model in found.values() for one in model.maps)
    return Explanation(
        picture.name,
        picture.pixels,
        _index(picture, found, parameters),
        maps,
        tuple(model.depth for model in found.values() if model.depth is not None),
        tuple(problems),
        ExplanationOrigin(
            picture.sha256,
            {name: getattr(parameters, name) for name in ("target", "methods", "resize", "frame")},
            tuple(model.by for model in found.values()),
            str(place),
            package_versions(),
        ),
    )


def _read_picture(project: Project, source: Path | int, parameters: SaliencyParameters) -> _Picture:
    from analysis.images.decoding import decode_image, hash_file

    if isinstance(source, Path):
        number, name, label, file = OUTSIDE, source.name, None, source
    else:
        row = project.row("SELECT path, label FROM image WHERE id = ?", (source,))
        if row is None:
            raise AuditError(f"The project has no image {source}.", "Choose another image.")
        found = project.resolve_image(source)
        if found is None:
            raise AuditError(
                f"“{row['path']}” is no longer where it was.",
                "Put the image folder back in its place, or relocate the images.",
            )
        number, name, label, file = source, Path(row["path"]).name, row["label"], found
    image = decode_image(file)
    frame = Frame(parameters.resize, parameters.frame)
    region = frame.region(image.width, image.height)
    return _Picture(number, name, label, hash_file(file), frame.apply(image), region)


def _explain_by(
    project: Project,
    name: str,
    picture: _Picture,
    parameters: SaliencyParameters,
    device: torch.device,
    progress: Progress,
) -> _ModelMaps:
    from analysis.audits.project_models import load_project_model, model_input
    from analysis.audits.saliency_head import output_names
    from analysis.audits.saliency_maps import (
        attention_of,
        target_classes,
        usable_methods,
    )
    from analysis.saliency.explanation import explain
    from analysis.saliency.maps import min_max

    model = load_project_model(project, name, device)
    usable, refused = usable_methods(model, parameters)
    batch = model_input(model, picture.pixels[None], device)
    names = output_names(model)
    if parameters.target == "label" and picture.label is None:
        raise AuditError("The picture has no label.", "Explain the predicted class, or name one.")
    classes = target_classes(parameters.target, names, [picture.label])
    if classes is not None and classes[0] < 0:
        raise AuditError(
            f"The model has no class “{picture.label}”.", "Explain the predicted class."
        )
    given = None if classes is None else classes.tolist()
    maps = explain(
        model, batch, usable, given, check=lambda _done, _total: progress.check_cancelled()
    )
    scores = model.run(batch).softmax(1)[0] if model.num_classes else None
    found = tuple(
        _as_map(Cell(picture.image, name, label), one, picture.region, names, scores, batch)
        for label, one in maps.items()
    )
    kept = attention_of(model, batch)
    depth = None
    if kept is not None:
        heads = min_max(kept.values[0]).cpu().numpy()
        depth = AttentionDepth(picture.image, name, kept.layers, heads, picture.region)
    methods = {label: method_info(label) for label, one in maps.items()}
    lacking = tuple((name, title, reason) for title, reason in refused)
    return _ModelMaps(_explained_by(project, name), methods, found, depth, lacking)


def _explained_by(project: Project, name: str) -> ExplainedBy:
    row = project.row("SELECT specification, weights_sha256 FROM model WHERE name = ?", (name,))
    assert row is not None  # the model has just been loaded by it
    return ExplainedBy(name, row["specification"], row["weights_sha256"])


def _as_map(
    cell: Cell,
    maps: Maps,
    region: Region,
    names: tuple[str, ...],
    scores: torch.Tensor | None,
    batch: torch.Tensor,
) -> SaliencyMap:
    from analysis.faithfulness.ranking import rank_pixels

    code = None if maps.classes is None else int(maps.classes[0])
    return SaliencyMap(
        cell,
        maps.values[0].cpu().numpy(),
        region,
        maps.layer,
        "" if code is None else names[code],
        float("nan") if code is None or scores is None else float(scores[code]),
        float(rank_pixels(maps.values, *batch.shape[-2:]).tied[0]),
        maps.notes[0],
    )


def _index(
    picture: _Picture, found: dict[str, _ModelMaps], parameters: SaliencyParameters
) -> SaliencyIndex:
    order = [one.label for one in parameters.chosen_methods()]
    known = {label: info for model in found.values() for label, info in model.methods.items()}
    methods = tuple(known[label] for label in order if label in known)
    available = np.array(
        [[[info.label in model.methods for info in methods] for model in found.values()]]
    )
    said = {name: getattr(parameters, name) for name in ("target", "resize", "frame")}
    return SaliencyIndex(
        run=0,
        models=tuple(found),
        methods=methods,
        images=np.array([picture.image], dtype=np.int64),
        image_names=(picture.name,),
        image_labels=(picture.label or "",),
        available=available,
        layers={
            (one.cell.model, one.cell.method): one.layer
            for model in found.values()
            for one in model.maps
        },
        depth_models=tuple(name for name, model in found.items() if model.depth is not None),
        steps=0,
        settings=settings_words(said, 0),
        refused=tuple(one for model in found.values() for one in model.refused),
    )
