"""A made-up analysis that needs no torch, and the contents of a real project file for it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtGui import QColor, QImage

from analysis.audits.parameters import parameter, parameter_fields, parse_parameters
from analysis.audits.plan import Estimate
from analysis.errors import AuditError
from analysis.progress import Progress
from analysis.project import Project
from app.backend import Backend
from tests.app.made_results import (
    FakeDissectionParameters,
    FakeEmbeddingParameters,
    FakeEvaluationParameters,
    add_list_run,
    commit_list_unit,
)
from tests.app.made_saliency import FakeSaliencyParameters, make_explanation
from tests.app.made_semantics import FakeSemanticsParameters, semantic_results

CLASSES = ("bird", "mammal", "vehicle")
LAYERS = ("stem", "block1", "block2", "penultimate")
MODELS = ("Lite0", "Lite2", "SqueezeNet")
COMPONENTS = 3
WAIT = 10_000


@dataclass(frozen=True)
class FakeLayer:
    name: str
    position: int
    kind: str = "activation"
    shape: tuple[int, ...] = (8, 4, 4)
    channels: int = 8
    depth: float = 0.0


@dataclass(frozen=True)
class FakeImage:
    path: str
    label: str
    width: int
    height: int
    split: str | None = None
    sha256: str = "0" * 64
    size_bytes: int = 100


@dataclass(frozen=True)
class FakeParameters:
    components: int = parameter(3, "Concepts of each class", minimum=1, maximum=50)
    penalty: float = parameter(0.1, "Penalty of the regression", minimum=0.0, maximum=10.0)
    group_by: str = parameter("label", "How images are grouped", choices=("label", "prediction"))
    stability: bool = parameter(True, "Whether to repeat the factorisation")
    layer_a: str = parameter("penultimate", "Layer of model A")
    layer_b: str = parameter("penultimate", "Layer of model B")


@dataclass(frozen=True)
class FakeAudit:
    name: str
    title: str
    description: str
    parameters: type = FakeParameters
    least_models: int = 2
    most_models: int | None = 2
    takes_images: bool = True
    takes_weights: bool = True

    @property
    def takes_pair(self) -> bool:
        return self.most_models == 2


AUDITS = {
    audit.name: audit
    for audit in (
        FakeAudit("concepts", "Concepts", "Concepts that one model cannot predict."),
        FakeAudit("layers", "Layers", "Similarity of layers."),
        FakeAudit("dissection", "Dissection", "Units.", FakeDissectionParameters, 1, None),
        FakeAudit("evaluation", "Evaluation", "Accuracy.", FakeEvaluationParameters, 1, None),
        FakeAudit(
            "embedding", "Embedding", "Models.", FakeEmbeddingParameters, 2, None, False, False
        ),
        FakeAudit("saliency", "Saliency", "Where models look.", FakeSaliencyParameters, 1, None),
        FakeAudit("semantics", "Semantics", "What is alike.", FakeSemanticsParameters),
    )
}


class FakeBackend(Backend):
    """The real project file and figure readers; everything that would need torch is made up."""

    def __init__(self) -> None:
        self.gate = threading.Event()  # closed: a run waits before its second unit
        self.gate.set()
        self.gate_of_pictures = self.gate
        self.fail_with: BaseException | None = None
        self.executed: list[int] = []
        self.specifications: list[str] = []
        self.explained: list[tuple[Path | int, tuple[str, ...]]] = []

    def wait_at_gate(self, progress: Progress, gate: threading.Event | None = None) -> None:
        while not (gate or self.gate).wait(0.005):
            progress.check_cancelled()

    def audits(self) -> Mapping[str, Any]:
        return AUDITS

    def parameter_fields(self, audit: str) -> tuple[Any, ...]:
        return parameter_fields(AUDITS[audit].parameters)

    def parse_parameters(self, audit: str, values: Mapping[str, str]) -> Any:
        return parse_parameters(AUDITS[audit].parameters, values)

    def estimate(
        self,
        project: Project,
        audit: str,
        models: Sequence[str],
        parameters: Any,
        image_set: int | None,
    ) -> Estimate:
        components = getattr(parameters, "components", 1)
        if components == 13:
            raise AuditError("Thirteen components cannot be found.", "Take fewer.")
        return Estimate(1000 * components, 75.0, 3_000_000, len(CLASSES), ("a note",))

    def create_run(
        self,
        project: Project,
        audit: str,
        models: Sequence[str],
        parameters: Any,
        image_set: int | None,
        device: str,
    ) -> int:
        if not AUDITS[audit].takes_pair:
            return add_list_run(project, audit, models, dataclasses.asdict(parameters))
        return add_pending_run(project, audit, *models, dataclasses.asdict(parameters))

    def device_of(self, project: Project, run: int) -> str:
        return "a fake processor"

    def execute(
        self,
        project: Project,
        run: int,
        progress: Progress,
        on_unit: Callable[[int, str], None] | None = None,
    ) -> None:
        self.executed.append(run)
        project.set_run_state(run, "running")
        audit = project.value("SELECT audit FROM run WHERE id = ?", (run,))
        states = project.unit_states(run)
        try:
            for position, (name, state) in enumerate(states.items()):
                progress.report(position, len(states), f"Finding concepts of {name}")
                if state == "done":
                    continue
                if position == 1:
                    self.wait_at_gate(progress)
                if self.fail_with is not None:
                    raise self.fail_with
                if AUDITS[audit].takes_pair:
                    commit_class(project, run, name)
                else:
                    commit_list_unit(project, run, audit, name)
                if on_unit is not None:
                    on_unit(run, name)
        except AuditError:
            project.set_run_state(run, "failed")
            raise
        except BaseException:
            project.set_run_state(run, "cancelled")
            raise
        project.set_run_state(run, "done")

    def add_images(self, project: Project, name: str, source: Path, progress: Progress) -> int:
        if self.fail_with is not None:
            raise self.fail_with
        number = project.add_image_set(name, source, "flat folder")
        project.add_images(number, [FakeImage("one.png", "bird", 10, 10)])
        return number

    def add_model(
        self,
        project: Project,
        name: str,
        specification: str,
        progress: Progress,
        preprocessing: str | None = None,
    ) -> int:
        if self.fail_with is not None:
            raise self.fail_with
        self.specifications.append(specification)
        return add_model(project, name, specification)

    def explain_picture(
        self, project: Project, source: Path | int, models: Sequence[str], progress: Progress
    ) -> Any:
        self.wait_at_gate(progress, self.gate_of_pictures)
        if self.fail_with is not None:
            raise self.fail_with
        names = tuple(models) or MODELS
        self.explained.append((source, names))
        return make_explanation(source, names, progress)

    def check_specification(self, text: str) -> str:
        if ":" not in text or text.startswith("wrong:"):
            raise AuditError(f"“{text}” is no model specification.", "Write library:architecture.")
        return text

    def model_catalogue(self) -> tuple[str, ...]:
        return ("timm:resnet18", "timm:resnet50", "torchvision:alexnet")

    def open_sample(self, path: Path) -> Project:
        return Project.open(path) if path.exists() else Project.create(path, "sample")

    def fill_sample(self, project: Project, progress: Progress) -> list[int]:
        add_contents(project, Path(project.path).parent)
        return [
            add_pending_run(project, "concepts", "Lite0", "Lite2", {}),
            add_pending_run(project, "layers", "Lite0", "Lite2", {}),
        ]


def add_model(project: Project, name: str, specification: str = "timm:resnet18") -> int:
    layers = [FakeLayer(layer, i, depth=i / 3) for i, layer in enumerate(LAYERS)]
    return project.add_model(
        name=name,
        specification=specification,
        weights_sha256="0" * 64,
        library="timm",
        architecture="resnet18",
        num_classes=3,
        class_names=list(CLASSES),
        preprocessing={"width": 224, "height": 224},
        load_report={"left_out": ["head.weight"], "missing": [], "note": "The head was left out."},
        seconds_per_image=0.01,
        layers=layers,
    )


def add_contents(project: Project, folder: Path) -> None:
    """Three models and six small pictures."""
    pictures = folder / "pictures"
    images = []
    for number, label in enumerate(CLASSES * 2):
        target = pictures / label / f"{number}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        picture = QImage(60, 40, QImage.Format.Format_RGB32)
        picture.fill(QColor.fromHsv(number * 50, 200, 200))
        assert picture.save(str(target))
        data = target.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        name = f"{label}/{number}.png"
        images.append(FakeImage(name, label, 60, 40, sha256=digest, size_bytes=len(data)))
    number = project.add_image_set("scenes", pictures, "class folders")
    project.add_images(number, images)
    project.add_rejected_images(number, [("broken.jpg", "The file ends too early.")])
    for name in MODELS:
        add_model(project, name)


def add_pending_run(
    project: Project, audit: str, model_a: str, model_b: str, parameters: Mapping[str, Any]
) -> int:
    return project.add_run(
        audit,
        f"{audit} {model_a}",
        {"layer_a": "penultimate", "layer_b": "penultimate", **parameters},
        model_a=model_a,
        model_b=model_b,
        image_set=project.value("SELECT min(id) FROM image_set"),
        units=CLASSES,
    )


def commit_class(project: Project, run: int, name: str) -> None:
    """Results of one class, as the audits write them."""
    about = project.row("SELECT * FROM run WHERE id = ?", (run,))
    assert about is not None
    if about["audit"] == "layers":
        project.commit_unit(run, name, {}, {}, [], 0.1)
        rows = [
            {
                "model_a": about["model_a"],
                "layer_a": a,
                "model_b": about["model_b"],
                "layer_b": b,
                "mmcs_pearson": 0.9 - 0.2 * abs(i - j) + 0.01 * i,
                "mmcs_spearman": 0.5,
                "cka": 0.6,
                "ci_low": 0.2,
                "ci_high": 0.95,
                "null_95": 0.1,
                "classes": 1,
            }
            for i, a in enumerate(LAYERS)
            for j, b in enumerate(LAYERS)
        ]
        project.replace_results(run, {"layer_similarity": rows})
        return
    if about["audit"] == "semantics":
        rows, arrays = semantic_results(project, about, CLASSES.index(name))
        project.commit_unit(run, name, rows, arrays, [("zebra", "Too few examples.")], 0.1)
        return
    rows, arrays = _concept_rows(project, about, name)
    project.commit_unit(run, name, rows, arrays, [("broken.jpg", "damaged")], 0.1)


def _concept_rows(
    project: Project, about: Any, name: str
) -> tuple[dict[str, list[dict[str, Any]]], dict[str, np.ndarray]]:
    images = [row["id"] for row in project.rows("SELECT id FROM image WHERE label = ?", (name,))]
    generator = np.random.default_rng(0)
    tables: dict[str, list[dict[str, Any]]] = {
        "concept": [], "concept_similarity": [], "replacement": [], "patch": [],
    }  # fmt: skip
    arrays: dict[str, np.ndarray] = {
        f"class/{name}/image": np.repeat(np.array(images, np.int64), 2),
        f"class/{name}/box": np.tile(
            np.array([[0, 0, 20, 20], [20, 10, 20, 20]], np.int32), (2, 1)
        ),
    }
    for side, other in (("a", "b"), ("b", "a")):
        model, predictor = about[f"model_{side}"], about[f"model_{other}"]
        layer = json.loads(about["parameters"])[f"layer_{side}"]
        real = generator.random((4, COMPONENTS)).astype(np.float32)
        arrays[f"class/{name}/{side}/real"] = real
        arrays[f"class/{name}/{side}/predicted"] = real * 0.5
        for concept in range(COMPONENTS):
            shared = {"side": side, "class": name, "concept": concept}
            pair = {**shared, "target_model": model, "predictor_model": predictor}
            value = 0.2 + 0.25 * concept
            tables["concept"].append(
                {**shared, "model": model, "layer": layer, "importance": 0.1 + concept / 4,
                 "reconstruction_error": 0.1, "stability": 0.9, "method": "nmf"}
            )  # fmt: skip
            tables["concept_similarity"].append(
                {**pair, "cmcs_pearson": value, "cmcs_spearman": value, "ci_low": value - 0.1,
                 "ci_high": value + 0.1, "smcs_pearson": 0.95, "mcs_pearson": 0.5,
                 "null_95": 0.12, "nonzero_weights": 4, "n_images": 20}
            )  # fmt: skip
            tables["replacement"].append(
                {**pair, "delta_pearson": 1 - value, "l2": 0.5, "kl": 0.1, "match_accuracy": 0.9}
            )
            tables["patch"] += [
                {**pair, "kind": kind, "rank": rank, "image": image, "x": 10, "y": 5, "width": 20,
                 "height": 20, "coefficient": 1.5, "predicted": 0.5}
                for kind in ("top", "under", "over")
                for rank, image in enumerate(images)
            ]  # fmt: skip
    return tables, arrays
