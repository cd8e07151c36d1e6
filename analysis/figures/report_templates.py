"""Compositions to begin with, made from what a project holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from analysis.audits.parameters import parameter_fields
from analysis.errors import AuditError
from analysis.figures.export import FIGURES, prepare_figure
from analysis.figures.report_composition import (
    AppendixBlock,
    Block,
    ChapterBlock,
    Composition,
    DetailsBlock,
    FigureBlock,
    FindingsBlock,
    LeftOutBlock,
    LimitsBlock,
    ModelsBlock,
    SummaryBlock,
    numbered,
)
from analysis.figures.report_content import nothing_to_report, reported_runs, run_section
from analysis.figures.report_parts import Picture, picture_format
from analysis.figures.words import plain
from analysis.near_names import name_hint

if TYPE_CHECKING:
    from analysis.project import Project

_FEWEST_OF_FAMILY = 3
_NARROW = 75
_NARROWER = frozenset({"embedding", "performance-map", "concept-counts", "ensembles"})
_PAIR_AUDITS = ("layers", "concepts", "semantics")


@dataclass(frozen=True)
class Template:
    """A kind of report.

    :param order: of the audits' chapters.
    :param models: how many models it is about; None: any number.
    """

    name: str
    title: str
    description: str
    order: tuple[str, ...]
    models: int | None


TEMPLATES: Mapping[str, Template] = {
    template.name: template
    for template in (
        Template(
            "comparison",
            "Comparison of two models",
            "What two models see alike and differently: layers, concepts, and where they look.",
            ("layers", "concepts", "semantics", "saliency", "dissection", "evaluation",
             "embedding"),
            2,
        ),
        Template(
            "family",
            "Study of a family of models",
            "How many models relate: the embedding, their units, performance and ensembles.",
            ("embedding", "dissection", "evaluation", "saliency", "layers", "concepts",
             "semantics"),
            None,
        ),
        Template(
            "single",
            "Audit of one model",
            "What one model knows and where it looks: units, saliency, performance.",
            ("dissection", "saliency", "evaluation", "embedding", "layers", "concepts",
             "semantics"),
            1,
        ),
    )
}  # fmt: skip


def template_composition(
    project: Project, name: str | None = None, models: Sequence[str] = ()
) -> Composition:
    """The composition of a template.

    :param name: of the template; None: the one that fits best, with all that can be reported.
    :param models: what a comparison (two) or an audit of one model is about; none: the newest
        pair, and the model of most audits.
    Raises AuditError for an unknown template or model, the wrong number of models, and a project
    without anything to report.
    """
    template = _template(name or best_template(project))
    runs = reported_runs(project)
    if not runs and not project.findings():
        raise nothing_to_report()
    chosen = _about(project, template, runs, models)
    if name is not None and template.models is not None:
        runs = [run for run in runs if _is_about(project, run, chosen)]
        if not runs:
            raise AuditError(
                f"Nothing is known of {' and '.join(plain(model) for model in chosen)} yet.",
                "Run an audit on it first, or choose other models.",
            )
    runs = sorted(runs, key=lambda run: (template.order.index(run["audit"]), run["id"]))
    blocks: list[Block] = [SummaryBlock()]
    if project.findings():
        blocks.append(FindingsBlock())
    blocks.append(ModelsBlock())
    only = chosen[0] if name is not None and template.models == 1 and chosen else ""
    for run in runs:
        try:
            blocks += chapter_blocks(project, run, only)
        except AuditError:
            blocks.append(ChapterBlock(run=run["id"]))  # says in its place what is damaged
    blocks += [LeftOutBlock(), LimitsBlock(), AppendixBlock()]
    if name is None and len(_pairs(project, runs)) > 1:
        chosen = ()  # several pairs are compared: none is the subject
    subtitle = _SUBTITLES[template.name](project, chosen)
    return Composition(plain(project.name), subtitle, numbered(blocks))


def best_template(project: Project) -> str:
    """The template for what a project holds: a family where models are embedded, a comparison
    where pairs are compared, else one model."""
    runs = reported_runs(project)
    of_family = any(
        run["audit"] == "embedding" and len(project.run_models(run["id"])) >= _FEWEST_OF_FAMILY
        for run in runs
    )
    pairs = any(run["audit"] in _PAIR_AUDITS for run in runs)
    if of_family:
        return "family"
    networks = {model for run in runs for model in project.run_models(run["id"])}
    return "comparison" if pairs or len(networks) == 2 else "single"


def chapter_blocks(project: Project, run: Any, only: str = "") -> list[Block]:
    """A run's chapter with its figures and details.

    :param only: figures show this model alone where they can, and those that are of other models
        are left out; empty: all models.
    Raises AuditError where the run has no results.
    """
    section, _ = run_section(project, run)
    pictures = section.pictures
    if only:
        pictures = tuple(_of_model(project, one, only) for one in pictures if _shows(one, only))
    return [
        ChapterBlock(run=run["id"]),
        *(picture_block(one) for one in pictures),
        DetailsBlock(run=run["id"]),
    ]


def picture_block(picture: Picture) -> FigureBlock:
    """A chapter's picture as a block; what is high is narrower, so that two fit on a page."""
    narrow = picture.figure in _NARROWER or picture_format(picture.figure) == "jpeg"
    return FigureBlock(
        figure=picture.figure,
        run=picture.run,
        parameters=dict(picture.parameters),
        caption=picture.caption,
        text=picture.text,
        width=_NARROW if narrow else 100,
    )


def _shows(picture: Picture, model: str) -> bool:
    named = picture.parameters.get("model") or picture.parameters.get("models")
    return not named or named == model


def _of_model(project: Project, picture: Picture, model: str) -> Picture:
    """The picture with one model alone, if its figure can be narrowed so."""
    definition = FIGURES[picture.figure]
    taken = {field.name for field in parameter_fields(definition.parameters)}
    for name in ("model", "models"):
        if name in taken and "," not in model:  # a comma would make it two
            narrowed = replace(picture, parameters={**picture.parameters, name: model})
            try:
                prepare_figure(project, picture.figure, picture.run, **narrowed.parameters)
            except AuditError:
                return picture
            return narrowed
    return picture


def _template(name: str) -> Template:
    if name not in TEMPLATES:
        raise AuditError(
            f"There is no template “{name}”.", f"The templates are {', '.join(TEMPLATES)}."
        )
    return TEMPLATES[name]


def _about(
    project: Project, template: Template, runs: Sequence[Any], models: Sequence[str]
) -> tuple[str, ...]:
    """The models that the report is about."""
    known = [name for (name,) in project.rows("SELECT name FROM model ORDER BY position, id")]
    for model in models:
        if model not in known:
            raise AuditError(
                f"The project has no model “{model}”.",
                name_hint(model, known, f"Its models are {', '.join(known)}."),
            )
    if models and template.models not in (None, len(models)):
        wanted = "two models" if template.models == 2 else "one model"
        raise AuditError(
            f"The template {template.name} is about {wanted}.", f"{len(models)} were given."
        )
    if models:
        return tuple(models)
    if template.models is None:
        return tuple(known)
    if template.models == 2:
        return _newest_pair(project, runs) or tuple(known[:2])
    amounts = Counter(model for run in runs for model in project.run_models(run["id"]))
    return tuple(sorted(amounts, key=lambda model: (-amounts[model], known.index(model)))[:1])


def _pairs(project: Project, runs: Sequence[Any]) -> set[frozenset[str]]:
    """The pairs that these runs compare."""
    found = (run["id"] for run in runs if run["audit"] in _PAIR_AUDITS)
    return {frozenset(project.run_models(run)) for run in found}


def _newest_pair(project: Project, runs: Sequence[Any]) -> tuple[str, ...]:
    """The pair that most audits compared, of equals the newest."""
    audits: dict[tuple[str, ...], int] = {}
    newest: dict[tuple[str, ...], int] = {}
    for run in runs:
        pair = tuple(project.run_models(run["id"]))
        if run["audit"] in _PAIR_AUDITS and len(set(pair)) == 2:
            audits[pair] = audits.get(pair, 0) + 1
            newest[pair] = max(newest.get(pair, 0), run["id"])
    return max(audits, key=lambda pair: (audits[pair], newest[pair]), default=())


def _is_about(project: Project, run: Any, models: Sequence[str]) -> bool:
    """A comparison must be of these models; a run of many must have one of them."""
    of_run = set(project.run_models(run["id"]))
    if run["audit"] in _PAIR_AUDITS:
        return set(models) <= of_run
    return bool(of_run & set(models))


def _pair_words(_project: Project, models: Sequence[str]) -> str:
    if len(models) < 2:
        return "Comparison of vision models by their visual concepts"
    return f"Comparison of {plain(models[0])} and {plain(models[1])}"


def _family_words(project: Project, _models: Sequence[str]) -> str:
    amount = project.value("SELECT COUNT(*) FROM model")
    return f"Study of {amount} vision models by the concepts they have learned"


def _single_words(_project: Project, models: Sequence[str]) -> str:
    return f"Audit of {plain(models[0])}" if models else "Audit of a vision model"


_SUBTITLES: Mapping[str, Callable[[Project, Sequence[str]], str]] = {
    "comparison": _pair_words,
    "family": _family_words,
    "single": _single_words,
}
