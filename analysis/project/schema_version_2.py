"""What version 2 of the project file added: dissection, embedding and performance."""

from __future__ import annotations

# Dissection, the Learned Concepts Embedding and performance. `unit.category` of a unit without a
# concept says why: dead, failed threshold, not a number. Shares and accuracies are 0…1, except
# that performance read from a table stays as it is there.
VERSION_2 = (
    """CREATE TABLE run_model (
        run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        model TEXT NOT NULL REFERENCES model(name) ON UPDATE CASCADE,
        PRIMARY KEY (run, position)
    ) STRICT""",
    """CREATE TABLE unit (
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
        model TEXT NOT NULL REFERENCES model(name) ON UPDATE CASCADE,
        layer TEXT NOT NULL,
        unit INTEGER NOT NULL,
        threshold REAL,
        active_fraction REAL,
        concept TEXT,
        category TEXT,
        iou REAL,
        null_iou REAL,
        p REAL,
        interpretable INTEGER NOT NULL,
        UNIQUE (run, model, layer, unit)
    ) STRICT""",
    """CREATE TABLE unit_candidate (
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
        model TEXT NOT NULL REFERENCES model(name) ON UPDATE CASCADE,
        layer TEXT NOT NULL,
        unit INTEGER NOT NULL,
        rank INTEGER NOT NULL,
        concept TEXT NOT NULL,
        category TEXT NOT NULL,
        iou REAL,
        intersection REAL,
        activation REAL,
        truth REAL,
        UNIQUE (run, model, layer, unit, rank)
    ) STRICT""",
    """CREATE TABLE unit_patch (
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
        model TEXT NOT NULL REFERENCES model(name) ON UPDATE CASCADE,
        layer TEXT NOT NULL,
        unit INTEGER NOT NULL,
        rank INTEGER NOT NULL,
        image INTEGER NOT NULL REFERENCES image(id),
        x INTEGER NOT NULL,
        y INTEGER NOT NULL,
        width INTEGER NOT NULL,
        height INTEGER NOT NULL,
        activation REAL,
        UNIQUE (run, model, layer, unit, rank)
    ) STRICT""",
    """CREATE TABLE profile (
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
        model TEXT NOT NULL REFERENCES model(name) ON UPDATE CASCADE,
        layer TEXT NOT NULL,
        concept TEXT NOT NULL,
        category TEXT NOT NULL,
        units INTEGER NOT NULL,
        UNIQUE (run, model, layer, concept, category)
    ) STRICT""",
    """CREATE TABLE threshold_sweep (
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
        model TEXT NOT NULL REFERENCES model(name) ON UPDATE CASCADE,
        layer TEXT NOT NULL,
        quantile REAL NOT NULL,
        iou_threshold REAL NOT NULL,
        units INTEGER NOT NULL,
        concepts INTEGER NOT NULL,
        UNIQUE (run, model, layer, quantile, iou_threshold)
    ) STRICT""",
    """CREATE TABLE embedding (
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
        model TEXT NOT NULL REFERENCES model(name) ON UPDATE CASCADE,
        pc1 REAL,
        pc2 REAL,
        pc3 REAL,
        se1 REAL,
        se2 REAL,
        se3 REAL,
        covariance12 REAL,
        covariance13 REAL,
        covariance23 REAL,
        "group" TEXT,
        fitted INTEGER NOT NULL,
        UNIQUE (run, model)
    ) STRICT""",
    """CREATE TABLE component (
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
        component INTEGER NOT NULL,
        explained_variance REAL,
        null_95 REAL,
        UNIQUE (run, component)
    ) STRICT""",
    """CREATE TABLE loading (
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
        component INTEGER NOT NULL,
        concept TEXT NOT NULL,
        category TEXT NOT NULL,
        loading REAL,
        UNIQUE (run, component, concept, category)
    ) STRICT""",
    """CREATE TABLE profile_correlation (
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
        component INTEGER NOT NULL,
        category TEXT NOT NULL,
        counting TEXT NOT NULL CHECK (counting IN ('all', 'unique')),
        r REAL,
        p REAL,
        p_adjusted REAL,
        n INTEGER,
        UNIQUE (run, component, category, counting)
    ) STRICT""",
    """CREATE TABLE performance_correlation (
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
        task TEXT NOT NULL,
        component INTEGER NOT NULL,
        r REAL,
        p REAL,
        p_adjusted REAL,
        n INTEGER,
        UNIQUE (run, task, component)
    ) STRICT""",
    """CREATE TABLE group_choice (
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
        k INTEGER NOT NULL,
        inertia REAL,
        silhouette REAL,
        UNIQUE (run, k)
    ) STRICT""",
    """CREATE TABLE stability (
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
        kind TEXT NOT NULL CHECK (kind IN ('unit bootstrap', 'leave one out', 'iou threshold')),
        setting TEXT NOT NULL,
        agreement REAL,
        displacement REAL,
        UNIQUE (run, kind, setting)
    ) STRICT""",
    """CREATE TABLE performance (
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
        model TEXT NOT NULL REFERENCES model(name) ON UPDATE CASCADE,
        task TEXT NOT NULL,
        value REAL,
        ci_low REAL,
        ci_high REAL,
        n INTEGER,
        UNIQUE (run, model, task)
    ) STRICT""",
    """CREATE TABLE ensemble (
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
        task TEXT NOT NULL,
        model_a TEXT NOT NULL REFERENCES model(name) ON UPDATE CASCADE,
        model_b TEXT NOT NULL REFERENCES model(name) ON UPDATE CASCADE,
        performance_a REAL,
        performance_b REAL,
        performance REAL,
        gain REAL,
        ci_low REAL,
        ci_high REAL,
        n INTEGER,
        UNIQUE (run, task, model_a, model_b)
    ) STRICT""",
    "CREATE INDEX unit_by_concept ON unit (run, concept)",
    "CREATE INDEX unit_patch_by_image ON unit_patch (image)",
)
