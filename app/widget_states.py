"""What the controls of a view are set to, as plain JSON values, and setting them again as by hand.

Only what is on the screen counts: what lies in a hidden tab decides nothing that is seen. A control
is known by the names of what it lies in and by its own (its object name, else its accessible name
or its text), so that a state outlives changes of a view; what has no place any more is left alone.
A stored state is not trusted: a value that fits no control is left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any, NamedTuple

from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractScrollArea,
    QAbstractSpinBox,
    QComboBox,
    QDoubleSpinBox,
    QLineEdit,
    QSlider,
    QSpinBox,
    QTabBar,
    QTabWidget,
    QToolButton,
    QWidget,
)

from analysis.figures.saliency_data import Cell
from app.scroll_states import read_scroll, write_scroll
from app.views.saliency_curves import SaliencyCurvesPanel
from app.views.saliency_grid import SaliencyGrid
from app.views.unit_grid import UnitGrid
from app.widgets.bar_table import BarTable
from app.widgets.figure_panel import FigurePanel
from app.widgets.heat_canvas import HeatCanvas
from app.widgets.heatmap import Heatmap
from app.widgets.image_grid import ImageGrid
from app.widgets.plot_canvas import PlotCanvas
from app.widgets.scatter_3d import Scatter3D
from app.widgets.table_twin import TableTwin

_MOST_ITEMS = 2000  # selected in one grid
_MOST_ENTRIES = 2000  # of a stored state
_SIZE_STEPS = 20


class Part(NamedTuple):
    """One control of a view and how to read and set it."""

    key: str
    widget: QWidget
    read: Callable[[Any], Any]
    write: Callable[[Any, Any], bool]
    last: bool  # set once everything else stands, as the part of a plot that is seen


def read(root: QWidget) -> dict[str, Any]:
    """The state of every control on the screen, by its name."""
    found = {part.key: part.read(part.widget) for part in _parts(root)}
    return {key: value for key, value in found.items() if value is not None}


def restore(root: QWidget, state: object) -> bool:
    """Set what is on the screen as it was; whether anything had to be set.

    To be called again while it returns True and data still come: what one control shows may depend
    on another one, or on what is being read. Zoomed parts are set once nothing else has to be.
    """
    if not isinstance(state, Mapping) or len(state) > _MOST_ENTRIES:
        return False
    parts = [part for part in _parts(root) if part.key in state]
    changed = False
    for part in parts:
        if not part.last and _visible(part.widget, root):
            changed |= _set(part, state[part.key])
    if not changed:
        for part in parts:
            if part.last:
                _set(part, state[part.key])
    return changed


def _set(part: Part, value: object) -> bool:
    if part.read(part.widget) == value:
        return False
    try:
        return part.write(part.widget, value)
    except (TypeError, ValueError, KeyError, IndexError, OverflowError):
        return False  # somebody else has written that file


def _visible(widget: QWidget, root: QWidget) -> bool:
    """Whether it is (still) on the screen: setting one control may hide another one."""
    return widget.isVisibleTo(root)


# -- walking -----------------------------------------------------------------------------------
def _parts(root: QWidget) -> Iterator[Part]:
    seen: dict[str, int] = {}
    for path, widget in _walk(root, ""):
        for kind, reader, writer, last in _KINDS:
            if isinstance(widget, kind):
                key = f"{path}:{kind.__name__}"
                seen[key] = seen.get(key, 0) + 1
                unique = key if seen[key] == 1 else f"{key}#{seen[key]}"
                yield Part(unique, widget, reader, writer, last)


def _walk(widget: QWidget, path: str) -> Iterator[tuple[str, QWidget]]:
    for child in widget.children():
        if not isinstance(child, QWidget) or child.isWindow() or child.isHidden():
            continue
        inside = "/".join(part for part in (path, _name(child)) if part)
        yield inside, child
        if not isinstance(child, _CLOSED):
            yield from _walk(child, inside)
        elif isinstance(child, TableTwin):
            yield f"{inside}/rows", child.table


def _name(widget: QWidget) -> str:
    if isinstance(widget, FigurePanel):
        return widget.figure
    parent = widget.parentWidget()
    tabs = parent.parentWidget() if parent is not None else None
    if isinstance(tabs, QTabWidget) and tabs.indexOf(widget) >= 0:
        return tabs.tabText(tabs.indexOf(widget))
    own = widget.objectName()
    if own and not own.startswith("qt_"):
        return own
    if widget.accessibleName():
        return widget.accessibleName()
    return widget.text() if isinstance(widget, QAbstractButton) else ""


# -- ordinary controls -------------------------------------------------------------------------
def _read_combo(combo: QComboBox) -> str | None:
    return combo.currentText() if combo.count() else None


def _write_combo(combo: QComboBox, value: object) -> bool:
    place = combo.findText(value) if isinstance(value, str) else -1
    if place < 0:
        return False
    combo.setCurrentIndex(place)
    combo.activated.emit(place)  # views follow choices by hand
    return True


def _read_button(button: QAbstractButton) -> bool | None:
    if not button.isCheckable():
        return None
    group = button.group()
    exclusive = button.autoExclusive() or (group is not None and group.exclusive())
    return None if exclusive and not button.isChecked() else button.isChecked()


def _write_button(button: QAbstractButton, value: object) -> bool:
    if not isinstance(value, bool) or not button.isCheckable() or not button.isEnabled():
        return False
    button.click()
    return button.isChecked() == value


def _read_menu(button: QToolButton) -> dict[str, bool] | None:
    menu = button.menu()
    actions = menu.actions() if menu is not None else []
    return {one.text(): one.isChecked() for one in actions if one.isCheckable()} or None


def _write_menu(button: QToolButton, value: object) -> bool:
    menu = button.menu()
    wanted = value if isinstance(value, Mapping) else {}
    changed = False
    for action in menu.actions() if menu is not None else ():
        state = wanted.get(action.text())
        if isinstance(state, bool) and action.isCheckable() and action.isChecked() != state:
            action.trigger()
            changed = True
    return changed


def _read_number(box: QSlider | QSpinBox | QDoubleSpinBox) -> float | int:
    return box.value()


def _write_number(box: QSlider | QSpinBox | QDoubleSpinBox, value: object) -> bool:
    if not _is_number(value):
        return False
    before = box.value()
    box.setValue(value if isinstance(box, QDoubleSpinBox) else round(value))  # type: ignore[arg-type, call-overload]
    return box.value() != before


def _read_text(edit: QLineEdit) -> str | None:
    return None if edit.isReadOnly() else edit.text()


def _write_text(edit: QLineEdit, value: object) -> bool:
    if not isinstance(value, str) or edit.isReadOnly():
        return False
    edit.setText(value[: edit.maxLength()])
    edit.textEdited.emit(edit.text())
    return True


def _read_tab(tabs: QTabWidget) -> str:
    return tabs.tabText(tabs.currentIndex())


def _write_tab(tabs: QTabWidget, value: object) -> bool:
    for place in range(tabs.count()):
        if tabs.tabText(place) == value and tabs.isTabVisible(place):
            tabs.setCurrentIndex(place)
            return True
    return False


# -- tables, bars and grids --------------------------------------------------------------------
def _read_table(twin: TableTwin) -> dict[str, Any]:
    model, header = twin.model, twin.table.horizontalHeader()
    section = header.sortIndicatorSection()
    filters = model.filters
    by = model.columns[section].key if 0 <= section < len(model.columns) else None
    down = header.sortIndicatorOrder() == Qt.SortOrder.DescendingOrder
    return {
        "focus": _plain_id(twin.focus()),
        "limits": {key: list(limits) for key, limits in filters.limits.items()},
        "marked": twin.marked_only.isChecked(),
        "sort": None if by is None else [by, down],
        "text": filters.text,
    }


def _write_table(twin: TableTwin, value: object) -> bool:
    if not isinstance(value, Mapping):
        return False
    before = _read_table(twin)
    _sort(twin, value.get("sort"))
    text, limits = value.get("text"), value.get("limits")
    if isinstance(text, str) and text != before["text"]:
        twin.search.setText(text[:1000])
    if isinstance(limits, Mapping) and limits != before["limits"]:
        _limit(twin, limits)
    twin.apply_filters()
    marked = value.get("marked")
    if isinstance(marked, bool):
        twin.marked_only.setChecked(marked)
    focus = _id(value.get("focus"))
    if focus is not None and focus != twin.focus() and twin.model.row_of(focus) >= 0:
        twin.set_focus(focus)
        twin.row_focused.emit(focus)
    return _read_table(twin) != before


def _sort(twin: TableTwin, value: object) -> None:
    keys = [column.key for column in twin.model.columns]
    if value is None:
        twin.table.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
    elif isinstance(value, list) and len(value) == 2 and value[0] in keys:
        orders = Qt.SortOrder
        order = orders.DescendingOrder if value[1] is True else orders.AscendingOrder
        twin.table.sortByColumn(keys.index(value[0]), order)


def _limit(twin: TableTwin, wanted: Mapping[object, object]) -> None:
    for column in twin.model.columns:
        limits = wanted.get(column.key)
        if not column.is_number:
            continue
        ends = limits if isinstance(limits, list) and len(limits) == 2 else (None, None)
        low, high = (_number(end) for end in ends)
        twin.model.set_limits(column.key, low, high)
    twin.show_limits()


def _read_bars(bars: BarTable) -> Any:
    return _plain_id(bars.focus())


def _write_bars(bars: BarTable, value: object) -> bool:
    focus = _id(value)
    if focus is None or all(row.id != focus for row in bars.data.rows):
        return False
    bars.set_focus(focus)
    bars.row_focused.emit(focus)
    return True


def _read_images(grid: ImageGrid) -> list[Any] | None:
    chosen = [_plain_id(one) for one in grid.selected()]
    return chosen[:_MOST_ITEMS]


def _write_images(grid: ImageGrid, value: object) -> bool:
    if not isinstance(value, list):
        return False
    rows = [grid.grid_model.row_of(one) for each in value if (one := _id(each)) is not None]
    known = [row for row in rows if row >= 0]
    if not known or sorted(known) == sorted(one.row() for one in grid.selectedIndexes()):
        return False
    selection = grid.selectionModel()
    flags = type(selection).SelectionFlag
    grid.clearSelection()
    for row in known:
        selection.select(grid.grid_model.index(row, 0), flags.Select)
    return True


def _read_maps(grid: SaliencyGrid) -> dict[str, Any]:
    focus = grid.focus()
    return {
        "focus": None if focus is None else list(_cell_values(focus)),
        "selection": [list(_cell_values(cell)) for cell in grid.selection()[:_MOST_ITEMS]],
        "size": grid.picture_size,
    }


def _write_maps(grid: SaliencyGrid, value: object) -> bool:
    plan = grid.grid_model.plan
    if not isinstance(value, Mapping) or plan is None:
        return False
    before = _read_maps(grid)
    _resize(grid, value.get("size"))
    focus = _cell(value.get("focus"))
    if focus is not None and focus != grid.focus() and plan.places.knows(focus):
        grid.set_focus(focus)
        grid.cell_focused.emit(focus)
    chosen = value.get("selection")
    cells = [_cell(one) for one in chosen] if isinstance(chosen, list) else []
    known = tuple(cell for cell in cells if cell is not None and plan.places.knows(cell))
    if known != grid.selection():
        grid.selection_changed.emit(known)  # the view takes it as chosen by hand
    return _read_maps(grid) != before


def _cell_values(cell: Cell) -> tuple[int, str, str]:
    return int(cell.image), cell.model, cell.method


def _cell(value: object) -> Cell | None:
    if not isinstance(value, list) or len(value) != 3:
        return None
    image, model, method = value
    whole = isinstance(image, int) and isinstance(model, str) and isinstance(method, str)
    return Cell(image, model, method) if whole else None


def _read_size(grid: UnitGrid) -> int:
    return int(grid.picture_size)


def _resize(grid: SaliencyGrid | UnitGrid, value: object) -> bool:
    """Grids grow and shrink by the steps of their buttons."""
    before = grid.picture_size
    for _ in range(_SIZE_STEPS):
        size = grid.picture_size
        if not _is_number(value) or size == value:
            break
        grid.enlarge(1 if size < value else -1)  # type: ignore[operator]
        if abs(grid.picture_size - value) >= abs(size - value):  # type: ignore[operator]
            break
    return grid.picture_size != before


def _read_curves(panel: SaliencyCurvesPanel) -> list[Any] | None:
    cell, kind, step = panel.active()
    return None if cell is None else [list(_cell_values(cell)), kind, step]


def _write_curves(panel: SaliencyCurvesPanel, value: object) -> bool:
    if not isinstance(value, list) or len(value) != 3 or not _is_number(value[2]):
        return False
    before = _read_curves(panel)
    panel.go_to(_cell(value[0]), str(value[1]), int(value[2]))
    return _read_curves(panel) != before


# -- plots -------------------------------------------------------------------------------------
def _read_cell(heatmap: Heatmap) -> list[str] | None:
    names = heatmap.cell_names()
    return None if names is None else list(names)


def _write_cell(heatmap: Heatmap, value: object) -> bool:
    if not isinstance(value, list) or len(value) != 2:
        return False
    heatmap.set_cell(*value)
    if heatmap.cell_names() != tuple(value):
        return False
    heatmap.cell_focused.emit(*value)
    return True


def _read_range(canvas: PlotCanvas) -> list[list[float]] | None:
    if canvas.view is None:
        return None
    ranges = [[float(end) for end in span] for span in canvas.view.viewRange()]
    return ranges if all(_is_number(end) for span in ranges for end in span) else None


def _write_range(canvas: PlotCanvas, value: object) -> bool:
    if canvas.view is None or not isinstance(value, list) or len(value) != 2:
        return False
    for span in value:
        if not isinstance(span, list) or len(span) != 2 or not all(map(_is_number, span)):
            return False
        if not span[0] < span[1]:
            return False
    canvas.view.setRange(xRange=tuple(value[0]), yRange=tuple(value[1]), padding=0)
    return True


def _read_zoom(canvas: HeatCanvas) -> list[float]:
    zoom = canvas.zoom
    return [zoom.factor, zoom.centre.x(), zoom.centre.y()]


def _write_zoom(canvas: HeatCanvas, value: object) -> bool:
    if not isinstance(value, list) or len(value) != 3 or not all(map(_is_number, value)):
        return False
    canvas.zoom.look_at(value[0], QPointF(value[1], value[2]))
    return True


def _read_direction(plot: Scatter3D) -> list[float]:
    return [float(plot.azimuth), float(plot.elevation)]


def _write_direction(plot: Scatter3D, value: object) -> bool:
    if not isinstance(value, list) or len(value) != 2 or not all(map(_is_number, value)):
        return False
    plot.look_from(*value)
    return True


# -- values ------------------------------------------------------------------------------------
def _is_number(value: object) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and math.isfinite(value) and abs(value) < 1e15  # type: ignore[arg-type]


def _number(value: object) -> float | None:
    return float(value) if _is_number(value) else None  # type: ignore[arg-type]


def _plain_id(identity: Hashable | None) -> Any:
    """Ids are whole numbers, names, or pairs of these."""
    if isinstance(identity, tuple):
        return [_plain_id(one) for one in identity]
    if identity is None or isinstance(identity, str):
        return identity
    try:
        return int(identity)  # type: ignore[call-overload]
    except (TypeError, ValueError):
        return None


def _id(value: object) -> Hashable | None:
    if isinstance(value, list):
        return tuple(_id(one) for one in value[:8])
    return value if isinstance(value, (int, str)) else None


_KINDS: tuple[tuple[type[QWidget], Callable[[Any], Any], Callable[[Any, Any], bool], bool], ...] = (
    (QTabWidget, _read_tab, _write_tab, False),
    (TableTwin, _read_table, _write_table, False),
    (SaliencyGrid, _read_maps, _write_maps, False),
    (UnitGrid, _read_size, _resize, False),
    (ImageGrid, _read_images, _write_images, False),
    (BarTable, _read_bars, _write_bars, False),
    (Heatmap, _read_cell, _write_cell, False),
    (Scatter3D, _read_direction, _write_direction, False),
    (SaliencyCurvesPanel, _read_curves, _write_curves, False),
    (QComboBox, _read_combo, _write_combo, False),
    (QAbstractButton, _read_button, _write_button, False),
    (QToolButton, _read_menu, _write_menu, False),
    (QSlider, _read_number, _write_number, False),
    (QSpinBox, _read_number, _write_number, False),
    (QDoubleSpinBox, _read_number, _write_number, False),
    (QLineEdit, _read_text, _write_text, False),
    (PlotCanvas, _read_range, _write_range, True),
    (HeatCanvas, _read_zoom, _write_zoom, True),
    (QAbstractScrollArea, read_scroll, write_scroll, True),
)
# What is inside of these is theirs.
_CLOSED = (
    TableTwin, QComboBox, QAbstractButton, QAbstractSpinBox, QAbstractItemView, QTabBar, QSlider,
    QLineEdit,
)  # fmt: skip
