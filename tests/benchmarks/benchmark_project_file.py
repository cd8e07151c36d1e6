"""How long a large project takes to open, to write to and to export. Run: python FILE [FOLDER]"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from analysis.project import Project
from analysis.project.tables import export_table

CLASSES, COMPONENTS, PATCHES = 1000, 10, 30  # both sides: 20,000 concepts, 600,000 patches
CLASSES_A_UNIT = 10


@dataclass(frozen=True)
class Entry:
    path: str
    label: str | None = None
    split: str | None = None
    width: int = 500
    height: int = 375
    sha256: str = "ab" * 32
    size_bytes: int = 100_000


def class_rows(number: int) -> dict[str, list[dict[str, Any]]]:
    """All that a class of a `concepts` run brings."""
    rows: dict[str, list[dict[str, Any]]] = {
        name: [] for name in ("concept", "concept_similarity", "replacement", "patch")
    }
    name = f"class {number:04}"
    for side, target, predictor in (("a", "A", "B"), ("b", "B", "A")):
        for concept in range(COMPONENTS):
            key = {"side": side, "class": name, "concept": concept}
            pair = {**key, "target_model": target, "predictor_model": predictor}
            value = np.float32(concept / 7)
            rows["concept"].append(
                {**key, "model": target, "layer": "penultimate", "importance": value}
            )
            rows["concept_similarity"].append({**pair, "cmcs_pearson": value, "ci_low": value})
            rows["replacement"].append({**pair, "l2": value, "kl": value})
            box = {"x": 10, "y": 20, "width": 64, "height": 64}
            rows["patch"] += [
                {**pair, **box, "kind": kind, "rank": rank, "image": 1 + (number * 50 + rank)}
                | {"coefficient": value, "predicted": value}
                for kind in ("top", "under", "over")
                for rank in range(PATCHES // 3)
            ]
    return rows


def units() -> Iterator[tuple[str, dict[str, list[dict[str, Any]]], dict[str, np.ndarray]]]:
    random = np.random.default_rng(0)
    for start in range(0, CLASSES, CLASSES_A_UNIT):
        rows: dict[str, list[dict[str, Any]]] = {}
        arrays = {}
        for number in range(start, start + CLASSES_A_UNIT):
            for table, more in class_rows(number).items():
                rows.setdefault(table, []).extend(more)
            real = np.maximum(random.normal(size=(50 * 16, COMPONENTS)), 0).astype(np.float32)
            for side in "ab":
                arrays[f"class/{number}/{side}/real"] = real
                arrays[f"class/{number}/{side}/predicted"] = real + np.float32(0.1)
        yield f"classes/{start}", rows, arrays


def timed(text: str, work: Callable[[], Any]) -> Any:
    started = time.perf_counter()
    result = work()
    print(f"{text:58} {time.perf_counter() - started:8.3f} s")
    return result


def build(path: Path) -> None:
    with Project.create(path) as project:
        image_set = project.add_image_set("many", path.parent, "flat folder")
        timed(
            "add 50,100 images",
            lambda: project.add_images(image_set, (Entry(f"{i}.jpg") for i in range(50_100))),
        )
        for name in "AB":
            project.add_model(name, "timm:resnet18")
        run = project.add_run("concepts", "large", {}, model_a="A", model_b="B")
        seconds = []
        for key, rows, arrays in units():
            started = time.perf_counter()
            project.commit_unit(run, key, rows, arrays, [], 1.0)
            seconds.append(time.perf_counter() - started)
        print(
            f"commit_unit ({CLASSES_A_UNIT} classes: 6,600 rows, 40 arrays, 1.3 MB):"
            f" median {np.median(seconds):.3f} s, slowest {max(seconds):.3f} s"
        )
        timed("rename a model", lambda: project.rename_model("A", "C"))


def measure(path: Path) -> None:
    print(f"file: {path.stat().st_size / 2**20:.0f} MiB")
    for options in ({}, {"read_only": True}, {"quick_check": True}):
        project = timed(f"open {options}", lambda options=options: Project.open(path, **options))
        timed("close", project.close)
    with Project.open(path) as project:
        query = "SELECT * FROM concept JOIN concept_similarity USING (run, side, class, concept)"
        timed("read 20,000 concepts with similarities", lambda: project.rows(query))
        query = "SELECT * FROM patch WHERE run = 1 AND side = 'b' AND class = ? AND concept = 3"
        timed("read one concept's patches", lambda: project.rows(query, ("class 0777",)))
        for format in ("csv", "json"):
            out = path.with_suffix(f".{format}")
            started, started_cpu = time.perf_counter(), time.process_time()
            rows = export_table(project, "patch", out)
            seconds = time.perf_counter() - started
            cpu = time.process_time() - started_cpu
            print(
                f"export patch.{format}: {seconds:.2f} s ({cpu:.2f} s of processor),"
                f" {rows / cpu:,.0f} rows a second of processor"
            )
        timed("save a copy", lambda: project.save_copy(path.with_name("copy.parallax")))


def main() -> None:
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as folder:
        path = Path(folder) / "large.parallax"
        build(path)
        measure(path)


if __name__ == "__main__":
    main()
