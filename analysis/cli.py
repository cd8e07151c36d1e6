"""The command line: the same audits without a screen."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import platformdirs

from analysis import __version__
from analysis.devices import DEVICE_NAMES
from analysis.errors import AuditError, Cancelled
from analysis.explain_command import explain
from analysis.plant_command import plant
from analysis.project import Project
from analysis.project.values import json_mapping
from analysis.relocate_command import relocate
from analysis.salvage_command import salvage
from analysis.terminal import Terminal

if TYPE_CHECKING:
    from analysis.audits import AuditDefinition

EXIT_INTERRUPTED = 130


def _split_assignment(text: str, option: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name.strip() or not value:
        raise click.UsageError(f"{option} takes NAME=VALUE, not “{text}”.")
    return name.strip(), value


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="parallax")
def cli() -> None:
    """Parallax: what does one vision model see that another does not?

    Without a command, `parallax` opens its window; `parallax FILE.parallax` opens a project in it.
    """


def _contents_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for decorator in (
        click.option(
            "--model", "models", multiple=True, metavar="NAME=SPEC",
            help="A model: timm:ARCH[?key=value&…], torchvision:ARCH or sample:NAME,"
            " then @WEIGHTS for a file (.safetensors, .pth, .pt); or a network of your own,"
            " exported: export:FILE.pt2 (torch.export) or onnx:FILE.onnx.",
        ),
        click.option(
            "--labels", "labels", multiple=True, metavar="NAME=DIR",
            help="A folder of label planes (Broden layout or masks).",
        ),
        click.option(
            "--images", "images", multiple=True, metavar="NAME=DIR",
            help="A folder of images (by class or flat), a Broden folder, or a text list.",
        ),
    ):  # fmt: skip
        command = decorator(command)
    return command


@cli.command()
@click.argument("file", type=click.Path(path_type=Path))
@_contents_options
def new(file: Path, images: Sequence[str], labels: Sequence[str], models: Sequence[str]) -> None:
    """Make a project FILE, with images and models."""
    contents = _parse_contents(images, labels, models)
    with _new_project(file) as project:
        _add_contents(project, *contents)


@contextmanager
def _new_project(file: Path) -> Iterator[Project]:
    """A new project that is filled here: if that fails, what is in it is kept, but no empty file.

    :raises AuditError: as `Project.create`, and what went wrong, with how to go on.
    """
    project = Project.create(file, file.stem)
    kept = False
    try:
        with project:
            try:
                yield project
                kept = True
            except BaseException:
                kept = bool(
                    project.value("SELECT 1 FROM image_set UNION SELECT 1 FROM model LIMIT 1")
                )
                raise
    except AuditError as error:
        more = f" {file} has what was added before: go on with `parallax add`." if kept else ""
        raise AuditError(error.summary, error.hint + more) from error
    finally:
        if not kept:
            file.unlink(missing_ok=True)


@cli.command()
@click.argument("file", type=click.Path(path_type=Path))
@_contents_options
def add(file: Path, images: Sequence[str], labels: Sequence[str], models: Sequence[str]) -> None:
    """Add images, label planes or models to the project FILE."""
    contents = _parse_contents(images, labels, models)
    with Project.open(file) as project:
        _add_contents(project, *contents)


_Assignments = list[tuple[str, str]]


def _parse_contents(
    images: Sequence[str], labels: Sequence[str], models: Sequence[str]
) -> tuple[_Assignments, _Assignments, _Assignments]:
    return (
        [_split_assignment(text, "--images") for text in images],
        [_split_assignment(text, "--labels") for text in labels],
        [_split_assignment(text, "--model") for text in models],
    )


def _add_contents(
    project: Project, images: _Assignments, labels: _Assignments, models: _Assignments
) -> None:
    from analysis.audits import intake

    terminal = Terminal(False)
    for name, source in images:
        image_set = intake.add_images(project, name, Path(source), terminal.progress())
        count = project.value("SELECT count(*) FROM image WHERE image_set = ?", (image_set,))
        terminal.say(f"{name}: {count} images")
        for row in project.rows(
            "SELECT path, reason FROM rejected_image WHERE image_set = ?", (image_set,)
        ):
            terminal.say(f"  left out {row['path']}: {row['reason']}")
    for name, source in labels:
        intake.add_labels(project, name, Path(source))
        terminal.say(f"{name}: label planes")
    for name, specification in models:
        intake.add_model(project, name, specification, terminal.progress())
        terminal.say(_describe_model(project, name))


def _describe_model(project: Project, name: str) -> str:
    row = project.row("SELECT * FROM model WHERE name = ?", (name,))
    assert row is not None
    layers = project.value("SELECT count(*) FROM layer WHERE model = ?", (name,))
    head = f"{row['num_classes']} classes" if row["num_classes"] else "no classifier"
    report = json_mapping(row["load_report"] or "{}")
    lines = [f"{name}: {row['architecture']}, {layers} layers, {head}"]
    if report.get("note"):
        lines.append(f"  {report['note']}")
    if report.get("left_out"):
        lines.append(f"  left out of the file: {_some(report['left_out'])}")
    if report.get("missing"):
        lines.append(f"  not in the file: {_some(report['missing'])}")
    return "\n".join(lines)


def _some(names: Sequence[str], most: int = 4) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


@cli.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("audit")
@click.option("--models", multiple=True, metavar="NAME", help="The models, one option each.")
@click.option("--set", "settings", multiple=True, metavar="PARAMETER=VALUE", help="A parameter.")
@click.option("--images", "image_set", metavar="NAME", help="The image set; the first if left out.")
@click.option("--device", type=click.Choice(DEVICE_NAMES), default="auto", show_default=True)
@click.option("--json-progress", is_flag=True, help="Progress as JSON lines on standard output.")
@click.option("--afresh", is_flag=True, help="Start a new run even if one can be resumed.")
def run(
    file: Path,
    audit: str,
    models: Sequence[str],
    settings: Sequence[str],
    image_set: str | None,
    device: str,
    json_progress: bool,
    afresh: bool,
) -> None:
    """Run an AUDIT of the project FILE; an unfinished run of the same inputs is resumed."""
    from analysis import audits
    from analysis.audits.grouping import image_set_named

    definition = audits.audit_definition(audit)
    values = dict(_split_assignment(text, "--set") for text in settings)
    parameters = audits.parse_parameters(definition.parameters, values)
    terminal = Terminal(json_progress)
    with Project.open(file) as project:
        chosen = _models(project, definition, models)
        images = image_set_named(project, image_set) if definition.takes_images else None
        run_id = None
        if not afresh:
            run_id = audits.find_unfinished_run(project, audit, chosen, parameters, images)
        if run_id is None:
            run_id = audits.create_run(project, audit, chosen, parameters, images, device)
        _execute(project, run_id, terminal, device)


def _execute(project: Project, run_id: int, terminal: Terminal, device: str | None) -> None:
    from analysis import audits

    cost = _estimate(project, run_id)
    terminal.event("estimate", run=run_id, forwards=cost.forwards, seconds=cost.seconds,
                   bytes=cost.bytes, units=cost.units, notes=cost.notes)  # fmt: skip
    for note in cost.notes:
        terminal.say(note)
    started = time.monotonic()
    audits.execute(
        project,
        run_id,
        terminal.progress(),
        lambda run, key: terminal.event("unit", run=run, key=key),
        device,
    )
    problems = project.rows("SELECT subject, reason FROM problem WHERE run = ?", (run_id,))
    for row in problems:
        terminal.say(f"  left out {row['subject']}: {row['reason']}")
    seconds = time.monotonic() - started
    terminal.event("done", run=run_id, seconds=seconds, problems=len(problems))
    name = project.value("SELECT name FROM run WHERE id = ?", (run_id,))
    terminal.say(f"{name}: done in {seconds:.1f} s (run {run_id})")


def _estimate(project: Project, run_id: int) -> Any:
    from analysis import audits
    from analysis.audits.parameters import parameters_from_json

    row = project.row("SELECT * FROM run WHERE id = ?", (run_id,))
    assert row is not None
    definition = audits.audit_definition(row["audit"])
    parameters = parameters_from_json(definition.parameters, row["parameters"])
    return audits.estimate(
        project, row["audit"], project.run_models(run_id), parameters, row["image_set"]
    )


def _models(project: Project, definition: AuditDefinition, named: Sequence[str]) -> tuple[str, ...]:
    """The models named; of audits of any number of models, all that suit if none is named."""
    from analysis import audits

    names = tuple(named) or tuple(audits.suitable_models(project, definition))
    if definition.takes_pair and len(names) != 2:
        raise AuditError(
            f"This audit compares two models, not {len(names)}.",
            "Name them: --models A --models B.",
        )
    return names


@cli.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("kind", type=click.Choice(["dissection", "performance"]))
@click.argument("table", type=click.Path(path_type=Path))
@click.option("--model", metavar="NAME", help="The model of a table of units that names none.")
def import_table(file: Path, kind: str, table: Path, model: str | None) -> None:
    """Take a TABLE (CSV) of dissected units or of performance into the project FILE."""
    from analysis.audits import imports

    terminal = Terminal(False)
    with Project.open(file) as project:
        if kind == "dissection":
            summary = imports.import_dissection(project, table, model)
        else:
            summary = imports.import_performance(project, table)
        rows = "units" if kind == "dissection" else "values"
        terminal.say(f"{len(summary.models)} models, {summary.rows} {rows} (run {summary.run})")
        if summary.added_models:
            terminal.say(f"  known by this table alone: {', '.join(summary.added_models)}")
        for subject, reason in summary.left_out:
            terminal.say(f"  {subject}: {reason}")


@cli.command()
@click.argument("file", type=click.Path(path_type=Path))
def tables(file: Path) -> None:
    """List the tables of the project FILE: names, rows, columns."""
    from analysis.project.tables import table_names

    with Project.open(file, read_only=True) as project:
        for name, rows, columns in table_names(project):
            click.echo(f"{name}\t{rows}\t{', '.join(columns)}")


@cli.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--table", metavar="NAME", help="A table, as .csv or .json.")
@click.option(
    "--figure", metavar="NAME", help="A figure: .svg, .pdf, .png; its numbers: .csv, .json."
)
@click.option("--report", is_flag=True, help="The whole report, as .html or .pdf.")
@click.option(
    "--template",
    type=click.Choice(["comparison", "family", "single"]),
    help="Of the report; what fits best if left out.",
)
@click.option("--composition", metavar="NAME", help="A report composed in the window.")
@click.option("--run", "run_id", type=int, help="The run; the latest that fits if left out.")
@click.option(
    "--form",
    type=click.Choice(["parallax", "lce", "netdissect"]),
    help="Of the table unit: as others read it (one model for netdissect).",
)
@click.option(
    "--models", multiple=True, metavar="NAME", help="With --form or --template: of these models."
)
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE",
              help="What it shows, as measure=cka, class_name=NAME or concept=ID.")  # fmt: skip
@click.option("--width", type=float, metavar="MM", help="Of a figure; 175 if left out.")
@click.option("--dpi", type=float, help="Of a figure's pixels; 300 if left out.")
@click.option("-o", "--output", "out", type=click.Path(path_type=Path), required=True)
def export(
    file: Path,
    table: str | None,
    figure: str | None,
    report: bool,
    template: str | None,
    composition: str | None,
    run_id: int | None,
    form: str | None,
    models: Sequence[str],
    settings: Sequence[str],
    width: float | None,
    dpi: float | None,
    out: Path,
) -> None:
    """Write a table, a figure or the report of the project FILE."""
    if (table is not None) + (figure is not None) + report != 1:
        raise click.UsageError("Give one of --table, --figure and --report.")
    if (template or composition) and not report:
        raise click.UsageError("--template and --composition are for --report.")
    if template and composition:
        raise click.UsageError("Give --template or --composition, not both.")
    if form is not None and table != "unit":
        raise click.UsageError("--form is for the table unit.")
    with Project.open(file, read_only=True) as project:
        if form is not None:
            from analysis.audits.exports import export_units

            export_units(project, out, form, run_id, models)
        elif table is not None:
            from analysis.project.tables import export_table

            export_table(project, table, out, run=run_id)
        elif figure is not None:
            choices = dict(_split_assignment(text, "--set") for text in settings)
            _export_figure(project, figure, out, run_id, width, dpi, choices)
        else:
            _export_report(project, out, template, composition, models)
    click.echo(out)


def _export_report(
    project: Project, out: Path, template: str | None, stored: str | None, models: Sequence[str]
) -> None:
    """Write a composed report, or the one that a template makes."""
    from analysis.figures.report import stored_composition, write_report

    chosen, notes = stored_composition(project, stored) if stored else (None, ())
    for note in notes:
        click.echo(note, err=True)
    write_report(project, out, chosen, template, models)


def _export_figure(
    project: Project,
    name: str,
    out: Path,
    run: int | None,
    width: float | None,
    dpi: float | None,
    choices: dict[str, Any],
) -> None:
    """Draw a figure, or with a table's suffix write the numbers behind it."""
    from analysis.figures import export

    if out.suffix.lower().lstrip(".") in export.TABLE_FORMATS:
        export.export_figure_table(project, name, out, run, **choices)
        return
    size = {"width_mm": width, "dpi": dpi}
    given = {key: value for key, value in size.items() if value is not None}
    export.export_figure(project, name, out, run, **given, **choices)


@cli.command()
@click.argument("file", type=click.Path(path_type=Path))
def info(file: Path) -> None:
    """Say what is in the project FILE."""
    with Project.open(file, read_only=True) as project:
        click.echo(f"{project.name}: {file}")
        for row in project.rows(
            "SELECT s.name, s.kind, s.source, count(i.id) AS images FROM image_set s"
            " LEFT JOIN image i ON i.image_set = s.id GROUP BY s.id"
        ):
            click.echo(f"images  {row['name']}: {row['images']} ({row['kind']}, {row['source']})")
        for row in project.rows("SELECT name, kind, source FROM label_plane_source"):
            click.echo(f"labels  {row['name']}: {row['kind']}, {row['source']}")
        for row in project.rows("SELECT name, specification FROM model ORDER BY position"):
            click.echo(f"model   {row['name']}: {row['specification']}")
        for row in project.rows("SELECT id, name, state, seconds FROM run ORDER BY id"):
            seconds = "" if row["seconds"] is None else f", {row['seconds']:.1f} s"
            click.echo(f"run {row['id']}   {row['name']}: {row['state']}{seconds}")


cli.add_command(explain)
cli.add_command(plant)
cli.add_command(relocate)
cli.add_command(salvage)


def default_sample_path() -> Path:
    """Where the sample project lies when no file is named."""
    return platformdirs.user_data_path("parallax", appauthor=False) / "sample.parallax"


@cli.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
def sample(file: Path | None) -> None:
    """Make the sample project and run its audits without a screen."""
    from analysis.audits.sample import fill_sample_project, open_sample_project

    path = file or default_sample_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    terminal = Terminal(False)
    with open_sample_project(path) as project:
        for run_id in fill_sample_project(project, terminal.progress()):
            _execute(project, run_id, terminal, None)
        terminal.say(f"The results are in {path}. To look at them: parallax {path}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; exits with 0 done, 1 error and hint, 2 usage, 130 interrupted."""
    try:
        cli.main(args=None if arguments is None else list(arguments), standalone_mode=False)
    except AuditError as error:
        click.echo(f"parallax: {' '.join(str(error).split())}", err=True)
        sys.exit(1)
    except click.UsageError as error:
        error.show()
        sys.exit(2)
    except click.ClickException as error:
        error.show()
        sys.exit(1)
    except (KeyboardInterrupt, Cancelled, click.Abort):
        click.echo("parallax: interrupted; what is finished is kept.", err=True)
        sys.exit(EXIT_INTERRUPTED)
