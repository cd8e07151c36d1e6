"""Made-up saliency results as the views get them. Image ids are not row numbers."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from analysis.figures.saliency_data import (
    OUTSIDE,
    AttentionDepth,
    Cell,
    Curve,
    Curves,
    Explanation,
    FaithfulnessComparisons,
    FaithfulnessSummary,
    MeanCurve,
    MethodInfo,
    MetricInfo,
    SaliencyIndex,
    SaliencyMap,
)

MODELS = ("EfficientNet-Lite0", "EfficientNet-Lite2", "ViT-S/16 (DINO)")
VIT = MODELS[2]
METHODS = (
    MethodInfo("gradcam", "GradCAM", "cam", True, "Maps weighted by the mean gradient."),
    MethodInfo("gradcam++", "GradCAM++", "cam", True, "Places with a larger gradient count more."),
    MethodInfo("xgradcam", "XGradCAM", "cam", True, "Weights that conserve the score."),
    MethodInfo("scorecam", "Score-CAM", "cam", True, "Weights by the score of masked images."),
    MethodInfo("raw", "Raw attention", "attention", False, "Class token to patches, last layer."),
    MethodInfo("rollout", "Rollout", "attention", False, "Attention multiplied over layers."),
    MethodInfo("tibav", "TIBAV", "relevance", True, "Relevance times attention gradient."),
    MethodInfo("random", "Uniform random", "null", False, "Noise."),
    MethodInfo("gaussian", "Centre Gaussian", "null", False, "The middle of the image."),
    MethodInfo("sobel", "Sobel edges", "null", False, "Edges of the image."),
)
METRICS = (
    MetricInfo("average-drop", "Average drop", "lower", "Loss of probability; label's class."),
    MetricInfo("average-increase", "Average increase", "higher", "Share of images that gain."),
    MetricInfo("insertion", "Insertion", "higher", "Area; 224 steps, blurred baseline."),
    MetricInfo("deletion", "Deletion", "lower", "Area; 224 steps, grey baseline."),
    MetricInfo("road-morf", "ROAD MoRF", "lower", "Noisy linear imputation."),
    MetricInfo("energy-inside", "Energy inside", "higher", "Share inside the object's mask."),
    MetricInfo("sparseness", "Sparseness", "", "Gini coefficient."),
)
STEPS = 224
ATTENTION = {"raw", "rollout", "tibav"}
REASON = "the model has no attention that can be recorded"
REGION = (10, 5, 200, 200)


def index(
    images: int = 12, run: int = 7, methods: tuple[MethodInfo, ...] = METHODS
) -> SaliencyIndex:
    """Convolutional models refuse what needs attention; the last image is not done yet."""
    available = np.ones((images, len(MODELS), len(methods)), dtype=bool)
    attention = np.array([method.label in ATTENTION for method in methods])
    available[:, :2, attention] = False
    if images > 1:
        available[-1, 2] = False
    return SaliencyIndex(
        run=run,
        models=MODELS,
        methods=methods,
        images=np.arange(images, dtype=np.int64) * 3 + 40,
        image_names=tuple(
            f"{'mammal' if i % 2 else 'vehicle'}/image_{i:04}.jpg" for i in range(images)
        ),
        image_labels=tuple("mammal" if i % 2 else "vehicle" for i in range(images)),
        available=available,
        layers={
            (model, method.label): "" if method.kind == "null" else layer
            for model, layer in zip(
                MODELS, ("conv_head", "conv_head", "blocks.11.norm1"), strict=True
            )
            for method in methods
        },
        depth_models=(VIT,),
        steps=STEPS,
        settings=(
            ("preset", "correct"),
            ("class", "predicted"),
            ("frame", "224, central square of 224"),
            ("steps", "224"),
            ("insertion from", "blurred image (11 × 11, σ 5)"),
            ("deletion to", "mean grey"),
            ("images", "100 of 400"),
        ),
        refused=tuple(
            (model, method.title, REASON)
            for model in MODELS[:2]
            for method in methods
            if method.label in ATTENTION
        ),
    )


def saliency_map(cell: Cell, region: tuple[int, int, int, int] = REGION) -> SaliencyMap:
    """A blob whose place depends on the cell; null maps have no class."""
    number = (cell.image * 7 + len(cell.model) * 5 + sum(map(ord, cell.method))) % 97
    rng = np.random.default_rng(number)
    side = 14 if cell.model == VIT else 7
    if cell.method == "random":
        values = rng.random((56, 56))
    else:
        y, x = np.mgrid[0:side, 0:side] / (side - 1)
        at_x, at_y = rng.uniform(0.3, 0.7, 2)
        values = np.exp(-((x - at_x) ** 2 + (y - at_y) ** 2) / 0.05) + 0.1 * rng.random(x.shape)
    kind = next(m for m in METHODS if m.label == cell.method)
    return SaliencyMap(
        cell=cell,
        values=values.astype(np.float32),
        region=region,
        layer="" if kind.kind == "null" else "conv_head",
        class_name="Siberian husky" if kind.class_dependent else "",
        score=0.2 + 0.7 * float(rng.random()),
        tied=0.0 if cell.method != "sobel" else 0.31,
        note="the gradient is zero in half of the channels" if cell.method == "xgradcam" else "",
    )


def maps(cells: Iterable[Cell]) -> dict[Cell, SaliencyMap]:
    return {cell: saliency_map(cell) for cell in cells}


def summary(run: int = 7) -> FaithfulnessSummary:
    """GradCAM is best told apart in average drop, level with Score-CAM in insertion."""
    shape = (len(METRICS), len(MODELS), len(METHODS))
    rng = np.random.default_rng(1)
    mean = 0.15 + 0.6 * rng.random(shape)
    for place, method in enumerate(METHODS):
        if method.label in ATTENTION:
            mean[:, :2, place] = np.nan
    half = 0.02 + 0.03 * rng.random(shape)
    best, level = np.zeros(shape, bool), np.zeros(shape, bool)
    mean[0, 0, 0], best[0, 0, 0] = 0.08, True
    mean[2, 0, 0], mean[2, 0, 3] = 0.81, 0.80
    level[2, 0, [0, 3]] = True
    return FaithfulnessSummary(
        run=run,
        metrics=METRICS,
        models=MODELS,
        methods=METHODS,
        mean=mean,
        ci_low=mean - half,
        ci_high=mean + half,
        n=np.where(np.isfinite(mean), 100, 0),
        best=best,
        level=level,
        tied=np.tile(np.linspace(0, 0.3, len(METHODS)), (len(MODELS), 1)),
    )


def comparisons(run: int = 7) -> FaithfulnessComparisons:
    """Two comparisons of methods and one of models."""
    return FaithfulnessComparisons(
        run=run,
        metric=np.array(["insertion", "average-drop", "insertion"]),
        model_a=np.array([MODELS[0], MODELS[0], MODELS[0]]),
        method_a=np.array(["gradcam", "gradcam", "gradcam"]),
        model_b=np.array([MODELS[0], MODELS[0], MODELS[1]]),
        method_b=np.array(["scorecam", "random", "gradcam"]),
        difference=np.array([0.01, -0.4, 0.12]),
        ci_low=np.array([-0.02, -0.5, 0.05]),
        ci_high=np.array([0.04, -0.3, 0.2]),
        p=np.array([0.4, 0.0002, 0.003]),
        p_adjusted=np.array([0.6, 0.001, 0.01]),
        n=np.array([100, 100, 100]),
    )


def _rising(seed: int, kind: str, steps: int = STEPS) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = np.linspace(0, 1, steps + 1)
    curve = 0.05 + 0.85 / (1 + np.exp(-12 * (x - 0.2 - 0.3 * rng.random())))
    curve += 0.02 * np.cumsum(rng.normal(0, 0.3, steps + 1)) * x * (1 - x)
    return np.clip(curve if kind == "insertion" else curve[::-1], 0, 1).astype(np.float32)


def curves(cells: Iterable[Cell], run: int = 7) -> Curves:
    """Both curves of each cell, the means of their models and methods, and of the null maps."""
    cells = tuple(cells)
    x = np.linspace(0, 1, STEPS + 1)
    single, means = [], []
    for cell in cells:
        seed = cell.image + len(cell.model) * 31 + sum(map(ord, cell.method))
        for kind in ("insertion", "deletion"):
            scores = _rising(seed, kind)
            single.append(Curve(cell, kind, x, scores, float(scores.mean())))
    pairs = dict.fromkeys((cell.model, cell.method) for cell in cells)
    pairs |= dict.fromkeys((cell.model, null) for cell in cells for null in ("random", "gaussian"))
    for number, (model, method) in enumerate(pairs):
        for kind in ("insertion", "deletion"):
            mean = _rising(1000 + number, kind)
            low, high = mean - 0.05, mean + 0.05
            auc = float(mean.mean())
            means.append(MeanCurve(model, method, kind, x, mean, low, high, 100, auc))
    return Curves(run, tuple(single), tuple(means))


def depth(image: int, model: str = VIT, layers: int = 12, heads: int = 6) -> AttentionDepth:
    rng = np.random.default_rng(image + 1)
    values = rng.random((layers, heads, 14, 14)).astype(np.float32) ** 3
    names = tuple(f"blocks.{layer}.attn" for layer in range(layers))
    return AttentionDepth(image, model, names, values, REGION)


def explanation(name: str = "holiday.jpg", side: int = 224) -> Explanation:
    """A picture of no project."""
    base = index(images=1, run=0)
    cells = [
        Cell(OUTSIDE, model, method.label)
        for place, model in enumerate(MODELS)
        for at, method in enumerate(METHODS)
        if base.available[0, place, at]
    ]
    one = SaliencyIndex(
        run=0,
        models=MODELS,
        methods=METHODS,
        images=np.array([OUTSIDE], dtype=np.int64),
        image_names=(name,),
        image_labels=("",),
        available=base.available,
        layers=base.layers,
        depth_models=(VIT,),
        steps=0,
        settings=(("class", "predicted"),),
        refused=base.refused,
    )
    y, x = np.mgrid[0:side, 0:side]
    pixels = np.stack([x % 256, y % 256, (x + y) // 2 % 256], axis=2).astype(np.uint8)
    found = tuple(saliency_map(cell, (0, 0, side, side)) for cell in cells)
    return Explanation(
        name, pixels, one, found, (depth(OUTSIDE),), (("ResNet-50", "its weights are not there"),)
    )
