"""The tables of a project file: version 1, and what later versions added.

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

VERSION_1 = (
    """CREATE TABLE project (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        name TEXT NOT NULL,
        created TEXT NOT NULL,
        version_created TEXT NOT NULL
    ) STRICT""",
    """CREATE TABLE image_set (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        source TEXT NOT NULL,
        source_relative TEXT,
        kind TEXT NOT NULL,
        created TEXT NOT NULL
    ) STRICT""",
    """CREATE TABLE image (
        id INTEGER PRIMARY KEY,
        image_set INTEGER NOT NULL REFERENCES image_set(id) ON DELETE CASCADE,
        path TEXT NOT NULL,
        label TEXT,
        split TEXT,
        width INTEGER,
        height INTEGER,
        sha256 TEXT,
        size_bytes INTEGER,
        UNIQUE (image_set, path)
    ) STRICT""",
    """CREATE TABLE rejected_image (
        id INTEGER PRIMARY KEY,
        image_set INTEGER NOT NULL REFERENCES image_set(id) ON DELETE CASCADE,
        path TEXT NOT NULL,
        reason TEXT NOT NULL,
        UNIQUE (image_set, path)
    ) STRICT""",
    """CREATE TABLE thumbnail (
        image INTEGER PRIMARY KEY REFERENCES image(id) ON DELETE CASCADE,
        width INTEGER NOT NULL,
        height INTEGER NOT NULL,
        format TEXT NOT NULL,
        data BLOB NOT NULL
    ) STRICT""",
    """CREATE TABLE label_plane_source (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        source TEXT NOT NULL,
        source_relative TEXT,
        image_set INTEGER REFERENCES image_set(id) ON DELETE SET NULL,
        kind TEXT NOT NULL
    ) STRICT""",
    """CREATE TABLE model (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        specification TEXT NOT NULL,
        weights_sha256 TEXT,
        library TEXT,
        architecture TEXT,
        num_classes INTEGER,
        class_names TEXT,
        preprocessing TEXT,
        load_report TEXT,
        seconds_per_image REAL,
        created TEXT NOT NULL,
        position INTEGER NOT NULL
    ) STRICT""",
    """CREATE TABLE layer (
        model TEXT NOT NULL REFERENCES model(name) ON UPDATE CASCADE ON DELETE CASCADE,
        name TEXT NOT NULL,
        position INTEGER NOT NULL,
        kind TEXT NOT NULL,
        shape TEXT NOT NULL,
        channels INTEGER,
        depth REAL,
        spread INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (model, name)
    ) STRICT""",
    """CREATE TABLE run (
        id INTEGER PRIMARY KEY,
        audit TEXT NOT NULL,
        name TEXT NOT NULL,
        image_set INTEGER REFERENCES image_set(id),
        model_a TEXT REFERENCES model(name) ON UPDATE CASCADE,
        model_b TEXT REFERENCES model(name) ON UPDATE CASCADE,
        parameters TEXT NOT NULL,
        state TEXT NOT NULL
            CHECK (state IN ('pending', 'running', 'cancelled', 'failed', 'done')),
        seed INTEGER,
        device TEXT,
        versions TEXT,
        units_total INTEGER,
        created TEXT NOT NULL,
        started TEXT,
        finished TEXT,
        seconds REAL,
        message TEXT
    ) STRICT""",
    """CREATE TABLE work_unit (
        run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
        key TEXT NOT NULL,
        position INTEGER NOT NULL,
        state TEXT NOT NULL
            CHECK (state IN ('pending', 'running', 'cancelled', 'failed', 'done')),
        seconds REAL,
        finished TEXT,
        PRIMARY KEY (run, key)
    ) STRICT""",
    """CREATE TABLE problem (
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
        unit TEXT,
        subject TEXT NOT NULL,
        reason TEXT NOT NULL
    ) STRICT""",
    """CREATE TABLE array (
        id INTEGER PRIMARY KEY,
        run INTEGER REFERENCES run(id) ON DELETE CASCADE,
        name TEXT NOT NULL,
        dtype TEXT NOT NULL,
        shape TEXT NOT NULL,
        codec TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        size_bytes INTEGER NOT NULL,
        UNIQUE (run, name)
    ) STRICT""",
    """CREATE TABLE array_chunk (
        array INTEGER NOT NULL REFERENCES array(id) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        data BLOB NOT NULL,
        PRIMARY KEY (array, position)
    ) STRICT""",
    """CREATE TABLE concept (
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
        side TEXT NOT NULL CHECK (side IN ('a', 'b')),
        model TEXT NOT NULL REFERENCES model(name) ON UPDATE CASCADE,
        layer TEXT NOT NULL,
        class TEXT NOT NULL,
        concept INTEGER NOT NULL,
        importance REAL,
        importance_signed REAL,
        importance_residual REAL,
        reconstruction_error REAL,
        converged INTEGER,
        iterations INTEGER,
        method TEXT,
        stability REAL,
        UNIQUE (run, side, class, concept)
    ) STRICT""",
    """CREATE TABLE concept_similarity (
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
        side TEXT NOT NULL CHECK (side IN ('a', 'b')),
        class TEXT NOT NULL,
        target_model TEXT NOT NULL REFERENCES model(name) ON UPDATE CASCADE,
        concept INTEGER NOT NULL,
        predictor_model TEXT NOT NULL REFERENCES model(name) ON UPDATE CASCADE,
        cmcs_pearson REAL,
        cmcs_spearman REAL,
        ci_low REAL,
        ci_high REAL,
        smcs_pearson REAL,
        smcs_spearman REAL,
        mcs_pearson REAL,
        mcs_spearman REAL,
        null_95 REAL,
        nonzero_weights INTEGER,
        n_images INTEGER,
        UNIQUE (run, side, class, concept)
    ) STRICT""",
    """CREATE TABLE replacement (
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
        side TEXT NOT NULL CHECK (side IN ('a', 'b')),
        class TEXT NOT NULL,
        target_model TEXT NOT NULL REFERENCES model(name) ON UPDATE CASCADE,
        concept INTEGER NOT NULL,
        predictor_model TEXT NOT NULL REFERENCES model(name) ON UPDATE CASCADE,
        delta_pearson REAL,
        l2 REAL,
        kl REAL,
        match_accuracy REAL,
        UNIQUE (run, side, class, concept)
    ) STRICT""",
    """CREATE TABLE patch (
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
        side TEXT NOT NULL CHECK (side IN ('a', 'b')),
        class TEXT NOT NULL,
        target_model TEXT NOT NULL REFERENCES model(name) ON UPDATE CASCADE,
        concept INTEGER NOT NULL,
        predictor_model TEXT NOT NULL REFERENCES model(name) ON UPDATE CASCADE,
        kind TEXT NOT NULL CHECK (kind IN ('top', 'under', 'over')),
        rank INTEGER NOT NULL,
        image INTEGER NOT NULL REFERENCES image(id),
        x INTEGER NOT NULL,
        y INTEGER NOT NULL,
        width INTEGER NOT NULL,
        height INTEGER NOT NULL,
        coefficient REAL,
        predicted REAL
    ) STRICT""",
    """CREATE TABLE layer_similarity (
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
        model_a TEXT NOT NULL REFERENCES model(name) ON UPDATE CASCADE,
        layer_a TEXT NOT NULL,
        model_b TEXT NOT NULL REFERENCES model(name) ON UPDATE CASCADE,
        layer_b TEXT NOT NULL,
        mmcs_pearson REAL,
        mmcs_spearman REAL,
        cka REAL,
        ci_low REAL,
        ci_high REAL,
        null_95 REAL,
        classes INTEGER,
        UNIQUE (run, layer_a, layer_b)
    ) STRICT""",
    # UNIQUE (run, name) holds no promise for arrays without a run, where `run` is NULL.
    "CREATE UNIQUE INDEX array_without_run ON array (name) WHERE run IS NULL",
    "CREATE INDEX image_by_label ON image (image_set, label)",
    "CREATE INDEX run_by_image_set ON run (image_set)",
    "CREATE INDEX problem_by_run ON problem (run)",
    "CREATE INDEX concept_by_class ON concept (run, class)",
    "CREATE INDEX concept_similarity_by_class ON concept_similarity (run, class)",
    "CREATE INDEX replacement_by_class ON replacement (run, class)",
    "CREATE INDEX patch_by_concept ON patch (run, side, class, concept, kind, rank)",
    "CREATE INDEX patch_by_image ON patch (image)",
)

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

JSON_COLUMNS = frozenset(
    {"class_names", "preprocessing", "load_report", "parameters", "versions", "shape"}
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
)
