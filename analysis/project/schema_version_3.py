"""What version 3 of the project file added: saliency and faithfulness."""

from __future__ import annotations

# Saliency and faithfulness. `saliency.map` holds rows × columns bytes, row by row; the value of a
# place is its byte × scale + offset, in the method's own units. x, y, width, height: the square the
# map covers, in pixels of the upright original. `tied`: share of the square's pixels that have the
# same value as another. `score`: probability of the class. A map without a class has none.
# `curve.scores`: JSON list, the probability at each step, the first before any.
VERSION_3 = (
    """CREATE TABLE saliency (
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
        image INTEGER NOT NULL REFERENCES image(id),
        model TEXT NOT NULL REFERENCES model(name) ON UPDATE CASCADE,
        layer TEXT,
        method TEXT NOT NULL,
        class TEXT,
        class_index INTEGER,
        score REAL,
        rows INTEGER NOT NULL,
        columns INTEGER NOT NULL,
        scale REAL NOT NULL,
        offset REAL NOT NULL,
        map BLOB NOT NULL,
        tied REAL,
        x INTEGER NOT NULL,
        y INTEGER NOT NULL,
        width INTEGER NOT NULL,
        height INTEGER NOT NULL,
        note TEXT,
        UNIQUE (run, image, model, method)
    ) STRICT""",
    """CREATE TABLE faithfulness (
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
        image INTEGER NOT NULL REFERENCES image(id),
        model TEXT NOT NULL REFERENCES model(name) ON UPDATE CASCADE,
        method TEXT NOT NULL,
        metric TEXT NOT NULL,
        value REAL,
        UNIQUE (run, image, model, method, metric)
    ) STRICT""",
    """CREATE TABLE faithfulness_summary (
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
        model TEXT NOT NULL REFERENCES model(name) ON UPDATE CASCADE,
        method TEXT NOT NULL,
        metric TEXT NOT NULL,
        mean REAL,
        ci_low REAL,
        ci_high REAL,
        n INTEGER,
        UNIQUE (run, model, method, metric)
    ) STRICT""",
    """CREATE TABLE faithfulness_comparison (
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
        metric TEXT NOT NULL,
        model_a TEXT NOT NULL REFERENCES model(name) ON UPDATE CASCADE,
        method_a TEXT NOT NULL,
        model_b TEXT NOT NULL REFERENCES model(name) ON UPDATE CASCADE,
        method_b TEXT NOT NULL,
        difference REAL,
        ci_low REAL,
        ci_high REAL,
        p REAL,
        p_adjusted REAL,
        n INTEGER,
        UNIQUE (run, metric, model_a, method_a, model_b, method_b)
    ) STRICT""",
    """CREATE TABLE curve (
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
        image INTEGER NOT NULL REFERENCES image(id),
        model TEXT NOT NULL REFERENCES model(name) ON UPDATE CASCADE,
        method TEXT NOT NULL,
        kind TEXT NOT NULL CHECK (kind IN ('insertion', 'deletion')),
        auc REAL,
        scores TEXT NOT NULL,
        UNIQUE (run, image, model, method, kind)
    ) STRICT""",
    "CREATE INDEX saliency_by_image ON saliency (image)",
    "CREATE INDEX faithfulness_by_image ON faithfulness (image)",
    "CREATE INDEX curve_by_image ON curve (image)",
)
