"""The one door from the window to the analysis. Everything behind it is imported on first use.

The window starts without torch, timm or scikit-learn: the modules behind this door are imported
in the thread that first needs them. Tests give the window another object of the same shape.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.native_libraries import load_native_libraries
from analysis.progress import Progress
from analysis.project import Project
from app.backend_export import ExportBackend
from app.backend_planting import PlantingBackend
from app.backend_relocation import RelocationBackend
from app.backend_report import ReportBackend
from app.backend_slices import SliceBackend


@dataclass(frozen=True)
class EmbeddingData:
    """What the embedding's view shows of one run; see `analysis.figures.embedding_data`."""

    points: Any
    loadings: Any
    profile_correlation: Any
    performance_correlation: Any
    groups: Any
    stability: Any
    tasks: tuple[str, ...]


class Backend(ExportBackend, PlantingBackend, SliceBackend, RelocationBackend, ReportBackend):
    """Opens projects, plans and runs audits, reads figures; see the modules it calls."""

    # -- projects ------------------------------------------------------------------------------
    def create_project(self, path: Path) -> Project:
        return Project.create(path)

    def open_project(self, path: Path, read_only: bool = False) -> Project:
        return Project.open(path, read_only=read_only)

    def accelerator_memory(self) -> tuple[int, int] | None:
        """Bytes in use and in all of the GPU, if one is at work."""
        from analysis.devices import accelerator_memory

        return accelerator_memory()

    def open_sample(self, path: Path) -> Project:
        from analysis.audits import sample

        return sample.open_sample_project(path)

    def fill_sample(self, project: Project, progress: Progress) -> list[int]:
        """Add what the sample project lacks; returns its unfinished runs in their order."""
        from analysis.audits import sample

        load_native_libraries()
        return sample.fill_sample_project(project, progress)

    def salvage(self, damaged: Path, into: Path) -> Any:
        from analysis.project import salvage

        return salvage.salvage(damaged, into)

    # -- image sets and models -----------------------------------------------------------------
    def add_images(self, project: Project, name: str, source: Path, progress: Progress) -> int:
        from analysis.audits import intake

        return intake.add_images(project, name, source, progress)

    def add_model(
        self,
        project: Project,
        name: str,
        specification: str,
        progress: Progress,
        preprocessing: str | None = None,
    ) -> int:
        from analysis.audits import intake

        load_native_libraries()
        return intake.add_model(project, name, specification, progress, preprocessing)

    def add_labels(self, project: Project, name: str, source: Path, image_set: int | None) -> int:
        """Note a folder of label planes; returns its id."""
        from analysis.audits import intake

        return intake.add_labels(project, name, source, image_set)

    def check_specification(self, text: str) -> str:
        """The canonical form of a model specification; raises `AuditError` if it is wrong."""
        from analysis.audits import model_choices

        load_native_libraries()
        return model_choices.check_specification(text)

    def model_catalogue(self) -> tuple[str, ...]:
        """Specifications of every architecture that can be added, as `timm:resnet50`."""
        from analysis.audits import model_choices

        load_native_libraries()
        return model_choices.model_catalogue()

    # -- tables --------------------------------------------------------------------------------
    def preview_table(self, path: Path, model: str | None) -> Any:
        """What a CSV holds: units of models, or performance. Nothing is written.

        :raises AuditError: it is neither; the reasons of both readings.
        """
        from analysis.audits import table_preview

        return table_preview.preview_table(path, model)

    def import_table(self, project: Project, kind: str, path: Path, model: str | None) -> Any:
        """Take a table of the kind `dissection` or `performance` into the project."""
        from analysis.audits import imports

        if kind == "performance":
            return imports.import_performance(project, path)
        return imports.import_dissection(project, path, model)

    # -- audits --------------------------------------------------------------------------------
    def audits(self) -> Mapping[str, Any]:
        from analysis.audits import AUDITS

        return AUDITS

    def parameter_fields(self, audit: str) -> tuple[Any, ...]:
        from analysis import audits

        return audits.parameter_fields(audits.AUDITS[audit].parameters)

    def parse_parameters(self, audit: str, values: Mapping[str, str]) -> Any:
        from analysis import audits

        return audits.parse_parameters(audits.AUDITS[audit].parameters, values)

    def estimate(
        self,
        project: Project,
        audit: str,
        models: Sequence[str],
        parameters: Any,
        image_set: int | None,
    ) -> Any:
        from analysis import audits

        load_native_libraries()
        return audits.estimate(project, audit, models, parameters, image_set)

    def create_run(
        self,
        project: Project,
        audit: str,
        models: Sequence[str],
        parameters: Any,
        image_set: int | None,
        device: str,
    ) -> int:
        from analysis import audits

        load_native_libraries()
        return audits.create_run(
            project, audit, models, parameters, image_set=image_set, device=device
        )

    def device_of(self, project: Project, run: int) -> str:
        """What a run will be carried out on, in words; leaves one core to the window."""
        from analysis.devices import choose_device, describe_device, limit_threads

        load_native_libraries()
        limit_threads()
        wanted = project.value("SELECT device FROM run WHERE id = ?", (run,))
        return describe_device(choose_device(wanted or "auto"))

    def execute(
        self,
        project: Project,
        run: int,
        progress: Progress,
        on_unit: Callable[[int, str], None] | None = None,
    ) -> None:
        """Run or resume an audit."""
        from analysis import audits

        audits.execute(project, run, progress, on_unit)

    # -- figures -------------------------------------------------------------------------------
    def layer_similarity(self, project: Project, run: int, measure: str) -> Any:
        from analysis.figures import readers

        return readers.layer_similarity(project, run, measure)

    def concept_points(self, project: Project, run: int) -> Any:
        from analysis.figures import readers

        return readers.concept_points(project, run)

    def concept_detail(self, project: Project, concept: int) -> Any:
        from analysis.figures import readers

        return readers.concept_detail(project, concept)

    def replacement_points(self, project: Project, run: int) -> Any:
        from analysis.figures import readers

        return readers.replacement_points(project, run)

    def run_classes(self, project: Project, run: int) -> tuple[str, ...]:
        from analysis.figures import readers

        return readers.run_classes(project, run)

    # -- figures of units and of the embedding -------------------------------------------------
    def unit_table(self, project: Project, run: int) -> Any:
        from analysis.figures import unit_readers

        return unit_readers.unit_table(project, run)

    def unit_detail(self, project: Project, unit: int) -> Any:
        from analysis.figures import unit_readers

        return unit_readers.unit_detail(project, unit)

    def unit_details(self, project: Project, units: Sequence[int]) -> Mapping[int, Any]:
        """Several units with their images, by id."""
        from analysis.figures import unit_readers

        return {d.unit_id: d for d in unit_readers.unit_details(project, units)}

    def threshold_sweep(self, project: Project, run: int) -> Any:
        from analysis.figures import unit_readers

        return unit_readers.threshold_sweep(project, run)

    def profiles(self, project: Project, run: int) -> Any:
        from analysis.figures import unit_readers

        return unit_readers.profiles(project, run)

    def embedding(self, project: Project, run: int) -> EmbeddingData:
        """Everything about an embedding that changes with its run alone."""
        from analysis.figures import embedding_readers as readers

        return EmbeddingData(
            points=readers.embedding_points(project, run),
            loadings=readers.embedding_loadings(project, run),
            profile_correlation=readers.correlation_matrix(project, run, "profile"),
            performance_correlation=readers.correlation_matrix(project, run, "performance"),
            groups=readers.group_choice(project, run),
            stability=readers.stability(project, run),
            tasks=readers.performance_table(project).tasks,
        )

    def performance_surface(
        self, project: Project, run: int, task: str, components: tuple[int, int]
    ) -> Any:
        from analysis.figures import embedding_readers

        return embedding_readers.performance_surface(project, run, task, *components)

    def concept_counts(
        self, project: Project, run: int, concept: str, category: str, component: int
    ) -> Any:
        from analysis.figures import embedding_readers

        return embedding_readers.concept_counts(project, run, concept, category, component)

    def ensemble_tasks(
        self, project: Project, runs: Sequence[int]
    ) -> tuple[int | None, tuple[str, ...]]:
        """The first of these runs that has ensembles, and the tasks it has them in.

        Imported performance has none: they need the predictions.
        """
        from analysis.figures import embedding_readers

        for run in runs:
            tasks = embedding_readers.ensemble_tasks(project, run)
            if tasks:
                return run, tasks
        return None, ()

    def ensemble_gains(self, project: Project, run: int, task: str) -> Any:
        from analysis.figures import embedding_readers

        return embedding_readers.ensemble_gains(project, run, task)

    # -- saliency ------------------------------------------------------------------------------
    def saliency_index(self, project: Project, run: int) -> Any:
        from analysis.figures import saliency_readers

        return saliency_readers.saliency_index(project, run)

    def saliency_maps(self, project: Project, run: int, cells: Sequence[Any]) -> Mapping[Any, Any]:
        from analysis.figures import saliency_readers

        return saliency_readers.saliency_maps(project, run, cells)

    def attention_depth(self, project: Project, run: int, image: int, model: str) -> Any:
        from analysis.figures import saliency_readers

        return saliency_readers.attention_depth(project, run, image, model)

    def faithfulness_summary(self, project: Project, run: int) -> Any:
        from analysis.figures import saliency_readers

        return saliency_readers.faithfulness_summary(project, run)

    def faithfulness_comparisons(self, project: Project, run: int) -> Any:
        from analysis.figures import saliency_readers

        return saliency_readers.faithfulness_comparisons(project, run)

    def saliency_curves(self, project: Project, run: int, cells: Sequence[Any]) -> Any:
        from analysis.figures import saliency_readers

        return saliency_readers.saliency_curves(project, run, cells)

    def step_picture(self, project: Project, run: int, cell: Any, kind: Any, step: int) -> Any:
        """The image at one step of insertion or deletion."""
        from analysis.figures import saliency_readers

        return saliency_readers.step_picture(project, run, cell, kind, step)

    def find_saliency(self, project: Project, image: int, models: Sequence[str]) -> int | None:
        """The newest run with maps of an image for all of these models."""
        from analysis.figures import saliency_readers

        return saliency_readers.find_saliency(project, image, models)

    def picture_suffixes(self) -> tuple[str, ...]:
        from analysis.audits import pictures

        return pictures.PICTURE_SUFFIXES

    def check_picture(self, path: Path) -> None:
        """Read a picture to its end; raises `AuditError` if it cannot be explained."""
        from analysis.audits import pictures

        pictures.check_picture(path)

    def explain_picture(
        self, project: Project, source: Path | int, models: Sequence[str], progress: Progress
    ) -> Any:
        """Explain a picture or an image of the project by all methods; without models, by all."""
        from analysis.audits import explaining
        from analysis.devices import limit_threads

        load_native_libraries()
        limit_threads()
        return explaining.explain_picture(project, source, models=tuple(models), progress=progress)

    # -- semantics -----------------------------------------------------------------------------
    def semantics_index(self, project: Project, run: int) -> Any:
        from analysis.figures import semantics_readers

        return semantics_readers.semantics_index(project, run)

    def space_similarity(self, project: Project, run: int, concept: str) -> Any:
        """SFSS of all layers for a concept; empty: the mean of all."""
        from analysis.figures import semantics_readers

        return semantics_readers.space_similarity(project, run, concept)

    def separability(self, project: Project, run: int, models: Sequence[str]) -> tuple[Any, ...]:
        """One for each of these models of the run."""
        from analysis.figures import semantics_readers

        return tuple(semantics_readers.separability(project, run, model) for model in models)

    def tcav_scores(self, project: Project, run: int, model: str, layer: str) -> Any:
        from analysis.figures import semantics_readers

        return semantics_readers.tcav_scores(project, run, model, layer)

    def mask_similarity(self, project: Project, run: int, layer_a: str, layer_b: str) -> Any:
        from analysis.figures import semantics_readers

        return semantics_readers.mask_similarity(project, run, layer_a, layer_b)

    def projected_masks(
        self,
        project: Project,
        run: int,
        layers: tuple[str, str],
        concepts: tuple[int, int],
        images: Sequence[int],
    ) -> Any:
        """Where a concept of each side is in these images."""
        from analysis.figures import semantics_readers

        (layer_a, layer_b), (concept_a, concept_b) = layers, concepts
        return semantics_readers.projected_masks(
            project, run, layer_a, concept_a, layer_b, concept_b, images
        )

    def concept_sets(self, project: Project) -> Any:
        from analysis.figures import semantics_readers

        return semantics_readers.concept_sets(project)

    def concept_examples(self, project: Project, concept_set: int) -> Any:
        from analysis.figures import semantics_readers

        return semantics_readers.concept_examples(project, concept_set)

    def label_names(self, project: Project) -> tuple[tuple[str, str], ...]:
        """Name and category of every label of the project's label planes."""
        from analysis.audits import label_names

        return label_names.label_names(project)
