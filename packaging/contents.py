"""What goes into the packaged program; read by `parallax.spec` and held true by the tests.

Nothing here is imported by Parallax itself.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# What `analysis.resources` finds beside itself once installed.
INSTALLED_RESOURCES = "analysis/_resources"

# Of `resources/`: what the running program reads. How the sample was made stays in the checkout.
LEFT_OUT_OF_RESOURCES = frozenset({"screenshots", "__pycache__"})
LEFT_OUT_SUFFIXES = frozenset({".py", ".pyc"})

# Distributions whose versions a run or “Copy diagnostics” writes down.
VERSIONED = (
    "PySide6-Essentials",
    "celer",
    "matplotlib",
    "numpy",
    "pillow",
    "pyqtgraph",
    "scikit-learn",
    "scipy",
    "timm",
    "torch",
    "torchvision",
)

# Compiled modules import these where no reader of Python sees it.
HIDDEN_IMPORTS = (
    "celer.cython_utils",
    "celer.group_fast",
    "celer.lasso_fast",
    "celer.multitask_fast",
    "celer.PN_logreg",
    "PySide6.QtSvg",  # the icon engine reads SVG through it
    "typst",
)

# Packages that load compiled parts by their file's place, under names that change between versions.
PACKAGES_WITH_EXTENSIONS = ("torchvision",)

# Packages that read files of their own while they run, without a hook that brings them.
PACKAGES_WITH_DATA = ("timm",)

# What matplotlib chooses by the ending of the file.
FIGURE_BACKENDS = ("agg", "pdf", "svg")

# Other Qt bindings and what Qt has for phones, browsers and 3D; the window is made of widgets.
UNUSED_QT = (
    "PySide6.QtBluetooth",
    "PySide6.QtDesigner",
    "PySide6.QtHelp",
    "PySide6.QtMultimedia",
    "PySide6.QtPdf",
    "PySide6.QtQml",
    "PySide6.QtQuick",
    "PySide6.QtQuick3D",
    "PySide6.QtQuickControls2",
    "PySide6.QtQuickTest",
    "PySide6.QtQuickWidgets",
    "PySide6.QtSql",
    "PySide6.QtUiTools",
    "PySide6.QtWebChannel",
    "PySide6.QtWebEngineCore",
    "PySide6.QtWebEngineQuick",
    "PySide6.QtWebEngineWidgets",
    "PySide6.QtWebSockets",
    "PyQt5",
    "PyQt6",
    "PySide2",
)

# What the libraries would use for work that Parallax does not do.
UNUSED_LIBRARIES = (
    "IPython",
    "jupyter",
    "libsvmdata",
    "pandas",
    "pytest",
    "seaborn",
    "tensorboard",
    "tkinter",
    "torchaudio",
    "transformers",  # the optional segmentation networks need an installation with pip
    "wx",
    "xarray",
)

# Without a CUDA torch beside them these are ballast.
UNUSED_WITHOUT_CUDA = ("cuda", "nvidia", "triton")

# Files that hooks bring although nothing here loads them: by the beginning of their place or name.
UNUSED_FILES = (
    "PySide6/Qt/plugins/qmltooling",
    "PySide6/Qt/plugins/sqldrivers",
    "PySide6/Qt/plugins/virtualkeyboard",
    "PySide6/Qt/qml",
    "PySide6/Qt/translations",  # the window speaks English
    "libQt6Qml",
    "libQt6Quick",
    "libQt6VirtualKeyboard",
    "torch/bin/protoc",  # beside it lies torch_shm_manager, without which torch does not start
    "torch/bin/test",
    "torch/include/",
    "torch/share/",
    "torch/test/",
)


def excluded(cuda: bool) -> list[str]:
    """Modules that are left out of a build."""
    return [*UNUSED_QT, *UNUSED_LIBRARIES, *(() if cuda else UNUSED_WITHOUT_CUDA)]


def hidden_imports() -> list[str]:
    """Modules that no reader of Python finds imported."""
    found = list(HIDDEN_IMPORTS)
    for package in PACKAGES_WITH_EXTENSIONS:
        specification = find_spec(package)
        if specification is None or specification.origin is None:
            raise SystemExit(f"{package} is not installed.")
        folder = Path(specification.origin).parent
        files = (file for end in (".so", ".pyd") for file in folder.glob(f"*{end}"))
        found += sorted({f"{package}.{file.name.split('.')[0]}" for file in files})
    return found


def data_files(root: Path = ROOT) -> list[tuple[Path, str]]:
    """(file, folder in the program) of everything that is read and is no module."""
    found = []
    resources = root / "resources"
    for file in sorted(resources.rglob("*")):
        inner = file.relative_to(resources)
        if file.is_file() and _is_read(inner):
            found.append((file, (Path(INSTALLED_RESOURCES) / inner.parent).as_posix()))
    for package in ("analysis", "app"):
        for file in sorted((root / package).rglob("*")):
            inner = file.relative_to(root)
            if file.is_file() and _is_read(inner) and "_resources" not in inner.parts:
                found.append((file, inner.parent.as_posix()))
    found.append((root / "LICENSE", "."))
    return found


def _is_read(inner: Path) -> bool:
    hidden = any(part.startswith(".") for part in inner.parts)
    return (
        not hidden
        and not LEFT_OUT_OF_RESOURCES & set(inner.parts)
        and inner.suffix not in LEFT_OUT_SUFFIXES
    )


def is_unused_file(destination: str) -> bool:
    """Whether a file that a hook collected is left out again; by its place in the program."""
    place = destination.replace("\\", "/")
    return any(
        place.startswith(unused) or place.rsplit("/", 1)[-1].startswith(unused)
        for unused in UNUSED_FILES
    )
