"""Which models there are to choose from; no network is built and nothing is downloaded."""

from __future__ import annotations

from collections.abc import Sequence
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


def search(
    text: str, entries: Sequence[CatalogueEntry] | None = None, limit: int | None = 200
) -> tuple[CatalogueEntry, ...]:
    """The entries that have every word of `text` in their line, the closest first.

    Names that begin with the first word come before names that hold it; short before long.
    """
    words = text.lower().replace(":", " ").split()
    everything = catalogue() if entries is None else entries
    found = [
        entry
        for entry in everything
        if all(word in f"{entry.library} {entry.architecture}".lower() for word in words)
    ]
    if words:
        found.sort(
            key=lambda entry: (
                not entry.architecture.lower().startswith(words[-1]),
                len(entry.architecture),
                entry.architecture,
            )
        )
    return tuple(found[:limit])


def is_on_this_machine(entry: CatalogueEntry) -> bool:
    """Whether an entry's trained weights can be loaded without a network."""
    from analysis.models.hub import is_address_cached, is_cached

    if entry.library == "sample":
        return True
    if not entry.pretrained:
        return False
    if entry.library == "timm":
        from timm.models import get_pretrained_cfg

        configuration = get_pretrained_cfg(entry.architecture)
        return configuration is not None and is_cached(configuration.to_dict())
    from torchvision import models

    return is_address_cached(models.get_model_weights(entry.architecture).DEFAULT.url)
