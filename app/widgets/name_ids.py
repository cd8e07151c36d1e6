"""Numbers for names, where a plot wants numbers: a name keeps its number as long as this lives."""

from __future__ import annotations

from collections.abc import Iterable


class NameIds:
    """One number a name, never given away again."""

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}
        self._names: list[str] = []

    def id_of(self, name: str) -> int:
        """The number of a name; a new one for a new name."""
        if name not in self._ids:
            self._ids[name] = len(self._names)
            self._names.append(name)
        return self._ids[name]

    def name_of(self, identity: int | None) -> str | None:
        """The name behind a number."""
        return None if identity is None else self._names[identity]

    def ids_of(self, names: Iterable[str]) -> frozenset[int]:
        return frozenset(self.id_of(name) for name in names)

    def ordered(self, chosen: frozenset[int], before: tuple[str, ...]) -> tuple[str, ...]:
        """Names of the chosen numbers: those of `before` in their order, then the new ones."""
        names = [n for i, n in enumerate(self._names) if i in chosen]
        kept = [name for name in before if name in names]
        return tuple(kept + [name for name in names if name not in kept])
