"""Profiles of models: units and concepts of each category (LCE paper, Fig. 4)."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QComboBox, QWidget

from analysis.figures.unit_data import Profiles
from analysis.figures.words import count
from app.theme import GRID, PADDING, font
from app.views.concept_profile_panel import ConceptProfilePanel
from app.views.embedding_columns import profile_columns
from app.widgets.bar_data import BarColumn, BarData, BarRow, upper_limit
from app.widgets.bar_table import BarTable
from app.widgets.category_marks import category_word
from app.widgets.empty_state import EmptyState
from app.widgets.figure_panel import FigurePanel
from app.widgets.group_marks import category_mark, group_mark
from app.widgets.splitter import Splitter
from app.widgets.table_twin import TableTwin

_EMPTY = "How many units of each model know an object, a part, a material, a colour …"
_PROFILES_SHARE = 0.55  # of the height, at most


class ProfilePanel(FigurePanel):
    """One row a model, one column a category; all units light, different concepts in full."""

    models_chosen = Signal(object)  # frozenset of names
    model_hovered = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        self.bars = BarTable("Profiles of models")
        empty = EmptyState(_EMPTY, "Dissect models…", "run dissection")
        super().__init__("profiles", "Profiles", self.bars, TableTwin("model"), empty, parent)
        self.data: Profiles | None = None
        self._selected: tuple[str, ...] = ()
        self._groups: dict[str, str] = {}
        self.which = self._combo("Which models", ("all models", "selected models"))
        self.scale = self._combo("Scale of the bars", ("one scale", "a scale a category"))
        assert self.table is not None
        for source in (self.bars.selection_changed, self.table.selection_changed):
            source.connect(self.models_chosen)
        for source in (self.bars.row_hovered, self.table.row_hovered):
            source.connect(self.model_hovered)

    def _combo(self, name: str, texts: tuple[str, ...]) -> QComboBox:
        combo = QComboBox()
        combo.setFont(font("small"))
        combo.setAccessibleName(name)
        combo.addItems(texts)
        combo.activated.connect(self._draw)
        self.controls.addWidget(combo)
        return combo

    # -- setters

    def show_profiles(self, data: Profiles | None) -> None:
        """Show the profiles, or the empty state."""
        self.data = data if data is not None and data.models else None
        self.show_content(self.data is not None)
        assert self.table is not None
        if self.data is None:
            self.table.set_columns([], [])
        else:
            self.table.set_columns(list(self.data.models), profile_columns(self.data))
        self._draw()

    def set_groups(self, groups: dict[str, str]) -> None:
        """The groups of the models, for the marks before their names."""
        if groups != self._groups:
            self._groups = groups
            self._draw()

    def set_models(self, models: tuple[str, ...]) -> None:
        """Mark the shared selection; if wanted, only it is shown."""
        self._selected = models
        assert self.table is not None
        self.table.set_selection(models)
        self._draw()

    def set_hover(self, model: str | None) -> None:
        self.bars.set_hover(model)

    # -- drawing

    def shown_models(self) -> tuple[str, ...]:
        """The models with bars, in order: by group, then as they came."""
        if self.data is None:
            return ()
        chosen = [m for m in self.data.models if m in set(self._selected)]
        if not chosen or self.which.currentIndex() == 0:
            chosen = list(self.data.models)
        return tuple(sorted(chosen, key=self._rank))

    def _rank(self, model: str) -> str:
        return self._groups.get(model) or "~"

    def _draw(self) -> None:
        data = self.data
        if data is None:
            self.bars.set_data(None)
            return
        models = self.shown_models()
        kept = [data.models.index(model) for model in models]
        rows = []
        for model in models:
            letter = self._groups.get(model, "")
            mark = group_mark(letter)
            sign, colour = (mark.sign, mark.colour) if letter else ("", "")
            rows.append(BarRow(model, model, "", sign, colour))
        columns = [self._column(data, place, kept) for place in range(len(data.categories))]
        self.bars.set_data(BarData(tuple(rows), tuple(columns), self._describe))
        self.bars.set_selection(frozenset(self._selected))
        self.set_note(
            "Light bar and first number: all units that know a concept. Full bar and second number:"
            f" different concepts. {count(len(kept), 'model')} of {len(data.models)}."
        )

    def _column(self, data: Profiles, place: int, kept: list[int]) -> BarColumn:
        units = data.all_units[kept, place].astype(float)
        concepts = data.unique_concepts[kept, place].astype(float)
        same = self.scale.currentIndex() == 0
        mark = category_mark(data.categories[place])
        word = category_word(data.categories[place])
        return BarColumn(
            title=word.capitalize(),
            values=units,
            texts=tuple(f"{a:,.0f} · {b:,.0f}" for a, b in np.stack([units, concepts], 1).tolist()),
            limits=(0.0, upper_limit(data.all_units[kept].astype(float) if same else units)),
            colour=mark.colour,
            sign=mark.sign,
            inner=concepts,
        )

    def _describe(self, model: Hashable) -> str:
        data = self.data
        if data is None or model not in data.models:
            return ""
        at = data.models.index(str(model))
        lines = [f"{model} · {data.layers[at]}: {count(int(data.units_total[at]), 'unit')}"]
        for place, category in enumerate(data.categories):
            units = count(int(data.all_units[at, place]), "unit")
            concepts = count(int(data.unique_concepts[at, place]), "concept")
            lines.append(f"{category_word(category)}: {units}, {concepts}")
        if data.not_counted[at]:
            lines.append(f"{count(int(data.not_counted[at]), 'unit')} not counted (dead or failed)")
        return "\n".join(lines)


class ProfilesTab(Splitter):
    """Categories of all models above, concepts of the models selected below."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Vertical, parent)
        self.profiles = ProfilePanel()
        self.concepts = ConceptProfilePanel()
        self._selected: tuple[str, ...] = ()
        self._pair: tuple[str, ...] = ()
        self._groups: dict[str, str] = {}
        for panel in (self.profiles, self.concepts):
            self.addWidget(panel)
        self.setChildrenCollapsible(False)
        self.setHandleWidth(PADDING)
        self._moved = False  # by hand: then it stays
        self.splitterMoved.connect(self._keep_sizes)

    def show_profiles(self, data: Profiles | None, groups: dict[str, str]) -> None:
        """Show profiles, with the groups that their models stand in."""
        self._groups = groups
        self.profiles.set_groups(groups)
        self.profiles.show_profiles(data)
        self.concepts.setVisible(self.profiles.data is not None)
        self._share_room()
        self.set_models(self._selected)

    def set_models(self, models: tuple[str, ...]) -> None:
        """Follow the shared selection of models."""
        self._selected = models
        self.profiles.set_models(models)
        self.concepts.set_about("" if models else "A and B, while no model is selected. ")
        self.concepts.show_profiles(self.profiles.data, models or self._pair, self._groups)

    def set_pair(self, models: tuple[str, ...]) -> None:
        """Whose concepts to show while no model is selected: those of A and B."""
        if models != self._pair:
            self._pair = models
            self.set_models(self._selected)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share_room()

    def _share_room(self) -> None:
        """Few models leave more room to their concepts."""
        if self._moved or self.profiles.data is None:
            return
        panel = self.profiles
        note = panel.note.heightForWidth(max(self.width(), 40))
        wanted = panel.head.sizeHint().height() + panel.bars.sizeHint().height() + note + 2 * GRID
        top = min(wanted, round(_PROFILES_SHARE * self.height()))
        self.setSizes([top, self.height() - top])

    def _keep_sizes(self) -> None:
        self._moved = True

    def set_hover(self, model: str | None) -> None:
        """Mark the model hovered in another view."""
        self.profiles.set_hover(model)
