"""Networks built from timm, torchvision or the sample, with their preprocessing and classes."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from analysis.errors import AuditError
from analysis.models.preprocessing import (
    PREPROCESSING_OPTIONS,
    Preprocessing,
    override_preprocessing,
    preprocessing_from_configuration,
)
from analysis.models.specification import HUB, ModelSpecification
from analysis.seeds import derive_seed

_OWN_OPTIONS = {*PREPROCESSING_OPTIONS, "seed"}


@dataclass(frozen=True)
class Network:
    """A network and what is known of it before any local weights are loaded.

    `head`: dotted names of the classifier's modules. `num_classes` 0: no classifier. `untrained`:
    the library's weights were asked for and could not be had, so the weights are random.
    `weights_sha256`: of the tensors, where they are known by another state than the present one.
    """

    module: nn.Module
    preprocessing: Preprocessing
    class_names: tuple[str, ...] | None
    num_classes: int
    head: tuple[str, ...]
    note: str = ""
    untrained: bool = False
    weights_sha256: str = ""


def build_network(specification: ModelSpecification, headless: bool = False) -> Network:
    """The network of a specification, on the CPU.

    Trained weights are put in only for `HUB` (timm, torchvision), the sample and exported
    networks; otherwise the weights are random, from the option `seed`. So they are for a detector
    whose weights cannot be reached: its backbone is of use without. `headless` leaves the
    classifier out.

    :raises AuditError: the architecture or an option is unknown, or the weights of the hub cannot
        be had.
    """
    builders = {
        "timm": _build_timm,
        "torchvision": _build_torchvision,
        "sample": _build_sample,
        "export": _build_exported,
        "onnx": _build_exported,
    }
    seed = derive_seed(
        int(specification.option("seed", 0)), "untrained", specification.architecture
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return builders[specification.library](specification, headless)


def _network_options(specification: ModelSpecification) -> dict[str, Any]:
    return {name: value for name, value in specification.options if name not in _OWN_OPTIONS}


def _build_timm(specification: ModelSpecification, headless: bool) -> Network:
    import timm
    from timm.data import resolve_model_data_config
    from timm.models import get_pretrained_cfg, is_model

    name = specification.architecture
    architecture, _, tag = name.partition(".")
    if not is_model(architecture):
        raise _unknown("timm", architecture, timm.list_models())
    try:
        configuration = get_pretrained_cfg(name if tag else architecture, allow_unregistered=False)
    except RuntimeError:  # the architecture exists, its tag does not
        configuration = None
    if configuration is None:
        raise _unknown("timm", name, timm.list_pretrained(f"{architecture}*"))
    options = _network_options(specification)
    if headless:
        options["num_classes"] = 0
    note = _allow_input_size(specification, configuration.fixed_input_size,
                             configuration.input_size, options)  # fmt: skip
    if specification.weights == HUB:
        from analysis.models.hub import hub_weights

        settings = configuration.to_dict()
        _check_hub_classes(options.get("num_classes"), configuration.num_classes, name)
        tensors = hub_weights(settings, name)
        options |= {"pretrained": True, "pretrained_cfg_overlay": {"state_dict": tensors}}
    module = _call(timm.create_model, name, options)
    getattr(module, "pretrained_cfg", {}).pop("state_dict", None)  # a second copy of the weights
    num_classes = int(getattr(module, "num_classes", 0) or 0)
    heads = configuration.classifier or ()
    data = resolve_model_data_config(module)
    if "img_size" in options and "input" not in dict(specification.options):
        data["input_size"] = (3, *_pair(options["img_size"]))
    return Network(
        module,
        preprocessing_from_configuration(data, dict(specification.options)),
        _imagenet_names(num_classes) if num_classes == configuration.num_classes else None,
        num_classes,
        (heads,) if isinstance(heads, str) else tuple(heads),
        note,
    )


def _allow_input_size(
    specification: ModelSpecification,
    fixed: bool,
    usual: tuple[int, int, int],
    options: dict[str, Any],
) -> str:
    """Let a transformer with learned positions take the input size that the options ask for."""
    wanted = specification.option("input")
    if wanted is None or not fixed or _pair(wanted) == tuple(usual[1:]):
        return ""
    if "img_size" in options or options.get("dynamic_img_size"):
        return ""
    import timm

    try:
        with torch.device("meta"):  # shapes alone: nothing is computed
            timm.create_model(specification.architecture, **options, dynamic_img_size=True)
    except TypeError:
        return ""
    options["dynamic_img_size"] = True
    return "The position embeddings are interpolated to the chosen input size."


def _check_hub_classes(wanted: Any, trained: int, name: str) -> None:
    if wanted not in (None, 0, trained):
        raise AuditError(
            f"The trained weights of {name} tell {trained} classes apart, not {wanted}.",
            f"Leave num_classes out, or give weights with {wanted} classes (…@FILE).",
        )


def _build_torchvision(specification: ModelSpecification, headless: bool) -> Network:
    from torchvision import models

    from analysis.models.detectors import detector_names

    name = specification.architecture
    names = models.list_models(module=models)
    if name in detector_names():
        return _build_detector(specification)
    if name not in names:
        raise _unknown("torchvision", name, [*names, *detector_names()])
    trained = getattr(models.get_model_weights(name), "DEFAULT", None)
    meta = trained.meta if trained is not None else {}
    options = _network_options(specification)
    wanted = options.get("num_classes")
    headless = headless or wanted == 0
    if wanted == 0:
        del options["num_classes"]
    build = models.get_model_builder(name)
    module = _call(lambda _, **rest: build(weights=None, **rest), name, options)
    preprocessing = override_preprocessing(
        _torchvision_preprocessing(trained), dict(specification.options)
    )
    if specification.weights == HUB:
        _check_hub_classes(wanted, len(meta.get("categories", ())), name)
        _load_torchvision(module, trained, name)
    num_classes = wanted or len(meta.get("categories", ())) or 1000
    needs_head = headless or specification.weights_path is not None
    head = find_classifier(module, preprocessing) if needs_head else ()
    if headless:
        remove_classifier(module, head)
        num_classes = 0
    categories = meta.get("categories")
    return Network(
        module,
        preprocessing,
        _unique(categories) if categories and len(categories) == num_classes else None,
        num_classes,
        head,
    )


def _build_detector(specification: ModelSpecification) -> Network:
    from analysis.models.checkpoints import tensors_sha256
    from analysis.models.detectors import build_detector, put_hub_weights, settle_normalisations
    from analysis.models.hub import UnreachableWeightsError

    name = specification.architecture
    module, preprocessing, others = build_detector(name, _network_options(specification))
    notes = ["The detector's backbone alone is run; it gives no boxes."]
    untrained = False
    if specification.weights == HUB:
        try:
            put_hub_weights(module, name)
        except UnreachableWeightsError as error:
            untrained = True
            notes.insert(0, error.summary)
    # Taken before: statistics of a forward differ in their last digits between machines.
    sha256 = tensors_sha256(module.state_dict())
    if untrained or specification.weights is None:
        settle_normalisations(module, preprocessing)
    return Network(
        module,
        override_preprocessing(preprocessing, dict(specification.options)),
        None,
        0,
        others,
        " ".join(notes),
        untrained,
        sha256,
    )


def _build_exported(specification: ModelSpecification, headless: bool) -> Network:
    from analysis.models.exported import build_exported

    module, preprocessing, note = build_exported(specification)
    return Network(module, preprocessing, None, 0, (), note)


def _torchvision_preprocessing(trained: Any) -> Preprocessing:
    if trained is None:
        return Preprocessing()
    preset = trained.transforms()
    return Preprocessing(
        height=preset.crop_size[0],
        width=preset.crop_size[-1],
        resize=preset.resize_size[0],
        interpolation=preset.interpolation.value,
        mean=tuple(preset.mean),
        std=tuple(preset.std),
    )


def _load_torchvision(module: nn.Module, trained: Any, name: str) -> None:
    from analysis.models.checkpoints import read_tensors
    from analysis.models.hub import cached_download

    if trained is None:
        raise AuditError(f"There are no trained weights for {name}.", "Give a weights file.")
    tensors = read_tensors(cached_download(trained.url, name))
    own = module.state_dict()
    try:
        module.load_state_dict({key: tensors[key] for key in own if key in tensors}, strict=True)
    except RuntimeError as error:
        raise AuditError(f"The hub's weights do not fit {name}.", str(error)) from error


def _build_sample(specification: ModelSpecification, headless: bool) -> Network:
    from analysis.models.sample_networks import build_sample_network

    module, settings, class_names = build_sample_network(specification.architecture)
    names = tuple(class_names) if class_names else None
    return Network(
        module,
        override_preprocessing(Preprocessing(**settings), dict(specification.options)),
        names,
        int(getattr(module, "num_classes", len(names or ()))),
        (),
    )


def find_classifier(module: nn.Module, preprocessing: Preprocessing) -> tuple[str, ...]:
    """Dotted names of the modules whose output is the network's output, by running it once."""
    from analysis.models.heads import plan_head
    from analysis.models.probing import probe

    return plan_head(probe(module.eval(), preprocessing)).modules


def remove_classifier(module: nn.Module, head: tuple[str, ...]) -> None:
    """Put an identity in the classifier's place (average pooling for a convolutional one)."""
    for name in head:
        classifier = module.get_submodule(name)
        convolutional = any(isinstance(part, nn.Conv2d) for part in classifier.modules())
        rest = nn.AdaptiveAvgPool2d(1) if convolutional else nn.Identity()
        parent, _, own = name.rpartition(".")
        module.get_submodule(parent).add_module(own, rest)


def _call(create: Any, name: str, options: Mapping[str, Any]) -> nn.Module:
    try:
        return create(name, **options).eval()
    except AuditError:
        raise
    # The constructors of some thousand architectures answer a wrong option in many ways.
    except Exception as error:
        message = str(error).split("\n")[0]
        raise AuditError(
            f"{name} cannot be built with these options: {message}",
            "Check the options of the specification: "
            + ", ".join(option for option in options if not option.startswith("pretrained")),
        ) from error


def _unknown(library: str, name: str, names: list[str]) -> AuditError:
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    return AuditError(
        f"{library} has no architecture “{name}”.",
        f"Did you mean {', '.join(near)}?" if near else "Look it up in the list of models.",
    )


def _imagenet_names(num_classes: int) -> tuple[str, ...] | None:
    """Names of ImageNet's classes in the trained order, by the size of the label set."""
    from timm.data import ImageNetInfo, infer_imagenet_subset

    subset = infer_imagenet_subset({"num_classes": num_classes})
    if subset is None:
        return None
    labels = ImageNetInfo(subset)
    descriptions = [labels.index_to_description(index) for index in range(num_classes)]
    return _unique([description.split(",")[0].strip() for description in descriptions])


def _unique(names: list[str]) -> tuple[str, ...]:
    """Two classes can share a name (ImageNet has two cranes): their number tells them apart."""
    counts = Counter(names)
    return tuple(
        f"{name} ({index})" if counts[name] > 1 else name for index, name in enumerate(names)
    )


def _pair(value: Any) -> tuple[int, int]:
    sides = tuple(value) if isinstance(value, tuple | list) else (value, value)
    return sides[0], sides[-1]
