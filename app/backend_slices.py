"""The part of the door to the analysis that narrows results to a slice of the images.

Slices are named by their ids; the readers find their images in the thread that reads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from analysis.project import Project


class SliceBackend:
    """Reads of slices, and of results over one of them."""

    # -- slices --------------------------------------------------------------------------------
    def slice_images(self, project: Project, image_slice: int) -> frozenset[int]:
        """The ids of a slice's images; none where it is gone."""
        return project.slice_images(image_slice)

    def slice_sources(self, project: Project) -> Any:
        """What slices can be made by."""
        from analysis.figures import slice_making

        return slice_making.slice_sources(project)

    def chosen_images(self, project: Project, recipe: Any) -> Any:
        """The images that a recipe of `analysis.figures.slice_making` gives."""
        from analysis.figures import slice_making

        return slice_making.chosen_images(project, recipe)

    # -- results over a slice ------------------------------------------------------------------
    def sliced_points(self, project: Project, run: int, image_slice: int) -> Any:
        from analysis.figures import slice_concepts, slices

        chosen = slices.slice_choice(project, image_slice)
        return slice_concepts.sliced_points(project, run, chosen)

    def sliced_detail(self, project: Project, concept: int, image_slice: int) -> Any:
        from analysis.figures import slice_concepts, slices

        chosen = slices.slice_choice(project, image_slice)
        return slice_concepts.sliced_detail(project, concept, chosen)

    def sliced_unit(self, project: Project, unit: int, image_slice: int) -> Any:
        return self.sliced_units(project, (unit,), image_slice)[unit]

    def sliced_units(
        self, project: Project, units: Sequence[int], image_slice: int
    ) -> Mapping[int, Any]:
        """Several units with those of their images that are in a slice, by id."""
        from analysis.figures import slice_units, slices

        chosen = slices.slice_choice(project, image_slice)
        return {d.unit_id: d for d in slice_units.sliced_units(project, units, chosen)}

    def sliced_saliency(self, project: Project, run: int, image_slice: int) -> Any:
        from analysis.figures import slice_saliency, slices

        return slice_saliency.sliced_index(project, run, slices.slice_choice(project, image_slice))

    def sliced_faithfulness(self, project: Project, run: int, image_slice: int) -> tuple[Any, Any]:
        """The summary and the paired tests of a run over a slice."""
        from analysis.figures import slice_saliency, slices

        chosen = slices.slice_choice(project, image_slice)
        return slice_saliency.sliced_faithfulness(project, run, chosen)

    def sliced_curves(
        self, project: Project, run: int, cells: Sequence[Any], image_slice: int
    ) -> Any:
        """As `saliency_curves`; the means are of the slice's images."""
        from analysis.figures import saliency_readers, slices

        chosen = slices.slice_choice(project, image_slice)
        return saliency_readers.saliency_curves(project, run, cells, chosen)

    def sliced_semantics(self, project: Project, run: int, image_slice: int) -> Any:
        from analysis.figures import slice_semantics, slices

        chosen = slices.slice_choice(project, image_slice)
        return slice_semantics.sliced_semantics(project, run, chosen)

    def sliced_masks(
        self, project: Project, run: int, layer_a: str, layer_b: str, image_slice: int
    ) -> Any:
        from analysis.figures import slice_semantics, slices

        chosen = slices.slice_choice(project, image_slice)
        return slice_semantics.sliced_masks(project, run, layer_a, layer_b, chosen)

    def sliced_performance(self, project: Project, image_slice: int) -> tuple[Any, Any]:
        """Performance over a slice, and that over all images."""
        from analysis.figures import agreement, embedding_readers, slices

        chosen = slices.slice_choice(project, image_slice)
        whole = embedding_readers.performance_table(project)
        return agreement.sliced_performance(project, chosen), whole
