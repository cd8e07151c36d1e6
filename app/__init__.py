"""Parallax's window."""
