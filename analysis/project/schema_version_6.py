"""What version 6 of the project file added: the doubt of every measure of how alike layers are."""

from __future__ import annotations

# Interval (95 %, over images) and what 95 % of shuffles of the images stay below. `ci_low`,
# `ci_high` and `null_95` of version 1 are those of `mmcs_pearson`.
VERSION_6 = tuple(
    f"ALTER TABLE layer_similarity ADD COLUMN {measure}_{column} REAL"
    for measure in ("mmcs_spearman", "cka", "rsa", "procrustes")
    for column in ("low", "high", "null_95")
)
