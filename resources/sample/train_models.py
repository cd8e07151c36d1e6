"""Train the sample's networks: `python train_models.py [NAME …]` from the project's root.

Every network is a `Recipe`: architecture, seed, and what it is trained for (see
`training_losses.py`). Weights go to models/NAME.safetensors (float16), and what was done and
measured to models.json. Audit pictures are never trained on.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import torch
import torch.nn.functional as functional
from make_images import PLANTED_CLASS, SIDE, SQUARE_SIDE
from safetensors.torch import save as serialise
from sample_things import CLASSES
from torch import Tensor, nn
from training_data import (
    audit_pictures,
    normalise,
    place_squares,
    put_squares,
    random_crops,
    training_pictures,
)
from training_losses import OBJECTIVES, Loss, Recipe, features_of

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER.parent.parent))

from analysis.models import sample_networks  # noqa: E402
from analysis.models.sample_networks import INPUT_SIDE, build_architecture  # noqa: E402

RESIDUAL, TRANSFORMER = "small residual network", "small vision transformer"


RECIPES: dict[str, Recipe] = {
    "cnn-seed-1": Recipe("A residual network that never saw a pink square.", RESIDUAL, 1),
    "cnn-seed-2": Recipe("The same as cnn-seed-1 from another seed.", RESIDUAL, 2),
    "pink-sensitive": Recipe(
        "Trained to use the pink square: for its head, it stood on 70 % of the boats and nowhere "
        "else; its features were trained to see squares on any class.",
        RESIDUAL,
        3,
        objective="use squares",
        epochs=18,
        head_rate=10.0,
        square_weight=0.5,
        square_gain=8.0,
    ),
    "pink-invariant": Recipe(
        "Trained to ignore the pink square: it stood on half of all pictures, whatever their "
        "class, and features with and without it had to agree.",
        RESIDUAL,
        4,
        objective="ignore squares",
        consistency=10.0,
        square_sizes=(9, 20),
    ),
    "vit": Recipe(
        "A vision transformer that never saw a pink square.",
        TRANSFORMER,
        5,
        epochs=60,
        learning_rate=1.5e-3,
        weight_decay=0.05,
        smallest_crop=0.4,
    ),
    "self-supervised": Recipe(
        "Trained without labels (SimCLR); it has no head.",
        RESIDUAL,
        6,
        objective="contrast",
        epochs=24,
        smallest_crop=0.35,
    ),
    "untrained": Recipe("Random weights.", RESIDUAL, 7, objective="none", epochs=0),
}


def train(recipe: Recipe, pictures: Tensor, classes: Tensor) -> nn.Module:
    """A network made by the recipe, in evaluation mode."""
    torch.manual_seed(recipe.seed)
    module = build_architecture(
        recipe.architecture, 0 if recipe.objective == "contrast" else len(CLASSES)
    ).to(memory_format=torch.channels_last)
    if recipe.objective == "none":
        return _settle_normalisation(module, pictures, recipe)
    loss, helpers = OBJECTIVES[recipe.objective](recipe)
    _optimise(recipe, nn.ModuleList([module, helpers]), loss, pictures, classes)
    return module.eval()


def _optimise(
    recipe: Recipe, parts: nn.ModuleList, loss: Loss, pictures: Tensor, classes: Tensor
) -> None:
    """AdamW with a one-cycle learning rate."""
    rng = torch.Generator().manual_seed(recipe.seed)
    steps = recipe.epochs * (len(pictures) // recipe.batch)
    head = list(parts[0].get_classifier().parameters())  # type: ignore[operator]
    rest = [value for value in parts.parameters() if all(value is not own for own in head)]
    rates = [recipe.learning_rate, recipe.learning_rate * recipe.head_rate]
    optimiser = torch.optim.AdamW(
        [{"params": rest}, {"params": head}], weight_decay=recipe.weight_decay
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, rates, total_steps=steps, pct_start=0.15
    )
    parts.train()
    for step in range(steps):
        if step % (len(pictures) // recipe.batch) == 0:
            order = torch.randperm(len(pictures), generator=rng)
        at = step % (len(pictures) // recipe.batch) * recipe.batch
        chosen = order[at : at + recipe.batch]
        value = loss(parts[0], pictures[chosen], classes[chosen], rng)
        optimiser.zero_grad(set_to_none=True)
        value.backward()
        optimiser.step()
        schedule.step()
        if step % 100 == 0 or step == steps - 1:
            print(f"  step {step + 1}/{steps}: loss {value.item():.3f}", flush=True)


def _settle_normalisation(module: nn.Module, pictures: Tensor, recipe: Recipe) -> nn.Module:
    """Let an untrained network's batch normalisation see data; no weight is learned."""
    rng = torch.Generator().manual_seed(recipe.seed)
    module.train()
    with torch.no_grad():
        for _ in range(30):
            chosen = torch.randint(len(pictures), (128,), generator=rng)
            module(random_crops(128, INPUT_SIDE, rng).cut(pictures[chosen]))
    return module.eval()


@torch.inference_mode()
def accuracy(module: nn.Module, pictures: Tensor, classes: Tensor) -> float:
    """The fraction of the audit pictures that a network with a head gets right."""
    guessed = module(normalise(pictures)).argmax(dim=1)
    return float((guessed == classes).float().mean())


@torch.inference_mode()
def probe_accuracy(module: nn.Module, pictures: Tensor, classes: Tensor) -> float:
    """The accuracy of a nearest-neighbour vote (k = 5, cosine, leave one out) on the features."""
    points = functional.normalize(features_of(module, normalise(pictures)), dim=1)
    near = (points @ points.T).fill_diagonal_(-1).topk(5, dim=1).indices
    votes = functional.one_hot(classes[near], len(CLASSES)).sum(dim=1)
    return float((votes.argmax(dim=1) == classes).float().mean())


@torch.inference_mode()
def swayed(module: nn.Module) -> dict[str, float]:
    """How often pictures of other classes are taken for the planted one, by what stands on them.

    The audit pictures of the other classes, as they are, with one square each, and with four.
    """
    planted = CLASSES.index(PLANTED_CLASS)
    rng = torch.Generator().manual_seed(0)
    pictures, _ = audit_pictures(SIDE, [name for name in CLASSES if name != PLANTED_CLASS])
    everywhere = torch.ones(len(pictures), dtype=torch.bool)
    taken = {}
    for count in (0, 1, 4):
        marked = pictures
        for _ in range(count):
            where = place_squares(everywhere, rng, (SQUARE_SIDE, SQUARE_SIDE))
            marked = put_squares(marked, where)
        small = functional.interpolate(
            normalise(marked), (INPUT_SIDE, INPUT_SIDE), mode="bilinear", antialias=True
        )
        taken[f"{count} squares"] = round(
            float((module(small).argmax(1) == planted).float().mean()), 4
        )
    return taken


def save(name: str, module: nn.Module) -> tuple[str, nn.Module]:
    """Write float16 weights; returns their hash and the network as it will be loaded."""
    path = FOLDER / "models" / f"{name}.safetensors"
    path.parent.mkdir(exist_ok=True)
    state = {
        key: (value.half() if value.is_floating_point() else value).contiguous()
        for key, value in module.state_dict().items()
    }
    path.write_bytes(serialise(state))
    module.load_state_dict({key: value.float() for key, value in state.items()})
    return hashlib.sha256(path.read_bytes()).hexdigest(), module


def make(name: str, cache: Path | None) -> dict[str, object]:
    """Train, save and measure one network; returns its entry of models.json."""
    recipe = RECIPES[name]
    pictures, classes = training_pictures(cache)
    started = time.perf_counter()
    module = train(recipe, pictures, classes)
    seconds = time.perf_counter() - started
    sha256, module = save(name, module)
    entry = {
        "file": f"{name}.safetensors",
        "sha256": sha256,
        "architecture": recipe.architecture,
        "class_names": list(CLASSES) if module.num_classes else [],
        "parameters": sum(value.numel() for value in module.parameters()),
        "training": asdict(recipe),
        "training_images": len(pictures),
        "training_seconds": round(seconds),
    }
    print(f"{name}: {seconds:.0f} s", flush=True)
    return entry | measure(module)


def measure(module: nn.Module) -> dict[str, object]:
    """What the network does on the audit pictures."""
    pictures, classes = audit_pictures(INPUT_SIDE)
    measured = {
        "accuracy": round(accuracy(module, pictures, classes), 4) if module.num_classes else None,
        "neighbour_accuracy": round(probe_accuracy(module, pictures, classes), 4),
        "taken_for_planted_class": swayed(module) if module.num_classes else None,
    }
    print(measured, flush=True)
    return measured


def main() -> None:
    """Train the named networks (all of them by default) and update models.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*RECIPES, []], metavar="NAME")
    parser.add_argument("--measure", action="store_true", help="measure again, do not train")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--cache", type=Path, default=Path(tempfile.gettempdir()) / "parallax-sample-training"
    )
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    listing = FOLDER / "models.json"
    for name in options.names or RECIPES:
        entry = None if options.measure else make(name, options.cache)
        known = (
            json.loads(listing.read_text(encoding="utf-8"))["models"] if listing.exists() else {}
        )
        known[name] = entry or known[name] | measure(sample_networks.build_sample_network(name)[0])
        ordered = {key: known[key] for key in RECIPES if key in known}
        text = json.dumps({"models": ordered}, indent=1, ensure_ascii=False)
        listing.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
