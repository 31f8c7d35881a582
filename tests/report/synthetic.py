"""Run directories with results of our choosing, in the form that training writes."""

import copy
import json
from pathlib import Path
from typing import Any

import yaml


def write_run(
    outputs: Path,
    config: dict[str, Any],
    depth: int,
    residual: bool,
    seed: int,
    error: float,
    test_error: float | None = None,
    status: str = "finished",
    **settings: Any,
) -> Path:
    """A run whose clean training error ends at `error`; `settings` such as `recipe__lr=0.3`."""
    config = copy.deepcopy(config)
    config |= {"depth": depth, "residual": residual, "seed": seed}
    config["model"] |= {"depth": depth, "residual": residual}
    for key, value in settings.items():
        *groups, last = key.split("__")
        place = config
        for group in groups:
            place = place[group]
        place[last] = value
    tag = "-".join(f"{k}{v}" for k, v in settings.items())
    kind = "residual" if residual else "plain"
    directory = outputs / "runs" / "digits" / f"resnet-{depth}-{kind}" / f"s{seed}-{tag}0"
    directory.mkdir(parents=True)
    test_error = error if test_error is None else test_error
    scores = {
        split: {"step": 40, "loss": 2 * value, "error": value}
        for split, value in (("train", error), ("train_clean", error), ("test", test_error))
    }
    records = [
        {"step": step, "split": split, "loss": score["loss"], "error": score["error"] + 1 / step}
        for step in (10, 20, 30, 40)
        for split, score in scores.items()
    ]
    summary = {
        "status": status,
        "network": f"{'ResNet' if residual else 'plain'}-{depth} (cifar layout, basic)",
        "parameters": 1000 * depth,
        "hash": "0",
        "images": {"train": 1437, "test": 360},
        "data_fingerprint": "0",
        "seconds": 1.0,
        "last": scores,
        "environment": {"hardware": "none", "git_commit": None, "torch": "2"},
    }
    (directory / "config.yaml").write_text(yaml.safe_dump(config))
    (directory / "summary.json").write_text(json.dumps(summary))
    lines = [json.dumps(record) for record in records]
    (directory / "metrics.jsonl").write_text("\n".join(lines) + "\n")
    return directory
