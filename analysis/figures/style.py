"""How every figure file looks: colours, type, sizes in millimetres. Imports matplotlib lazily.

Colours mean one thing everywhere: model A is blue, model B vermilion; patches are real,
over-predicted or under-predicted.
"""

from __future__ import annotations

import contextlib
import io
import logging
import re
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from analysis.figures import fonts
from analysis.figures.words import label, plain, shorten, shorten_middle

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure
    from matplotlib.transforms import Bbox

MODEL_COLOURS: Mapping[str, str] = {"a": "#0072B2", "b": "#D55E00"}
PATCH_COLOURS: Mapping[str, str] = {"top": "#009E73", "over": "#E69F00", "under": "#56B4E9"}
PATCH_SIGNS: Mapping[str, str] = {"top": "=", "over": "▲", "under": "▼"}
PATCH_WORDS: Mapping[str, str] = {
    "top": "real, highest",
    "over": "over-predicted",
    "under": "under-predicted",
}
TEXT_COLOUR = "#1A1A1A"
QUIET_COLOUR = "#5F5F5F"
LINE_COLOUR = "#8C8C8C"
TILE_COLOUR = "#B8B8B8"
MISSING_COLOUR = "#EDEDED"

SINGLE_COLUMN_MM = 85.0
DOUBLE_COLUMN_MM = 175.0
_MM_PER_INCH = 25.4
_LINE_MM = 4.5  # of type above a figure
_HINTING = 1.05  # type grows by up to this where pixels are few
_RASTER_ABOVE = 3000  # more points than this would make a vector file slow to open

# matplotlib's settings are global, so one figure is drawn at a time.
_style_lock = threading.RLock()

_SETTINGS: Mapping[Any, Any] = {
    "font.size": 7.0,
    "axes.titlesize": 7.5,
    "axes.labelsize": 7.0,
    "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5,
    "legend.fontsize": 6.5,
    "axes.titlelocation": "left",
    "axes.titlepad": 4.0,
    "axes.labelpad": 2.5,
    "axes.linewidth": 0.5,
    "axes.edgecolor": LINE_COLOUR,
    "axes.labelcolor": TEXT_COLOUR,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "text.color": TEXT_COLOUR,
    "xtick.color": TEXT_COLOUR,
    "ytick.color": TEXT_COLOUR,
    "xtick.major.width": 0.5,
    "ytick.major.width": 0.5,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.major.pad": 2.0,
    "ytick.major.pad": 2.0,
    "lines.linewidth": 0.8,
    "patch.linewidth": 0.5,
    "hatch.linewidth": 0.5,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "legend.frameon": False,
    "image.interpolation": "none",
    "pdf.fonttype": 42,  # TrueType: text stays text
    "svg.hashsalt": "parallax",
}


@contextlib.contextmanager
def journal_style(svg_text: str = "text", families: tuple[str, ...] = ()) -> Iterator[None]:
    """Draw with the settings of figure files, whatever the machine's own settings are.

    :param svg_text: "text" keeps text editable in an SVG, "paths" makes it look alike everywhere.
    :param families: for signs that the own font lacks; see `fonts.cover`.
    """
    import matplotlib

    with _style_lock, matplotlib.rc_context(), warnings.catch_warnings(), _quiet_fonts():
        # A sign that no font of the machine has is drawn as a box, and `drawn_bytes` says so.
        warnings.filterwarnings("ignore", message=r"Glyph \d+ .* missing from font")
        defaults = matplotlib.rcParamsDefault
        matplotlib.rcParams.update({key: defaults[key] for key in defaults if key != "backend"})
        matplotlib.rcParams.update(dict(_SETTINGS))
        # By their names: of a generic family matplotlib takes one font and no other.
        matplotlib.rcParams["font.family"] = [fonts.OWN, *families]
        matplotlib.rcParams["svg.fonttype"] = "none" if svg_text == "text" else "path"
        yield


@contextlib.contextmanager
def _quiet_fonts() -> Iterator[None]:
    """A font for other scripts often has no bold: that is no news."""
    logger = logging.getLogger("matplotlib.font_manager")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def new_figure(width_mm: float, height_mm: float) -> Figure:
    """An empty figure of that size whose layout keeps every label inside."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_mm / _MM_PER_INCH, height_mm / _MM_PER_INCH))
    figure.set_layout_engine("constrained", w_pad=0.045, h_pad=0.045, wspace=0.03, hspace=0.03)
    FigureCanvasAgg(figure)
    return figure


def drawn_bytes(
    render: Callable[[], Figure],
    format: str,
    dpi: float,
    metadata: Mapping[str, str | None],
    line_above: str = "",
    svg_text: str = "text",
) -> bytes:
    """The figure that `render` draws as svg, pdf or png. Equal figures, equal bytes.

    Where names have signs that the own font lacks it is drawn anew with fonts that have them, and
    says below itself what no font has.

    :param line_above: written over the figure, which becomes so much higher.
    """
    with journal_style(svg_text):
        figure = render()
        found = fonts.cover((*fonts.figure_texts(figure), line_above))
        if not found.families:
            below = fonts.missing_words(found.missing)
            return figure_bytes(figure, format, dpi, metadata, line_above, below)
    with journal_style(svg_text, found.families):
        below = fonts.missing_words(found.missing)
        return figure_bytes(render(), format, dpi, metadata, line_above, below)


def figure_bytes(
    figure: Figure,
    format: str,
    dpi: float,
    metadata: Mapping[str, str | None],
    line_above: str = "",
    line_below: str = "",
) -> bytes:
    """The figure as svg, pdf or png; call inside `journal_style`. Equal figures, equal bytes.

    :param line_above, line_below: written over and under the figure, which becomes so much higher.
    """
    buffer = io.BytesIO()
    box = _write_lines(figure, line_above, line_below) if line_above or line_below else None
    figure.savefig(buffer, format=format, dpi=dpi, metadata=dict(metadata), bbox_inches=box)
    content = buffer.getvalue()
    return _name_clips_in_order(content) if format == "svg" else content


def _write_lines(figure: Figure, above: str, below: str) -> Bbox:
    """Write a line over and under the figure; returns the box, in inches, that holds all.

    Whatever the figure is built of stays as it is: no title or layout of its own is touched.
    """
    from matplotlib.transforms import Bbox

    _hold_legends(figure)
    width, height = figure.get_size_inches()
    line = _LINE_MM / _MM_PER_INCH
    room_mm, left = width * _MM_PER_INCH - 4, 1 / (width * _MM_PER_INCH)
    if above:
        figure.text(left, 1 + 0.4 * line / height, fitted(above, room_mm, 7.5), fontsize=7.5,
                    ha="left", va="center")  # fmt: skip
    if below:
        figure.text(left, -0.4 * line / height, fitted(below, room_mm, 6.0), fontsize=6.0,
                    ha="left", va="center", color=QUIET_COLOUR)  # fmt: skip
    return Bbox([[0, -line if below else 0], [width, height + (line if above else 0)]])


def _hold_legends(figure: Figure) -> None:
    """Fix the figure's own legends to where they are: they would follow its edges."""
    figure.draw_without_rendering()
    for legend in figure.legends:
        place = legend.get_window_extent().transformed(figure.transFigure.inverted())
        legend.borderaxespad = 0.0
        legend.set_bbox_to_anchor(place, figure.transFigure)
        legend.set_loc("lower left")
    figure.set_layout_engine("none")  # it would give the room of these legends to the axes


def magnitude_map() -> Colormap:
    """Dark to bright for magnitudes, readable without colour vision."""
    import matplotlib

    return matplotlib.colormaps["cividis"]


def warm_map() -> Colormap:
    """Pale to dark and warm, for points on white: the darker, the more."""
    import matplotlib
    from matplotlib.colors import ListedColormap

    base = matplotlib.colormaps["inferno_r"]
    return ListedColormap([base(0.16 + 0.74 * step / 255) for step in range(256)], name="warm")


def signed_map() -> Colormap:
    """Blue for below, white for nothing, vermilion for above: told apart by any eye."""
    from matplotlib.colors import LinearSegmentedColormap

    colours = ["#00507F", "#4A9CCB", "#F7F7F7", "#E8925A", "#A34700"]
    return LinearSegmentedColormap.from_list("signed", colours)


def text_on(colour: tuple[float, float, float, float]) -> str:
    """White or dark type, whichever can be read on a colour."""
    red, green, blue, _ = colour
    return "white" if 0.299 * red + 0.587 * green + 0.114 * blue < 0.55 else TEXT_COLOUR


def raster_many(points: int) -> bool:
    """Whether that many points should be drawn as pixels even in a vector file."""
    return points > _RASTER_ABOVE


def colour_bar(
    figure: Figure, mappable: Any, axes: Any, text: str, below: bool | None = None
) -> Axes:
    """A thin colour bar beside `axes`, or below them; returns its axes.

    :param below: None for a bar as long as the axes, else a short one beside or below several.
    """
    bar = figure.colorbar(
        mappable,
        ax=axes,
        aspect=28,
        pad=0.02 if below is None else 0.01,
        shrink=1.0 if below is None else 0.6,
        location="bottom" if below else "right",
    )
    bar.outline.set_linewidth(0.4)
    bar.ax.tick_params(width=0.4, length=2)
    bar.set_label(text)
    return bar.ax


def quiet_note(axes: Axes, text: str) -> None:
    """A sentence in the middle of axes that have nothing to draw."""
    axes.set_axis_off()
    axes.text(
        0.5,
        0.5,
        text,
        ha="center",
        va="center",
        color=QUIET_COLOUR,
        wrap=False,
        transform=axes.transAxes,
    )


def fitted(
    text: object, width_mm: float, size: float = 7.0, bold: bool = False, middle: bool = False
) -> str:
    """`text` for matplotlib, its end left out where it would be wider than `width_mm`.

    :param size: of the type, in points.
    :param middle: leave out the middle: names often differ at their end.
    """
    whole = plain(text)
    cut = shorten_middle if middle else shorten
    if text_width_mm(whole, size, bold) <= width_mm:
        return label(whole)
    low, high = 1, len(whole)
    while low < high:
        half = (low + high + 1) // 2
        if text_width_mm(cut(whole, half), size, bold) <= width_mm:
            low = half
        else:
            high = half - 1
    return label(cut(whole, low))


def text_width_mm(text: str, size: float = 7.0, bold: bool = False) -> float:
    """How wide a line of type of `size` points is."""
    from matplotlib.backends.backend_agg import RendererAgg
    from matplotlib.font_manager import FontProperties

    renderer = RendererAgg(1, 1, 720)  # ten pixels a point, so that hinting does not matter
    properties = FontProperties(size=size, weight="bold" if bold else "normal")
    width, _, _ = renderer.get_text_width_height_descent(text, properties, ismath=False)
    return _HINTING * width / 720 * _MM_PER_INCH


def _name_clips_in_order(svg: bytes) -> bytes:
    """Matplotlib names a clipping rectangle by a hash of its place, whose last digits the layout
    solver gives differently from process to process; its number in the file is always the same.
    """
    for number, name in enumerate(re.findall(rb'<clipPath id="(p[0-9a-f]+)"', svg)):
        short = b"clip%d" % number
        svg = svg.replace(b'id="' + name + b'"', b'id="' + short + b'"')
        svg = svg.replace(b"url(#" + name + b")", b"url(#" + short + b")")
    return svg
