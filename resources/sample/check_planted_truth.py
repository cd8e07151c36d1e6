"""Measure the sample's planted truth, literally: `python check_planted_truth.py [--target A …]`.

A plain re-reading of RSVC with other libraries than the product's engines: patches of each class
(64 of 224 pixels, stride 51), scikit-learn's NMF of the target's penultimate features, celer's
Lasso (alpha 0.1, five folds over images) from the predictor's, Pearson on held-out images.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as functional
from celer import Lasso
from make_images import AUDIT_SEED, IMAGES_PER_CLASS, PLANTED_CLASS, audit_scene, label_numbers
from numpy.typing import NDArray
from PIL import Image
from sample_things import CLASSES
from sklearn.decomposition import NMF
from sklearn.preprocessing import StandardScaler

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from analysis.models.sample_networks import INPUT_SIDE, build_sample_network

SIZE, STRIDE, FRAME = 64, 51, 224
PER_IMAGE = 16


def patches_of(class_name: str, seed: int = AUDIT_SEED) -> tuple[torch.Tensor, NDArray[np.float64]]:
    """The patches of a class's audit pictures at the input size, and each one's pink fraction."""
    pink = label_numbers()["part"]["pink square"]
    patches, fractions = [], []
    for index in range(IMAGES_PER_CLASS):
        scene = audit_scene(class_name, index, seed)
        frame = Image.fromarray(scene.pixels).resize((FRAME, FRAME), Image.Resampling.BILINEAR)
        marked = Image.fromarray((scene.planes["part"] == pink).astype(np.uint8))
        plane = np.asarray(marked.resize((FRAME, FRAME), Image.Resampling.NEAREST))
        pixels = torch.from_numpy(np.array(frame)).permute(2, 0, 1)
        for top in range(0, FRAME - SIZE + 1, STRIDE):
            for left in range(0, FRAME - SIZE + 1, STRIDE):
                window = (slice(top, top + SIZE), slice(left, left + SIZE))
                patches.append(pixels[:, *window])
                fractions.append(plane[window].mean())
    stacked = torch.stack(patches).float() / 255
    grown = functional.interpolate(stacked, (INPUT_SIDE, INPUT_SIDE), mode="bilinear")
    return (grown - 0.5) / 0.25, np.array(fractions)


@torch.inference_mode()
def features_of(name: str, patches: torch.Tensor) -> NDArray[np.float64]:
    """Penultimate features (patches, d) of a sample network."""
    module, _, _ = build_sample_network(name)
    features = module.forward_head(module.forward_features(patches), pre_logits=True)  # type: ignore[operator]
    return features.double().numpy()


def concepts_of(features: NDArray[np.float64], components: int) -> NDArray[np.float64]:
    """Concept coefficients (patches, k) of features that are not negative."""
    return NMF(components, init="nndsvd", max_iter=2000, tol=1e-5).fit_transform(features)


def cross_model_similarity(
    predictor: NDArray[np.float64], coefficients: NDArray[np.float64], alpha: float = 0.1
) -> NDArray[np.float64]:
    """Out-of-fold Pearson correlation of predicted and real coefficients, one per concept."""
    X = StandardScaler().fit_transform(predictor)
    U = StandardScaler().fit_transform(coefficients)
    image = np.arange(len(X)) // PER_IMAGE
    similarity = []
    for column in U.T:
        predicted = np.zeros(len(column))
        for held in np.array_split(np.unique(image), 5):
            test = np.isin(image, held)
            lasso = Lasso(alpha=alpha).fit(X[~test], column[~test])
            predicted[test] = lasso.predict(X[test])
        constant = predicted.std() < 1e-9
        similarity.append(0.0 if constant else float(np.corrcoef(predicted, column)[0, 1]))
    return np.array(similarity)


def planted(components: int, seed: int) -> None:
    """The planted class: is the pink concept the one that the invariant network cannot predict?"""
    patches, pink = patches_of(PLANTED_CLASS, seed)
    U = concepts_of(features_of("pink-sensitive", patches), components)
    likeness = np.array([np.corrcoef(column, pink)[0, 1] for column in U.T])
    print(f"\n{PLANTED_CLASS}: concepts of pink-sensitive")
    print("correlation with pink  ", np.round(likeness, 2))
    concept = int(likeness.argmax())
    top = np.argsort(U[:, concept])[::-1][:10]
    print(
        f"pink concept {concept}: {np.mean(pink[top] > 0):.0%} of its top 10 patches contain pink"
    )
    for predictor in ("pink-invariant", "cnn-seed-1", "cnn-seed-2", "vit", "untrained"):
        cmcs = cross_model_similarity(features_of(predictor, patches), U)
        others = np.delete(cmcs, concept)
        print(
            f"from {predictor:15s} pink {cmcs[concept]:.2f}, others mean {others.mean():.2f}",
            f"[{others.min():.2f}, {others.max():.2f}]",
        )


def pairs(components: int, target: str, seed: int) -> None:
    """The mean similarity of one target's concepts from each predictor, over all classes."""
    print(f"\nmean over classes and concepts of {target}")
    scores: dict[str, list[float]] = {}
    for class_name in CLASSES:
        patches, _ = patches_of(class_name, seed)
        U = concepts_of(features_of(target, patches), components)
        for predictor in PREDICTORS:
            if predictor != target:
                values = cross_model_similarity(features_of(predictor, patches), U)
                scores.setdefault(predictor, []).append(float(values.mean()))
    for predictor, values in scores.items():
        print(f"from {predictor:15s} {np.mean(values):.3f}  by class {np.round(values, 2)}")


PREDICTORS = (
    "cnn-seed-1", "cnn-seed-2", "pink-sensitive", "pink-invariant", "vit", "self-supervised",
    "untrained",
)  # fmt: skip


def main() -> None:
    """Print the measurements."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--components", type=int, default=10)
    parser.add_argument("--seed", type=int, default=AUDIT_SEED, help="of the pictures")
    parser.add_argument("--target", action="append", default=[])
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", category=UserWarning)
    planted(options.components, options.seed)
    for target in options.target:
        pairs(options.components, target, options.seed)


if __name__ == "__main__":
    main()
