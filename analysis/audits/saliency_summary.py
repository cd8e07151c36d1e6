"""Summaries of a saliency run: means with intervals, and paired tests of methods and of models."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable
from typing import Any, cast

import numpy as np

from analysis.audits.context import RunContext
from analysis.audits.plan import number_or_none
from analysis.faithfulness.metrics import METRICS
from analysis.faithfulness.summary import Comparison, Summary, all_pairs, compare, summarise_all
from analysis.seeds import derive_seed

Rows = list[dict[str, Any]]
Key = tuple[str, str]  # model, method
Columns = dict[Hashable, np.ndarray]


def summarise_run(context: RunContext) -> None:
    """Write the means of what is measured so far; the paired tests when all of it is."""
    values = _values(context)
    context.project.replace_results(
        context.run.id,
        {
            "faithfulness_summary": _summary_rows(context, values),
            "faithfulness_comparison": _comparison_rows(context, values)
            if _complete(context)
            else [],
        },
    )


def _complete(context: RunContext) -> bool:
    states = context.project.unit_states(context.run.id)
    total = context.project.value("SELECT units_total FROM run WHERE id = ?", (context.run.id,))
    return total is not None and sum(state == "done" for state in states.values()) >= total


def _values(context: RunContext) -> dict[str, dict[Key, np.ndarray]]:
    """Of each metric: (images,) values by model and method, NaN where there is none."""
    rows = context.project.rows(
        "SELECT image, model, method, metric, value FROM faithfulness WHERE run = ? ORDER BY id",
        (context.run.id,),
    )
    places: dict[int, int] = {}
    for row in rows:
        places.setdefault(row["image"], len(places))
    found: dict[str, dict[Key, np.ndarray]] = defaultdict(dict)
    for row in rows:
        key = (row["model"], row["method"])
        column = found[row["metric"]].get(key)
        if column is None:
            column = found[row["metric"]][key] = np.full(len(places), np.nan)
        if row["value"] is not None:
            column[places[row["image"]]] = row["value"]
    return found


def _summary_rows(context: RunContext, values: dict[str, dict[Key, np.ndarray]]) -> Rows:
    parameters = context.parameters
    rows = []
    for metric, columns in values.items():
        seed = derive_seed(parameters.seed, "summary", metric)
        found = summarise_all(
            cast("Columns", columns),
            parameters.replicates,
            seed,
            binary=METRICS[metric].binary,
        )
        for (model, method), one in cast("dict[Key, Summary]", found).items():
            rows.append(
                {
                    "model": model,
                    "method": method,
                    "metric": metric,
                    "mean": number_or_none(one.mean),
                    "ci_low": number_or_none(one.low),
                    "ci_high": number_or_none(one.high),
                    "n": one.n,
                }
            )
    return rows


def _comparison_rows(context: RunContext, values: dict[str, dict[Key, np.ndarray]]) -> Rows:
    """Of each metric: every two methods of a model, and every two models with a method.

    The methods of one model are one family of tests, and so are the models with all their methods.
    """
    parameters = context.parameters
    rows: Rows = []
    for done, (metric, columns) in enumerate(values.items()):
        context.progress.check_cancelled()
        context.step(0.0, f"Comparing methods and models: {done + 1} of {len(values)} metrics")
        seed = derive_seed(parameters.seed, "comparison", metric)
        for pairs in _families(list(columns)):
            found = compare(
                cast("Columns", columns),
                pairs,
                parameters.permutations,
                parameters.replicates,
                seed,
            )
            rows += [_row(metric, one) for one in found if one.n]
    return rows


def _families(keys: list[Key]) -> list[list[tuple[Hashable, Hashable]]]:
    models = list(dict.fromkeys(model for model, _ in keys))
    methods = list(dict.fromkeys(method for _, method in keys))
    within = [all_pairs([key for key in keys if key[0] == model]) for model in models]
    across = [
        pair for method in methods for pair in all_pairs([key for key in keys if key[1] == method])
    ]
    return [pairs for pairs in (*within, across) if pairs]  # type: ignore[misc]


def _row(metric: str, one: Comparison) -> dict[str, Any]:
    (model_a, method_a), (model_b, method_b) = cast("tuple[Key, Key]", (one.first, one.second))
    return {
        "metric": metric,
        "model_a": model_a,
        "method_a": method_a,
        "model_b": model_b,
        "method_b": method_b,
        "difference": number_or_none(one.difference),
        "ci_low": number_or_none(one.low),
        "ci_high": number_or_none(one.high),
        "p": number_or_none(one.p),
        "p_adjusted": number_or_none(one.p_adjusted),
        "n": one.n,
    }
