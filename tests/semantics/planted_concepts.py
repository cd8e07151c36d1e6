"""A project whose concepts are known, since they were pasted: patterns on pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from analysis import audits
from analysis.audits import intake
from analysis.progress import Progress
from analysis.project import Project
from analysis.project.concept_sets import ExampleBox
from analysis.semantics.space_similarity import SpaceSimilarity, space_similarity
from analysis.semantics.synthetic import PATTERNS, ConceptPixels, cut_region, paste, pattern

_COLOURS = (((0.9, 0.1, 0.1), (1.0, 1.0, 1.0)), ((0.1, 0.2, 0.8), (0.9, 0.9, 0.2)))
Region = tuple[Path, Path, int]  # picture, its label plane, a code of the plane


def pasted_patterns(pictures: Sequence[Path], side: int) -> dict[str, torch.Tensor]:
    """Every picture with one of the four patterns, in one of two pairs of colours."""
    images = torch.stack([read_square(picture, side) for picture in pictures])
    found = {}
    for place, kind in enumerate(PATTERNS):
        concepts = [pattern(kind, side // 2, colours) for colours in _COLOURS]
        chosen = images[place :: len(PATTERNS)]
        found[kind] = paste(chosen, concepts, size=(0.6, 0.9), seed=place).images
    return found


def pasted_regions(
    pictures: Sequence[Path], regions: Mapping[str, Sequence[Region]], side: int
) -> dict[str, torch.Tensor]:
    """Every picture with a thing cut out of another one: the kinds of things in turn."""
    images = torch.stack([read_square(picture, side) for picture in pictures])
    found = {}
    for place, (kind, places) in enumerate(regions.items()):
        concepts = [_cut(*one) for one in places]
        chosen = images[place :: len(regions)]
        found[kind] = paste(chosen, concepts, size=(0.6, 0.9), seed=place).images
    return found


def _cut(picture: Path, plane: Path, code: int) -> ConceptPixels:
    codes = np.asarray(Image.open(plane).convert("RGB")).astype(int)
    region = torch.from_numpy(codes[..., 0] + 256 * codes[..., 1] == code)
    image = Image.open(picture).convert("RGB").resize(region.shape[::-1])
    return cut_region(_tensor(image), region)


def planted_project(
    path: Path, kinds: Mapping[str, torch.Tensor], models: Mapping[str, str]
) -> Project:
    """A project of pictures of several kinds, and of models. Each kind is a concept of whole
    pictures; its negatives are the pictures of the others, so that it does not tell anything that
    something was pasted, but what alone."""
    folder = path.parent / "planted"
    folder.mkdir()
    for kind, images in kinds.items():
        for number, pixels in enumerate(images):
            values = (pixels * 255).round().byte().permute(1, 2, 0).numpy()
            Image.fromarray(values).save(folder / f"{number:03d} {kind}.png")
    project = Project.create(path, "planted")
    intake.add_images(project, "planted", folder, Progress())
    for name, specification in models.items():
        intake.add_model(project, name, specification, Progress())
    rows = project.rows("SELECT id, path, width, height FROM image ORDER BY path")
    boxes = {row["path"]: ExampleBox(row["id"], 0, 0, row["width"], row["height"]) for row in rows}
    for kind in kinds:
        within = [box for name, box in boxes.items() if name[4:] == f"{kind}.png"]
        without = [box for name, box in boxes.items() if name[4:] != f"{kind}.png"]
        number = project.add_concept_set(kind, "patches", examples=within)
        project.add_concept_examples(number, without, "negative")
    return project


def read_square(picture: Path, side: int) -> torch.Tensor:
    """The central square of a picture, (3, side, side) of 0…1."""
    image = Image.open(picture).convert("RGB")
    short = min(image.size)
    left, top = ((length - short) // 2 for length in image.size)
    return _tensor(image.crop((left, top, left + short, top + short)).resize((side, side)))


def _tensor(image: Image.Image) -> torch.Tensor:
    return torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1).float() / 255


def run_semantics(project: Project, first: str, second: str, **settings: Any) -> int:
    """A finished run of two models of a project."""
    parameters = audits.parse_parameters(audits.AUDITS["semantics"].parameters, settings)
    run = audits.create_run(project, "semantics", (first, second), parameters, device="cpu")
    audits.execute(project, run, Progress())
    return run


def separating(project: Project, run: int, model: str) -> dict[str, list[tuple[float, bool]]]:
    """Of each concept: accuracy and whether it separates, layer by layer."""
    rows = project.rows(
        "SELECT concept, accuracy, separates FROM concept_vector WHERE run = ? AND model = ?"
        " ORDER BY id",
        (run, model),
    )
    found: dict[str, list[tuple[float, bool]]] = {}
    for row in rows:
        found.setdefault(row["concept"], []).append((row["accuracy"], bool(row["separates"])))
    return found


def similarity_of_shuffled(project: Project, run: int, seed: int) -> SpaceSimilarity:
    """SFSS of a run once more, from its stored attributions, with the second model's shuffled."""
    sides = [torch.from_numpy(project.read_array(run, f"attribution/{side}")) for side in "ab"]
    usable = [torch.from_numpy(project.read_array(run, f"usable/{side}")).bool() for side in "ab"]
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(sides[1].shape[2], generator=generator)
    return space_similarity(sides[0], sides[1][:, :, order], *usable, permutations=200, seed=seed)
