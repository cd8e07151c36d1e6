"""Label planes by a semantic segmentation model of Hugging Face transformers (an optional extra).

Any model of `AutoModelForSemanticSegmentation` (SegFormer, UPerNet, BEiT, DPT, MobileViT, …) with
its weights as safetensors. Nothing is downloaded unless that is asked for, no code that comes with
a model is run, and no pickle is read.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from analysis.errors import AuditError
from analysis.images.frames import Frame
from analysis.segmentation.planes import (
    UNLABELLED_NAMES,
    LabelConcept,
    PlaneImage,
    PlaneReading,
    clean_name,
    number_concepts,
)

if TYPE_CHECKING:
    import torch

_IMAGES_PER_FORWARD = {"cpu": 2, "mps": 4, "cuda": 16}
_LARGEST_SIDE = 2048  # of what the model's own transform is given
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+(@[\w./-]+)?")
_FILES = ("config.json", "preprocessor_config.json", "*.safetensors", "*.safetensors.index.json")
_HINT = (
    "Choose a folder that save_pretrained wrote (config.json, preprocessor_config.json,"
    " model.safetensors), or a model of the Hugging Face hub as OWNER/NAME."
)


class SegmenterPlanes:
    """What a segmentation model sees in each image: one plane, of the names its configuration
    gives. Names such as background or void mean that a pixel shows nothing.

    The model sees the frame cut from the original pixels, so that small things keep their detail,
    through its own transform; its scores are brought to the grid bilinearly, and the best name
    taken there. It is loaded when the first image is segmented: planes that are kept need none.

    :param model: a local folder, or a model of the hub as OWNER/NAME[@REVISION].
    :param device: `cpu`, `cuda` or `mps`.
    :param category: of all its names.
    :param allow_download: whether the hub may be asked for a model that is not on this machine.
    :raises AuditError: if transformers is missing, the model cannot be found, has no safetensors
        or is no segmentation model.
    """

    needs_picture = True
    planes_per_image = 1

    def __init__(
        self,
        model: str | Path,
        device: str = "cpu",
        category: str = "object",
        allow_download: bool = False,
    ) -> None:
        _library()
        self._name = str(model)
        self._device = device
        self._folder = _find(model, allow_download)
        names = _label_names(self._folder, self._name)
        kept = {k: n for k, n in names.items() if n.lower() not in UNLABELLED_NAMES}
        if not kept:
            raise AuditError(f"The model {self._name} names no concept.", _HINT)
        self.concepts, codes = number_concepts(LabelConcept(n, category) for n in kept.values())
        self._codes = np.zeros(max(names) + 1, dtype=np.int32)
        for label, name in kept.items():
            self._codes[label] = codes[LabelConcept(name, category)]
        self.key = _content_key(self._folder, category)
        self._processor = _load_processor(self._folder, self._name)
        self._model: torch.nn.Module | None = None

    @property
    def batch(self) -> int:
        """How many images to give at once."""
        return _IMAGES_PER_FORWARD.get(self._device.partition(":")[0], 2)

    def read(
        self, image: PlaneImage, frame: Frame, resolution: int, picture: Image.Image | None
    ) -> PlaneReading:
        """As `PlaneSource.read`; `prepare` and `segment` are quicker for many images."""
        if picture is None:
            raise AuditError("The image cannot be read, so it cannot be segmented.")
        return PlaneReading(self.segment([self.prepare(picture, frame)], resolution))

    def prepare(self, picture: Image.Image, frame: Frame) -> torch.Tensor:
        """The model's input (3, height, width) for the frame of an upright RGB image."""
        options: dict[str, Any] = {"return_tensors": "pt"}
        if getattr(self._processor, "do_center_crop", False):
            options["do_center_crop"] = False  # the frame is cut already
        if getattr(self._processor, "do_resize", True):
            square = _square(picture, frame)
        else:
            square = Image.fromarray(frame.apply(picture))
        return self._processor(images=square, **options)["pixel_values"][0]

    def segment(self, inputs: Sequence[torch.Tensor], resolution: int) -> np.ndarray:
        """The planes of a batch: int32 (images, resolution, resolution).

        :param inputs: from `prepare`.
        :raises AuditError: if the model cannot be loaded, or fails.
        """
        import torch

        if len({tuple(one.shape) for one in inputs}) > 1:
            return np.concatenate([self.segment([one], resolution) for one in inputs])
        try:
            with torch.inference_mode():
                labels = self._best(torch.stack(list(inputs)), resolution)
        except torch.cuda.OutOfMemoryError as error:
            if len(inputs) == 1:
                raise AuditError(
                    "The graphics card has too little memory for the segmentation model.",
                    "Run on the CPU, or choose a smaller model.",
                ) from error
            torch.cuda.empty_cache()
            half = len(inputs) // 2
            parts = [self.segment(part, resolution) for part in (inputs[:half], inputs[half:])]
            return np.concatenate(parts)
        return self._codes[labels]

    def close(self) -> None:
        """Forget the weights; they are loaded again when they are needed."""
        self._model = None

    def _best(self, batch: torch.Tensor, resolution: int) -> np.ndarray:
        import torch

        if self._model is None:
            self._model = _load_model(self._folder, self._name).to(self._device)
        scores = getattr(self._model(pixel_values=batch.to(self._device)), "logits", None)
        if scores is None or scores.dim() != 4 or scores.shape[1] > len(self._codes):
            raise AuditError(
                f"The model {self._name} gives no scores for the names of its configuration.",
                "Choose a semantic segmentation model.",
            )
        grid = torch.nn.functional.interpolate(
            scores.float(), (resolution, resolution), mode="bilinear", align_corners=False
        )
        if not bool(torch.isfinite(grid).all()):
            raise AuditError(
                f"The model {self._name} gives scores that are not numbers.",
                "Its weights are damaged, or it is not made for images of this kind.",
            )
        return grid.argmax(1).cpu().numpy()


def _square(picture: Image.Image, frame: Frame) -> Image.Image:
    """The pixels of the original under the frame, as an exact square."""
    x, y, wide, high = frame.region(picture.width, picture.height)
    side = min(wide, high)
    if side > _LARGEST_SIDE or max(wide, high) > side + 1:
        side = min(max(wide, high), _LARGEST_SIDE)
        box = (x, y, x + wide, y + high)
        return picture.resize((side, side), Image.Resampling.BILINEAR, box=box)
    return picture.crop((x, y, x + side, y + side))


def _library() -> ModuleType:
    try:
        library = importlib.import_module("transformers")
    except ImportError as error:
        raise AuditError(
            "Segmentation models need the package transformers, which is not installed.",
            'Install it with: pip install "parallax-audit[segmentation]"',
        ) from error
    # Its bars and remarks would stand between our own lines on standard error.
    library.utils.logging.disable_progress_bar()
    library.utils.logging.set_verbosity_error()
    return library


def _find(model: str | Path, allow_download: bool) -> Path:
    """The folder of a model, downloaded if need be and allowed."""
    folder = Path(model)
    if folder.is_dir():
        return folder
    if isinstance(model, Path) or _REPOSITORY.fullmatch(model) is None:
        raise AuditError(f"There is no segmentation model at “{model}”.", _HINT)
    from huggingface_hub import constants, snapshot_download

    repository, _, revision = model.partition("@")
    wanted: dict[str, Any] = {"revision": revision or None, "allow_patterns": list(_FILES)}
    try:
        return Path(snapshot_download(repository, local_files_only=True, **wanted))
    except Exception as error:  # many kinds, by the client's version
        if not allow_download:
            raise AuditError(
                f"The segmentation model {model} is not on this machine.",
                "Allow it to be downloaded, or choose a local folder.",
            ) from error
    from analysis.models.hub import check_online

    check_online(constants.ENDPOINT, model)
    try:
        return Path(snapshot_download(repository, **wanted))
    except Exception as error:  # many kinds, by transport and version
        raise AuditError(
            f"The segmentation model {model} did not arrive from the hub: {error}",
            "Check its name and the network, or choose a local folder.",
        ) from error


def _label_names(folder: Path, name: str) -> dict[int, str]:
    """The name of each of the model's outputs."""
    library = _library()
    try:
        config = library.AutoConfig.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
        names = {int(label): clean_name(str(text)) for label, text in config.id2label.items()}
    except Exception as error:  # OSError, ValueError, KeyError and others, by what is wrong
        raise _unusable(name, error) from error
    if not names or min(names) < 0 or max(names) > 65_535:
        raise AuditError(f"The configuration of {name} has no names of labels.", _HINT)
    return names


def _load_processor(folder: Path, name: str) -> Any:
    try:
        return _library().AutoImageProcessor.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
    except Exception as error:
        raise AuditError(
            f"The transform of the segmentation model {name} cannot be read.",
            "Its folder needs preprocessor_config.json (the processor's save_pretrained writes"
            " it).",
        ) from error


def _load_model(folder: Path, name: str) -> torch.nn.Module:
    try:
        model, report = _library().AutoModelForSemanticSegmentation.from_pretrained(
            folder,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            output_loading_info=True,
        )
    except Exception as error:
        raise _unusable(name, error) from error
    missing = sorted(report["missing_keys"])
    if missing:  # transformers would fill these with random numbers
        raise AuditError(
            f"The model {name} lacks trained weights for segmentation ({missing[0]} and"
            f" {len(missing) - 1:,} more).",
            "Choose a model that was trained for semantic segmentation.",
        )
    return model.float().eval().requires_grad_(False)


def _unusable(name: str, error: Exception) -> AuditError:
    reason = clean_name(str(error))
    return AuditError(f"{name} cannot be used as a segmentation model: {reason}", _HINT)


def _content_key(folder: Path, category: str) -> str:
    """Of the weights, the configuration and the transform.

    :raises AuditError: if the folder has no safetensors.
    """
    weights = sorted(folder.glob("*.safetensors"))
    if not weights:
        raise AuditError(
            f"There are no weights as safetensors in “{folder}”.",
            "Weights in other formats can hold code and are not read; convert them with"
            " save_pretrained(…, safe_serialization=True).",
        )
    digest = hashlib.sha256(json.dumps(["segmenter", category]).encode())
    for file in [*weights, folder / "config.json", folder / "preprocessor_config.json"]:
        if file.is_file():
            with open(file, "rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()
