"""pyqtgraph, bound to PySide6 whatever else is installed. Import it from here alone."""

from __future__ import annotations

import os

os.environ["PYQTGRAPH_QT_LIB"] = "PySide6"

import pyqtgraph as pg

pg.setConfigOptions(antialias=True, imageAxisOrder="row-major")

__all__ = ["pg"]
