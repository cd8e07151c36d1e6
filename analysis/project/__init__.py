"""The project file: everything an audit finds, in one SQLite file that opens anywhere."""

from analysis.project.project import IMPORTED, Project

__all__ = ["IMPORTED", "Project"]
