"""What the navigator's menus offer for each kind of entry."""

from __future__ import annotations

# Intents by kind of entry: (id of the intent, words).
MENUS: dict[str, tuple[tuple[str, str], ...]] = {
    "section:images": (
        ("add-images", "Add images…"),
        ("add-labels", "Add label planes…"),
        ("add-concept", "Add concept…"),
        ("new-slice", "New slice…"),
    ),
    "section:models": (("add-model", "Add model…"), ("import-table", "Import table…")),
    "section:runs": (("run-audit", "Run an audit…"),),
    "section:findings": (
        ("show-findings", "Show the findings"),
        ("record-finding", "Record finding…"),
    ),
    "image set": (
        ("run-audit", "Run an audit…"),
        ("image-set-details", "Details…"),
        ("relocate-image-set", "Relocate…"),
        ("remove-image-set", "Remove from the project"),
    ),
    "slice": (
        ("show-slice", "Show these images alone"),
        ("rename-slice", "Rename…"),
        ("remove-slice", "Remove from the project"),
    ),
    "label planes": (
        ("label-planes-details", "Details…"),
        ("relocate-label-planes", "Relocate…"),
        ("remove-label-planes", "Remove from the project"),
    ),
    "model": (
        ("show-as-a", "Show as A"),
        ("show-as-b", "Show as B"),
        ("compare-models", "Compare the two selected"),
        ("dissect-models", "Dissect…"),
        ("embed-models", "Embed…"),
        ("explain-images", "Explain images…"),
        ("compare-semantics", "Compare by concepts…"),
        ("run-audit", "Run an audit…"),
        ("model-details", "Details…"),
        ("relocate-model", "Relocate the weights…"),
        ("rename-model", "Rename…"),
        ("remove-model", "Remove from the project"),
    ),
    "run": (
        ("show-run", "Show results"),
        ("resume-run", "Resume"),
        ("cancel-run", "Cancel"),
        ("repeat-run", "Run again with other parameters…"),
        ("run-details", "Details…"),
        ("rename-run", "Rename…"),
        ("remove-run", "Remove with its results"),
    ),
}
WRITES = frozenset(
    {
        "new-slice",
        "rename-slice",
        "remove-slice",
        "add-concept",
        "record-finding",
        "add-images",
        "compare-semantics",
        "add-labels",
        "add-model",
        "import-table",
        "dissect-models",
        "embed-models",
        "explain-images",
        "run-audit",
        "resume-run",
        "repeat-run",
        "rename-model",
        "rename-run",
        "remove-run",
        "remove-model",
        "remove-image-set",
        "remove-label-planes",
        "relocate-image-set",
        "relocate-label-planes",
        "relocate-model",
    }
)
