"""Made-up results of semantics as the views get them. Numbers of concepts are not row numbers."""

from __future__ import annotations

import numpy as np

from analysis.figures.semantics_data import (
    MEAN,
    ConceptExample,
    ConceptSetInfo,
    DepthLayer,
    FoundConcept,
    MaskSimilarityMatrix,
    ProjectedMasks,
    SemanticsIndex,
    Separability,
    SpaceSimilarityMatrix,
    TcavScores,
)

MODEL_A, MODEL_B = "EfficientNet-Lite0", "SSD300-VGG16"
CONCEPTS = ("striped", "wheel", "grass", "fur", "sky", "planted cross")
CLASSES = ("mammal", "vehicle", "bird")
THRESHOLDS = np.round(np.arange(0.05, 1.0, 0.05), 2)
RUN = 11
BOX = (12, 4, 200, 200)


def layers(count: int, stem: str) -> tuple[DepthLayer, ...]:
    """Layers of a model, from the first to the last."""
    return tuple(
        DepthLayer(f"{stem}.{place // 3}.{place % 3}", depth)
        for place, depth in enumerate(np.round(np.linspace(0.05, 1.0, count), 3).tolist())
    )


LAYERS_A, LAYERS_B = layers(12, "blocks"), layers(9, "backbone.features")


def index(
    run: int = RUN, trained: tuple[bool, bool] = (True, False), same: bool = False
) -> SemanticsIndex:
    """The second model is untrained; masks were made in some of the layers."""
    models = (MODEL_A, MODEL_A if same else MODEL_B)
    second = LAYERS_A if same else LAYERS_B
    images = np.arange(8, dtype=np.int64) * 3 + 40
    return SemanticsIndex(
        run=run,
        models=models,
        layers=(LAYERS_A, second),
        concepts=CONCEPTS,
        mask_layers=(LAYERS_A[3::4], second[2::3]),
        thresholds=(0.5, 0.75),
        classes=CLASSES,
        images=images,
        image_names=tuple(f"mammal/image_{i:04}.jpg" for i in range(8)),
        trained=trained,
        settings=(
            ("concepts", "6 sets, 50 negatives each, drawn at random"),
            ("random sets", "500"),
            ("masks", "10 concepts a layer, normalised by image, presence gate 0.1"),
            ("thresholds", "0.5, 0.75 and a grid of 0.05"),
            ("images", "120 of 400, frame 224"),
            ("seed", "0"),
        ),
        left_out=(
            ("SSD300-VGG16, classes", "a detector's backbone has no classifier"),
            ("image mammal/broken.jpg", "the file ends before the image does"),
        ),
    )


def space(concept: str = MEAN, run: int = RUN, blank: bool = True) -> SpaceSimilarityMatrix:
    """Similar at the same relative depth; the first layers no better than chance."""
    rng = np.random.default_rng(1 + CONCEPTS.index(concept) if concept else 0)
    depth_a = np.array([layer.depth for layer in LAYERS_A])
    depth_b = np.array([layer.depth for layer in LAYERS_B])
    apart = np.abs(np.subtract.outer(depth_a, depth_b))
    values = 0.75 - 0.8 * apart + rng.normal(0, 0.04, apart.shape)
    null = np.full(values.shape, 0.24)
    p = np.where(values > 0.3, 0.002, 0.4)
    if blank:
        for array in (values, null, p):
            array[0, :2] = np.nan
    return SpaceSimilarityMatrix(
        run, concept, LAYERS_A, LAYERS_B, values, values - 0.05, values - 0.08, values + 0.07,
        null, p, 120, np.full(values.shape, np.nan),
    )  # fmt: skip


def separability(model: str = MODEL_A, run: int = RUN) -> Separability:
    """Rising with depth in the trained model, at chance in the other one."""
    places = LAYERS_A if model == MODEL_A else LAYERS_B
    rng = np.random.default_rng(5 if model == MODEL_A else 6)
    depth = np.array([layer.depth for layer in places])
    shape = (len(CONCEPTS), len(places))
    start = np.linspace(0.62, 0.5, len(CONCEPTS))[:, None]
    rise = 0.4 if model == MODEL_A else 0.12
    accuracy = np.clip(start + rise * depth + rng.normal(0, 0.02, shape), 0.4, 1.0)
    null = np.full(shape, 0.6)
    return Separability(
        run, model, places, CONCEPTS, accuracy, accuracy - 0.05, np.minimum(1, accuracy + 0.05),
        null, np.clip(accuracy, 0, 0.95), accuracy > null, np.full(shape, 50), np.full(shape, 60),
        np.full(shape, np.nan),
    )  # fmt: skip


def tcav(model: str = MODEL_A, layer: str = LAYERS_A[-1].name, run: int = RUN) -> TcavScores:
    """The last concept is not told apart; some scores lie within what random concepts give."""
    rng = np.random.default_rng(8)
    shape = (len(CONCEPTS), len(CLASSES))
    score = np.clip(rng.beta(1.2, 1.0, shape), 0.02, 0.98)
    score[0, 0], score[1, 0] = 0.93, 0.52
    separates = np.ones(len(CONCEPTS), bool)
    separates[-1] = False
    return TcavScores(
        run, model, layer, CONCEPTS, CLASSES, score, np.maximum(0, score - 0.07),
        np.minimum(1, score + 0.06), np.full(shape, 0.31), np.full(shape, 0.68),
        np.where((score > 0.7) | (score < 0.3), 0.002, 0.6), separates,
    )  # fmt: skip


def found(count: int, seed: int, class_name: str = "mammal") -> tuple[FoundConcept, ...]:
    """Numbers go on from 2: a view that took rows for numbers would be caught."""
    rng = np.random.default_rng(seed)
    return tuple(
        FoundConcept(place + 2, float(rng.beta(1, 3)), class_name, 0.21, float(rng.uniform(0.2, 1)))
        for place in range(count)
    )


def masks(
    layer_a: str = LAYERS_A[11].name, layer_b: str = LAYERS_B[8].name, run: int = RUN,
    count_a: int = 10, count_b: int = 8,
) -> MaskSimilarityMatrix:  # fmt: skip
    """Concept i of A goes with concept i of B, the less so the higher the threshold."""
    rng = np.random.default_rng(len(layer_a) + len(layer_b))
    base = 0.12 + 0.1 * rng.random((count_a, count_b))
    matched = np.zeros((count_a, count_b), bool)
    for place in range(min(count_a, count_b)):
        base[place, place] = 0.85 - 0.07 * place
        matched[place, place] = True
    fall = (1.0 - 0.75 * THRESHOLDS**2)[:, None, None]
    ucs = base * fall
    ucs[-1, -1, -1] = np.nan
    return MaskSimilarityMatrix(
        run, layer_a, layer_b, found(count_a, 3), found(count_b, 4, ""), THRESHOLDS,
        ucs, np.maximum(0, ucs - 0.05), np.minimum(1, ucs + 0.05), np.full(base.shape, 0.17) * fall,
        np.repeat(matched[None], len(THRESHOLDS), axis=0), 120,
        np.full(ucs.shape, np.nan),
    )  # fmt: skip


def projected(
    concept_a: int = 2, concept_b: int = 2, layer_a: str = LAYERS_A[11].name,
    layer_b: str = LAYERS_B[8].name, images: int = 8, run: int = RUN,
) -> ProjectedMasks:  # fmt: skip
    """Blobs near each other, at different resolutions."""
    rng = np.random.default_rng(concept_a * 31 + concept_b)

    def blobs(side: int, shift: float) -> np.ndarray:
        y, x = np.mgrid[0:side, 0:side] / (side - 1)
        parts = []
        for centre in rng.uniform(0.3, 0.7, (images, 2)):
            apart = (x - centre[0] - shift) ** 2 + (y - centre[1]) ** 2
            parts.append(np.exp(-apart / 0.06))
        return np.stack(parts).astype(np.float32)

    state = rng.bit_generator.state
    first = blobs(7, 0.0)
    rng.bit_generator.state = state
    return ProjectedMasks(
        run, layer_a, concept_a, layer_b, concept_b, np.arange(images, dtype=np.int64) * 3 + 40,
        (BOX,) * images, first, blobs(14, 0.08),
    )  # fmt: skip


def concept_sets() -> tuple[ConceptSetInfo, ...]:
    """One of each kind; ids are not row numbers."""
    return (
        ConceptSetInfo(7, "striped", "patches", "patches of scenes", 24, None),
        ConceptSetInfo(3, "wheel", "labels", "label “wheel” of Broden planes", 118, None),
        ConceptSetInfo(9, "grass", "folder", "concepts/grass", None, None),
        ConceptSetInfo(12, "fur", "patches", "patches of scenes", 9, 5),
    )


def examples(
    concept_set: int, positives: int = 24, negatives: int = 0
) -> tuple[ConceptExample, ...]:
    """Patches of some images, ids far from row numbers."""
    return tuple(
        ConceptExample(
            concept_set * 1000 + place * 7, 40 + place * 3, (place % 3 * 60, 20, 64, 64),
            "positive" if place < positives else "negative",
        )
        for place in range(positives + negatives)
    )  # fmt: skip
