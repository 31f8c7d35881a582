"""Run directories with results of our choosing, in the form that training writes."""

import copy
import json
from pathlib import Path
from typing import Any

import yaml

from resx.config.run_hash import RESULTS
from resx.report.collect import Collected, collect, find_runs
from resx.report.findings import Report, analyse
from resx.report.selection import Selection, select

Errors = dict[tuple[int, bool], tuple[float, ...]]  # by (depth, residual), one a seed

# Clean training errors: degradation as in the paper.
DEGRADED: Errors = {
    (20, False): (0.010, 0.012, 0.011),
    (56, False): (0.060, 0.055, 0.065),
    (20, True): (0.008, 0.009, 0.007),
    (56, True): (0.001, 0.002, 0.001),
}
STEPS = (10, 20, 30, 40)


class Runs:
    """Writes runs below `outputs` and reads them again."""

    def __init__(self, outputs: Path, base: dict[str, Any]) -> None:
        self.outputs = outputs
        self.base = base

    def write(
        self,
        errors: Errors,
        test: Errors | None = None,
        losses: Errors | None = None,
        **settings: Any,
    ) -> None:
        """Of every network as many seeds as it has errors.

        Test errors equal them, and losses are twice as large, unless they are given.
        """
        for network, values in errors.items():
            for seed, error in enumerate(values):
                test_error = error if test is None else test[network][seed]
                loss = None if losses is None else losses[network][seed]
                self.write_one(*network, seed, error, test_error, loss=loss, **settings)

    def write_one(
        self,
        depth: int,
        residual: bool,
        seed: int,
        error: float,
        test_error: float | None = None,
        status: str = "finished",
        loss: float | None = None,
        **settings: Any,
    ) -> Path:
        """A run whose clean training error ends at `error`; `settings` such as `recipe__lr=0.3`."""
        config = copy.deepcopy(self.base) | {"depth": depth, "residual": residual, "seed": seed}
        for key, value in settings.items():
            *groups, last = key.split("__")
            place = config
            for group in groups:
                place = place[group]
            place[last] = value
        kind = "residual" if residual else "plain"
        tag = "-".join(f"{k}{v}" for k, v in settings.items())
        network = f"{config['model']['name']}-{depth}-{kind}"
        directory = self.outputs / "runs" / config["data"]["name"] / network / f"s{seed}-{tag}0"
        directory.mkdir(parents=True)
        scores = scores_of(error, error if test_error is None else test_error)
        if loss is not None:
            scores["train_clean"]["loss"] = loss
        records = [
            score | {"step": step, "split": split, "error": score["error"] + 1 / step}
            for step in STEPS
            for split, score in scores.items()
        ]
        (directory / "config.yaml").write_text(yaml.dump(config, Dumper=yaml.CSafeDumper))
        (directory / "summary.json").write_text(json.dumps(summary_of(config, status, scores)))
        (directory / "metrics.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records))
        return directory

    def collect(self) -> Collected:
        return collect(find_runs(f"{self.outputs}/runs/**"))

    def report(self, **selection: Any) -> Report:
        """What a report of all runs finds, without its files."""
        return analyse(select(self.collect(), Selection("name", "question", "", **selection)))


def scores_of(error: float, test_error: float) -> dict[str, dict[str, Any]]:
    errors = {"train": error, "train_clean": error, "test": test_error}
    return {k: {"step": STEPS[-1], "loss": 2 * e, "error": e} for k, e in errors.items()}


def summary_of(
    config: dict[str, Any], status: str, scores: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    """Every key that a trained run's summary has."""
    kind = "ResNet" if config["residual"] else "plain"
    return {
        "network": f"{kind}-{config['depth']} (cifar layout, basic)",
        "model": config["model"]["name"],
        "depth": config["depth"],
        "residual": config["residual"],
        "seed": config["seed"],
        "hash": "0",
        "recipe": config["recipe"]["name"],
        "steps": STEPS[-1],
        "parameters": 1000 * config["depth"],
        "flops": 10_000 * config["depth"],
        "data": config["data"]["name"],
        "data_root": None,
        "data_fingerprint": "0",
        "images": {"train": 1437, "test": 360},
        "chance": 0.9,
        "normalization": {"mean": [0.3], "std": [0.4]},
        "device": "cpu",
        "precision": "fp32",
        "environment": {
            "resx": "0.1.0",
            "python": "3.11.7",
            "torch": "2",
            "threads": 1,
            "capability": "AVX2",
            "hardware": "none",
            "git_commit": None,
        },
        "started": "2026-01-01T00:00:00+0000",
        "status": status,
        "failure": None,
        "results": RESULTS,
        "step": STEPS[-1],
        "final": scores if status == "finished" else {},
        "last": scores,
        "running_statistics": scores if status == "finished" else {},
        "warmup_end": 0,
        "seconds": 1.0,
        "images_per_second": 1000.0,
        "peak_memory": 1_000_000,
        "ended": "2026-01-01T00:00:01+0000",
        "checksums": {},
    }
