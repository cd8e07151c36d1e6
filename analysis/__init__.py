"""Parallax's analysis: everything that can be known without a screen."""

__version__ = "0.1.0"
