"""A command as a Hydra job: composed, checked, run; in a sweep, noted and never raised."""

import importlib
import json
import os
import sys
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from resx.config import outcomes
from resx.config.composing import parse, register_schema, trust_what_was_typed, typed_now
from resx.config.foreign_code import refuse_foreign_code
from resx.config.location import conf_dir
from resx.config.mistyped import well_typed
from resx.config.notes import report
from resx.config.refusals import one_line
from resx.config.requests import COMMANDS, GRIDS
from resx.config.settings import validated
from resx.errors import RequestError
from resx.interruption import received
from resx.process import several


def run_job(name: str, flags: list[str], overrides: list[str]) -> int:
    """The exit code of a command with Hydra's flags and the overrides that were typed."""
    if several() and (name != "train" or {"-m", "--multirun"} & {*flags}):
        raise RequestError("several processes (torchrun) share one run, of resx train without -m")
    overrides = well_typed(name, flags, overrides)
    if name in GRIDS:
        overrides = gather_sweeps(overrides)
    refuse_foreign_code(name, flags, overrides)
    return run_through_hydra(name, [*flags, *overrides])


def gather_sweeps(overrides: list[str]) -> list[str]:
    """`study=degradation seed=range(5)` -> `study=degradation sweeps=["seed=range(5)"]`.

    Hydra itself allows a sweep only in a multirun; a study is one, but not of itself.
    """
    swept = [
        o for o in overrides if not o.startswith("hydra") and next(parse([o])).values is not None
    ]
    rest = [o for o in overrides if o not in swept]
    return [*rest, f"sweeps={json.dumps(swept)}"] if swept else rest


def run_through_hydra(name: str, arguments: list[str], program: str = "") -> int:
    """The command's exit code, or in a sweep 1 if a job failed. Raises what a single job raises."""
    register_schema(name)
    code, failure = 0, None

    def job(composed: DictConfig) -> float | None:
        nonlocal code, failure
        if HydraConfig.get().mode == RunMode.MULTIRUN:
            done = outcomes.note_outcome(
                lambda: run_command(name, composed), lambda e: one_line(e, name)
            )
            return objective(composed) if done and name == "train" else None
        try:
            code = run_command(name, composed)
        except Exception as error:  # raised below: Hydra would add a line of its own
            failure = error
        return None

    # Hydra reads sys.argv itself, and would print errors and exit unless told to raise them.
    old_argv, old_full_error = sys.argv, os.environ.get("HYDRA_FULL_ERROR")
    sys.argv = [program or f"resx {name}", *arguments]
    os.environ["HYDRA_FULL_ERROR"] = "1"
    outcomes.SweepDirectory.path = None
    try:
        with outcomes.SweepDirectory.stack:
            hydra.main(version_base="1.3", config_path=str(conf_dir()), config_name=name)(job)()
    finally:
        sys.argv = old_argv
        if old_full_error is None:
            del os.environ["HYDRA_FULL_ERROR"]
        else:
            os.environ["HYDRA_FULL_ERROR"] = old_full_error
    if failure is not None:
        raise failure
    if (sweep := outcomes.SweepDirectory.path) is None:
        return code
    if received():
        raise KeyboardInterrupt(received())
    return 0 if outcomes.SweepDirectory.shared else report(sweep)


def objective(composed: DictConfig) -> float | None:
    """The value of a job of `resx train` that is done, for sweepers that optimise."""
    train: Any = importlib.import_module("resx.commands.train")
    value: float | None = train.objective(validated(composed, COMMANDS["train"]))
    return value


def run_command(name: str, composed: DictConfig) -> int:
    if received():  # while Hydra composed, by code that went on
        raise KeyboardInterrupt(received())
    config: Any = validated(composed, COMMANDS[name])
    typed = typed_now(composed)
    trust_what_was_typed(config, typed)
    module: Any = importlib.import_module(f"resx.commands.{name}")
    code = module.main(config, typed)
    assert isinstance(code, int)
    return code
