"""What version 4 of the project file added: concepts given by examples, and semantic similarity."""

from __future__ import annotations

# `concept_set`: a concept that the user gives by examples: a folder of pictures, the regions of
# label planes that carry a label, or patches of images (`concept_example`, boxes in pixels of the
# upright original). `space_similarity.concept` is NULL for the mean of all concepts, which alone
# has a mean by Fisher's z as well. `mask_concept.lost`: share of squared activation that was
# negative and left out.
# `mask_concept.concept` counts the concepts found in a layer from 0. Array
# `projections/{position of the model}/{layer}`: (images, concepts, rows, columns) bytes, 255 for
# 1, what masks are cut from; `projections/images`: the images.
VERSION_4 = (
    """CREATE TABLE concept_set (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL CHECK (kind IN ('folder', 'labels', 'patches')),
        source TEXT,
        source_relative TEXT,
        label TEXT,
        category TEXT,
        created TEXT NOT NULL
    ) STRICT""",
    """CREATE TABLE concept_example (
        id INTEGER PRIMARY KEY,
        concept_set INTEGER NOT NULL REFERENCES concept_set(id) ON DELETE CASCADE,
        role TEXT NOT NULL CHECK (role IN ('positive', 'negative')),
        image INTEGER NOT NULL REFERENCES image(id) ON DELETE CASCADE,
        x INTEGER NOT NULL,
        y INTEGER NOT NULL,
        width INTEGER NOT NULL,
        height INTEGER NOT NULL,
        UNIQUE (concept_set, role, image, x, y, width, height)
    ) STRICT""",
    """CREATE TABLE concept_vector (
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
        model TEXT NOT NULL REFERENCES model(name) ON UPDATE CASCADE,
        layer TEXT NOT NULL,
        concept TEXT NOT NULL,
        accuracy REAL,
        ci_low REAL,
        ci_high REAL,
        auc REAL,
        null_95 REAL,
        p REAL,
        stability REAL,
        separates INTEGER NOT NULL,
        n_positive INTEGER,
        n_negative INTEGER,
        UNIQUE (run, model, layer, concept)
    ) STRICT""",
    """CREATE TABLE space_similarity (
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
        model_a TEXT NOT NULL REFERENCES model(name) ON UPDATE CASCADE,
        layer_a TEXT NOT NULL,
        model_b TEXT NOT NULL REFERENCES model(name) ON UPDATE CASCADE,
        layer_b TEXT NOT NULL,
        concept TEXT,
        sfss_pearson REAL,
        sfss_spearman REAL,
        sfss_fisher REAL,
        ci_low REAL,
        ci_high REAL,
        null_95 REAL,
        p_adjusted REAL,
        n INTEGER
    ) STRICT""",
    """CREATE TABLE tcav (
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
        model TEXT NOT NULL REFERENCES model(name) ON UPDATE CASCADE,
        layer TEXT NOT NULL,
        concept TEXT NOT NULL,
        class TEXT NOT NULL,
        score REAL,
        ci_low REAL,
        ci_high REAL,
        null_low REAL,
        null_high REAL,
        p REAL,
        p_adjusted REAL,
        n INTEGER,
        random_sets INTEGER,
        UNIQUE (run, model, layer, concept, class)
    ) STRICT""",
    """CREATE TABLE mask_concept (
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
        model TEXT NOT NULL REFERENCES model(name) ON UPDATE CASCADE,
        layer TEXT NOT NULL,
        concept INTEGER NOT NULL,
        class TEXT,
        importance REAL,
        fidelity REAL,
        reconstruction_error REAL,
        lost REAL,
        presence REAL,
        UNIQUE (run, model, layer, concept)
    ) STRICT""",
    """CREATE TABLE mask_similarity (
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
        model_a TEXT NOT NULL REFERENCES model(name) ON UPDATE CASCADE,
        layer_a TEXT NOT NULL,
        concept_a INTEGER NOT NULL,
        model_b TEXT NOT NULL REFERENCES model(name) ON UPDATE CASCADE,
        layer_b TEXT NOT NULL,
        concept_b INTEGER NOT NULL,
        threshold REAL NOT NULL,
        ucs REAL,
        ci_low REAL,
        ci_high REAL,
        null_95 REAL,
        p_adjusted REAL,
        matched INTEGER NOT NULL,
        n INTEGER,
        UNIQUE (run, layer_a, concept_a, layer_b, concept_b, threshold)
    ) STRICT""",
    "CREATE INDEX concept_example_by_image ON concept_example (image)",
    "CREATE INDEX space_similarity_by_layers ON space_similarity (run, concept)",
)
