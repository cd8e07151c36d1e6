"""What version 5 of the project file added: findings, slices of the images, composed reports, and
two more measures of how alike layers are."""

from __future__ import annotations

# `finding.view_state`: what the view showed (see `app.view_states`), so that it can be shown
# again; `run` is NULL once that run was removed. `image_slice.origin`: in words, how the images
# were chosen. `report.composition`: the blocks of a composed report, in their order.
VERSION_5 = (
    """CREATE TABLE finding (
        id INTEGER PRIMARY KEY,
        title TEXT NOT NULL,
        note TEXT NOT NULL,
        verdict TEXT NOT NULL
            CHECK (verdict IN ('expected', 'suspicious', 'spurious', 'needs review')),
        severity TEXT NOT NULL CHECK (severity IN ('low', 'medium', 'high')),
        tags TEXT NOT NULL,
        perspective TEXT NOT NULL,
        run INTEGER REFERENCES run(id) ON DELETE SET NULL,
        view_state TEXT NOT NULL,
        created TEXT NOT NULL,
        changed TEXT NOT NULL
    ) STRICT""",
    """CREATE TABLE finding_picture (
        finding INTEGER PRIMARY KEY REFERENCES finding(id) ON DELETE CASCADE,
        width INTEGER NOT NULL,
        height INTEGER NOT NULL,
        data BLOB NOT NULL
    ) STRICT""",
    """CREATE TABLE image_slice (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        origin TEXT NOT NULL,
        created TEXT NOT NULL
    ) STRICT""",
    """CREATE TABLE image_slice_image (
        id INTEGER PRIMARY KEY,
        image_slice INTEGER NOT NULL REFERENCES image_slice(id) ON DELETE CASCADE,
        image INTEGER NOT NULL REFERENCES image(id) ON DELETE CASCADE,
        UNIQUE (image_slice, image)
    ) STRICT""",
    """CREATE TABLE report (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        template TEXT NOT NULL,
        composition TEXT NOT NULL,
        created TEXT NOT NULL,
        changed TEXT NOT NULL
    ) STRICT""",
    "CREATE INDEX finding_by_run ON finding (run)",
    "CREATE INDEX image_slice_image_by_image ON image_slice_image (image)",
    "ALTER TABLE layer_similarity ADD COLUMN rsa REAL",
    "ALTER TABLE layer_similarity ADD COLUMN procrustes REAL",
)
