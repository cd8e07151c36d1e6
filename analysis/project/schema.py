"""What holds for the tables of a project file of every version; `schema_version_N` has the tables.

Every number that does not exist is NULL. Models are named by text so that a result can be read
without a join; renaming a model reaches every table. Text columns of `JSON_COLUMNS` hold JSON.
`layer.spread` is 1 for the layers among which an even spread over the depth is chosen.
"""

from __future__ import annotations

# "PRLX": stands in the file's header, so that a project is recognised before it is opened.
APPLICATION_ID = 0x50524C58

# The catalogue of tables takes one or two pages of this size; arrays and thumbnails also like large
# pages.
PAGE_SIZE = 16384

JSON_COLUMNS = frozenset(
    {
        "class_names",
        "preprocessing",
        "load_report",
        "parameters",
        "versions",
        "shape",
        "scores",
        "tags",
        "view_state",
        "composition",
    }
)

# What a unit of work may write, and what `replace_results` may replace.
RESULT_TABLES = (
    "layer_similarity",
    "concept",
    "concept_similarity",
    "replacement",
    "patch",
    "unit",
    "unit_candidate",
    "unit_patch",
    "profile",
    "threshold_sweep",
    "embedding",
    "component",
    "loading",
    "profile_correlation",
    "performance_correlation",
    "group_choice",
    "stability",
    "performance",
    "ensemble",
    "saliency",
    "faithfulness",
    "faithfulness_summary",
    "faithfulness_comparison",
    "curve",
    "concept_vector",
    "space_similarity",
    "tcav",
    "mask_concept",
    "mask_similarity",
)
