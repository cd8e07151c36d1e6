"""The lists of the packaged program hold: what they name exists, and what is read is in them."""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
import os
import re
import shutil
import struct
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ElementTree
from configparser import ConfigParser
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

from analysis.project import Project

ROOT = Path(__file__).parents[2]
PACKAGING = ROOT / "packaging"
MIME_TYPE = "application/x-parallax-project"


@pytest.fixture(scope="module")
def contents() -> ModuleType:
    specification = importlib.util.spec_from_file_location("contents", PACKAGING / "contents.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def packed(contents: ModuleType) -> dict[str, Path]:
    """Place in the program → file."""
    return {f"{folder}/{file.name}": file for file, folder in contents.data_files()}


# -- what goes in ------------------------------------------------------------------------------
def test_everything_listed_exists(contents: ModuleType, packed: dict[str, Path]) -> None:
    assert all(file.is_file() for file in packed.values())
    for name in contents.HIDDEN_IMPORTS:
        assert importlib.util.find_spec(name) is not None, name
    for name in contents.FIGURE_BACKENDS:
        assert importlib.util.find_spec(f"matplotlib.backends.backend_{name}") is not None, name
    for name in contents.PACKAGES_WITH_DATA:
        assert importlib.metadata.files(name), name
    for name in contents.VERSIONED:
        assert importlib.metadata.version(name)


def test_compiled_parts_that_are_loaded_by_place_are_packed(contents: ModuleType) -> None:
    """Without torchvision's operators no model of its can be loaded, nor any of timm's."""
    torchvision = importlib.util.find_spec("torchvision")
    assert torchvision is not None
    assert torchvision.origin is not None
    compiled = {
        f"torchvision.{file.name.split('.')[0]}"
        for file in Path(torchvision.origin).parent.iterdir()
        if file.suffix in (".so", ".pyd")
    }
    assert any(name.startswith("torchvision._C") for name in compiled)
    assert compiled <= set(contents.hidden_imports())
    for name in contents.hidden_imports():
        assert importlib.util.find_spec(name) is not None, name


def test_every_resource_that_is_read_is_packed(packed: dict[str, Path]) -> None:
    asked = set()
    for module in _modules():
        for call in _calls(module, "resource_path"):
            parts = [a.value for a in call.args if isinstance(a, ast.Constant)]
            asked.add("/".join(str(part) for part in parts))
    assert {"icons/parallax.svg", "sample/models.json"} <= asked
    for name in asked:
        place = f"analysis/_resources/{name}"
        assert any(one == place or one.startswith(f"{place}/") for one in packed), name
    weights = [place for place in packed if place.startswith("analysis/_resources/sample/models/")]
    assert len(weights) == len(list((ROOT / "resources/sample/models").iterdir()))


def test_every_file_beside_the_modules_is_packed(packed: dict[str, Path]) -> None:
    """As templates, which `Path(__file__)` finds; and no module is packed as data."""
    assert "analysis/figures/report.typ" in packed
    beside = {
        file.relative_to(ROOT).as_posix()
        for package in ("analysis", "app")
        for file in (ROOT / package).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts and file.suffix != ".py"
    }
    assert beside <= set(packed)
    assert not [place for place in packed if place.endswith((".py", ".pyc"))]


def test_the_wheel_brings_the_same_resources(packed: dict[str, Path]) -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        wheel = tomllib.load(file)["tool"]["hatch"]["build"]["targets"]["wheel"]
    included = {Path(source).as_posix() for source in wheel["force-include"]}
    tops = {
        f"resources/{place.split('/')[2]}"
        for place in packed
        if place.startswith("analysis/_resources/")
    }
    assert tops <= included


def test_versions_that_are_written_down_are_known_there(contents: ModuleType) -> None:
    """A run and “Copy diagnostics” ask for them by the name of the distribution."""
    for module, constant in (("app/diagnostics.py", "_PACKAGES"),
                             ("analysis/audits/runner.py", "_VERSIONED")):  # fmt: skip
        asked = _constant(ROOT / module, constant)
        assert asked
        assert set(asked) <= set(contents.VERSIONED), module


# -- what stays out ----------------------------------------------------------------------------
def test_nothing_that_is_imported_is_left_out(contents: ModuleType) -> None:
    imported = set()
    for module in _modules():
        for node in ast.walk(module):
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported |= {node.module, *(f"{node.module}.{a.name}" for a in node.names)}
    assert {"torch", "PySide6.QtWidgets", "typst"} <= imported
    for cuda in (True, False):
        out = set(contents.excluded(cuda))
        assert not {name for name in imported if out & set(_with_parents(name))}
    assert "triton" in contents.excluded(False)
    assert "triton" not in contents.excluded(True)


def test_the_window_starts_without_what_is_left_out(contents: ModuleType) -> None:
    """With every module that is left out refused, the whole program can still be imported."""
    code = (
        "import sys, os\n"
        "class Refuse:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if any(name == one or name.startswith(one + '.') for one in OUT):\n"
        "            raise ImportError(name)\n"
        f"OUT = {contents.excluded(False)!r}\n"
        "sys.meta_path.insert(0, Refuse())\n"
        "import app.application, celer, sklearn.linear_model, scipy.stats, typst\n"
        "import matplotlib.backends.backend_pdf, matplotlib.backends.backend_svg\n"
    )
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("place", "unused"),
    [
        ("PySide6/Qt/lib/libQt6Quick.so.6", True),
        ("PySide6\\plugins\\..\\Qt6Core.dll", False),
        ("PySide6/Qt/plugins/sqldrivers/libqsqlite.so", True),
        ("PySide6/Qt/plugins/iconengines/libqsvgicon.so", False),
        ("torch/test/some_test", True),
        ("torch/testing/_creation.py", False),
        ("torch/bin/protoc-3.13.0.0", True),
        ("torch/bin/torch_shm_manager", False),
        ("torch/lib/libtorch_cpu.so", False),
    ],
)
def test_files_that_are_left_out_again(contents: ModuleType, place: str, unused: bool) -> None:
    assert contents.is_unused_file(place) is unused


def test_the_specification_is_python_and_names_what_there_is() -> None:
    text = (PACKAGING / "parallax.spec").read_text(encoding="utf-8")
    tree = ast.parse(text)
    names = {n.attr for n in ast.walk(tree)
             if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name)
             and n.value.id == "contents"}  # fmt: skip
    defined = ast.parse((PACKAGING / "contents.py").read_text(encoding="utf-8")).body
    known = {n.name for n in defined if isinstance(n, ast.FunctionDef)}
    known |= {t.id for n in defined if isinstance(n, ast.Assign) for t in n.targets
              if isinstance(t, ast.Name)}  # fmt: skip
    assert names <= known
    assert "data_files" in names
    for entry in re.findall(r'ROOT / "app" / "(\w+\.py)"', text):
        assert (ROOT / "app" / entry).is_file()
    assert re.search(r'__version__ = "(.+)"', (ROOT / "analysis/__init__.py").read_text())


# -- the desktop -------------------------------------------------------------------------------
def test_the_desktop_entry_opens_project_files() -> None:
    entry = _desktop_entry(PACKAGING / "parallax.desktop")
    assert entry["Type"] == "Application"
    assert entry["Exec"].split() == ["parallax", "%f"]
    assert entry["MimeType"].split(";") == [MIME_TYPE, ""]
    assert entry["Categories"].endswith(";")


def test_projects_are_known_by_their_content(tmp_path: Path) -> None:
    """The rules of the file type, applied by hand to a project and to another database."""
    namespace = {"m": "http://www.freedesktop.org/standards/shared-mime-info"}
    tree = ElementTree.parse(PACKAGING / "parallax-project.xml")
    kind = tree.find("m:mime-type", namespace)
    assert kind is not None
    assert kind.get("type") == MIME_TYPE
    glob = kind.find("m:glob", namespace)
    header = kind.find("m:magic/m:match", namespace)
    number = kind.find("m:magic/m:match/m:match", namespace)
    assert glob is not None
    assert header is not None
    assert number is not None
    assert glob.get("pattern") == "*.parallax"
    assert (number.get("type"), header.get("type")) == ("big32", "string")
    file = tmp_path / "made.parallax"
    Project.create(file).close()
    data = file.read_bytes()
    start = str(header.get("value")).replace("\\0", "\0").encode()
    assert data[int(str(header.get("offset"))) :].startswith(start)
    place = int(str(number.get("offset")))
    assert struct.unpack(">I", data[place : place + 4])[0] == int(str(number.get("value")), 16)


@pytest.mark.skipif(
    shutil.which("update-mime-database") is None or shutil.which("gio") is None,
    reason="needs shared-mime-info and gio",
)
def test_the_system_knows_a_project_without_its_ending(tmp_path: Path) -> None:
    data = tmp_path / "share"
    (data / "mime" / "packages").mkdir(parents=True)
    shutil.copy(PACKAGING / "parallax-project.xml", data / "mime" / "packages")
    subprocess.run(["update-mime-database", str(data / "mime")], check=True, capture_output=True)
    Project.create(tmp_path / "made.parallax").close()
    shutil.copy(tmp_path / "made.parallax", tmp_path / "renamed")
    environment = {**os.environ, "XDG_DATA_HOME": str(data)}
    for name in ("made.parallax", "renamed"):
        said = subprocess.run(
            ["gio", "info", "-a", "standard::content-type", str(tmp_path / name)],
            check=True, capture_output=True, text=True, env=environment,
        ).stdout  # fmt: skip
        assert MIME_TYPE in said, name


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux only")
def test_installing_for_a_user_and_removing_it_again(tmp_path: Path) -> None:
    home = tmp_path / "the user's $home"
    home.mkdir()
    bundle = tmp_path / "parallax-0.1.0-cpu"
    bundle.mkdir()
    program = bundle / "parallax"
    program.write_text('#!/bin/sh\nprintf "opened %s" "$1"\n')
    program.chmod(0o755)
    environment = {"HOME": str(home), "PATH": os.environ["PATH"]}
    script = str(PACKAGING / "install-linux.sh")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", script, *arguments], env=environment, capture_output=True, text=True, check=False
        )

    assert run().returncode == 2
    assert run(str(tmp_path / "nothing")).returncode == 1
    for _ in range(2):  # a newer one takes the place of an older one
        done = run(str(bundle))
        assert done.returncode == 0, done.stderr
    starter = home / ".local" / "bin" / "parallax"
    opened = subprocess.run([starter, "a b.parallax"], capture_output=True, text=True, check=True)
    assert opened.stdout == "opened a b.parallax"
    entry = _desktop_entry(home / ".local/share/applications/parallax.desktop")
    escaped = str(starter).replace("$", r"\\$")
    assert entry["Exec"] == f'"{escaped}" %f'
    put = {file.name for file in (home / ".local/share").rglob("*") if file.is_file()}
    assert {
        "parallax.desktop", "parallax-project.xml", "parallax.svg",
        "application-x-parallax-project.svg",
    } <= put  # fmt: skip
    assert run("--remove").returncode == 0
    left = [file for file in home.rglob("*") if file.is_file() and "mime" not in file.parts]
    assert {file.name for file in left} <= {"mimeapps.list", "mimeinfo.cache"}  # the system's own
    assert not [file for file in left if "parallax" in file.read_text(encoding="utf-8")]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux only")
def test_installing_overwrites_nothing_of_others(tmp_path: Path) -> None:
    program = tmp_path / "venv" / "parallax"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    own = tmp_path / ".local" / "bin" / "parallax"
    own.parent.mkdir(parents=True)
    own.write_text("mine")
    theirs = tmp_path / ".local" / "lib" / "parallax"
    theirs.mkdir(parents=True)
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    script = str(PACKAGING / "install-linux.sh")
    for arguments, code in (
        ([str(program)], 0), ([str(program.parent)], 1), (["--remove"], 0),
    ):  # fmt: skip
        done = subprocess.run(
            ["sh", script, *arguments], env=environment, capture_output=True, check=False
        )
        assert done.returncode == code
    assert own.read_text() == "mine"
    assert theirs.is_dir()


# -- reading the sources -----------------------------------------------------------------------
@cache
def _modules() -> list[ast.Module]:
    files = [file for package in ("analysis", "app") for file in (ROOT / package).rglob("*.py")]
    return [ast.parse(file.read_text(encoding="utf-8")) for file in files]


def _calls(tree: ast.Module, name: str) -> list[ast.Call]:
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
    ]


def _constant(file: Path, name: str) -> tuple[str, ...]:
    body = ast.parse(file.read_text(encoding="utf-8")).body
    found = [node.value for node in body
             if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name]  # fmt: skip
    value: tuple[str, ...] = ast.literal_eval(found[0])
    return value


def _with_parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts) + 1)]


def _desktop_entry(file: Path) -> dict[str, str]:
    parser = ConfigParser(interpolation=None, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(file, encoding="utf-8")
    return dict(parser["Desktop Entry"])
