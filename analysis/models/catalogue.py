"""Which models there are to choose from; no network is built and nothing is downloaded."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal


@dataclass(frozen=True)
class CatalogueEntry:
    """One choice in a list of models.

    `text`: its specification line. `pretrained`: the libraries name trained weights for it.
    `num_classes` 0: those weights have no classifier. `input_size`: pixels.
    """

    library: Literal["timm", "torchvision", "sample"]
    architecture: str
    pretrained: bool
    num_classes: int
    input_size: int
    weights: str = ""

    @property
    def text(self) -> str:
        """The specification line that loads this entry."""
        line = f"{self.library}:{self.architecture}"
        needs_asking = not self.pretrained and self.library != "sample"
        return f"{line}?pretrained=false" if needs_asking else line


@cache
def timm_entries() -> tuple[CatalogueEntry, ...]:
    """timm's classification models: every set of trained weights, then untrained architectures."""
    import timm
    from timm.models import get_pretrained_cfg

    entries = []
    for name in timm.list_models(include_tags=True):
        configuration = get_pretrained_cfg(name)
        if configuration is None:
            continue
        _, _, tag = name.partition(".")
        trained = bool(configuration.hf_hub_id or configuration.url)
        size = configuration.input_size[-1]
        entries.append(CatalogueEntry("timm", name, trained, configuration.num_classes, size, tag))
    return tuple(entries)


@cache
def torchvision_entries() -> tuple[CatalogueEntry, ...]:
    """torchvision's classification models, then its detectors, which are run as backbones."""
    from torchvision import models

    from analysis.models.detectors import detector_names, input_side

    entries = []
    for name in models.list_models(module=models):
        trained = getattr(models.get_model_weights(name), "DEFAULT", None)
        if trained is None:
            entries.append(CatalogueEntry("torchvision", name, False, 1000, 224))
            continue
        classes = len(trained.meta.get("categories", ())) or 1000
        size = trained.transforms.keywords.get("crop_size", 224)
        entries.append(
            CatalogueEntry("torchvision", name, True, classes, size, trained.name.lower())
        )
    for name in detector_names():
        trained = getattr(models.get_model_weights(name), "DEFAULT", None)
        tag = trained.name.lower() if trained is not None else ""
        entries.append(
            CatalogueEntry("torchvision", name, trained is not None, 0, input_side(name), tag)
        )
    return tuple(entries)


@cache
def sample_entries() -> tuple[CatalogueEntry, ...]:
    """The sample's own networks."""
    from analysis.models.sample_networks import INPUT_SIDE, sample_description, sample_names

    return tuple(
        CatalogueEntry(
            "sample", name, True, len(sample_description(name)["class_names"]), INPUT_SIDE
        )
        for name in sample_names()
    )


def catalogue() -> tuple[CatalogueEntry, ...]:
    """All models by library and name. The first call imports the libraries (seconds)."""
    return (*sample_entries(), *timm_entries(), *torchvision_entries())
