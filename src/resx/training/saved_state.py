"""Whether a checkpoint's state can be gone on from: looked at before any of it is loaded."""

import math
from typing import Any

import torch
from torch import Tensor

from resx.config.schema import RecipeConfig
from resx.config.typed import is_number, typed
from resx.store.summary import Score
from resx.training.state import State

NEEDED = {"adamw": {"step", "exp_avg", "exp_avg_sq"}, "sgd": set[str]()}  # of every parameter


def refuse_misfit(saved: dict[str, Any], state: State, recipe: RecipeConfig) -> None:
    """Raises `ValueError`, naming the place, unless `saved` has the form of `state`."""
    own = state.state_dict()
    if lacking := [name for name in own if name not in saved and name not in LATER]:
        raise ValueError(f"its state has no '{lacking[0]}'")
    _refuse_other_tensors(saved["model"], own["model"])
    _refuse_other_optimizer(saved["optimizer"], state, recipe)
    for name in ("totals", "recent"):
        sums, steps = _pair(saved[name], name)
        _refuse_other_tensor(sums, own[name][0], name)
        if type(steps) is not int or steps < 0:
            raise ValueError(f"its {name} are of no number of steps")
    if not 0 <= saved["step"] <= recipe.steps:
        raise ValueError(f"its step is {saved['step']} of {recipe.steps}")
    if saved["warmup_end"] is not None and type(saved["warmup_end"]) is not int:
        raise ValueError("its warmup_end is no step")
    if not is_number(saved["seconds"]) or not math.isfinite(saved["seconds"]):
        raise ValueError("its seconds are no number")
    for name in ("scores", "running_scores"):
        typed(saved.get(name, {}), dict[str, Score], name)
    rng = saved["rng"] if isinstance(saved["rng"], dict) else {}
    _refuse_other_tensor(rng.get("cpu"), torch.get_rng_state(), "rng.cpu")
    cuda = rng.get("cuda")
    if not isinstance(cuda, list) or not all(isinstance(value, Tensor) for value in cuda):
        raise ValueError("its rng.cuda is no list of states")


LATER = ("statistics", "running_scores")  # version 0.1 had none


def _pair(value: object, name: str) -> tuple[Any, Any]:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise ValueError(f"its {name} are no sum and number")
    return value[0], value[1]


def _refuse_other_tensors(found: dict[str, Tensor], own: dict[str, Tensor]) -> None:
    if strange := sorted(found.keys() ^ own.keys()):
        raise ValueError(f"its model and the network's differ in {strange[0]}")
    for name, value in own.items():
        _refuse_other_tensor(found[name], value, f"model.{name}")


def _refuse_other_tensor(found: object, own: Tensor, name: str) -> None:
    if not isinstance(found, Tensor):
        raise ValueError(f"its {name} is no tensor")
    if (found.shape, found.dtype) != (own.shape, own.dtype):
        raise ValueError(f"its {name} is {tuple(found.shape)} of {found.dtype}")


def _refuse_other_optimizer(saved: Any, state: State, recipe: RecipeConfig) -> None:
    """Its buffers have their parameters' shapes, or none; its groups list the same parameters."""
    own = state.optimizer.state_dict()
    groups = saved.get("param_groups") if isinstance(saved, dict) else None
    buffers = saved.get("state") if isinstance(saved, dict) else None
    if not isinstance(groups, list) or not isinstance(buffers, dict):
        raise ValueError("its optimizer has no groups or no state")
    if [g.get("params") if isinstance(g, dict) else None for g in groups] != [
        g["params"] for g in own["param_groups"]
    ]:
        raise ValueError("its optimizer is of other parameters")
    for group, mine in zip(groups, own["param_groups"]):
        for name in group.keys() & mine.keys():
            if isinstance(mine[name], float) != isinstance(group[name], float):
                raise ValueError(f"its optimizer's {name} is no number")
    parameters = [p for g in state.optimizer.param_groups for p in g["params"]]
    for index, found in buffers.items():
        if index not in range(len(parameters)) or not isinstance(found, dict):
            raise ValueError(f"its optimizer has a state of {str(index)[:20]}")
        if lacking := NEEDED[recipe.optimizer] - found.keys():
            raise ValueError(f"its optimizer has no {min(lacking)} of parameter {index}")
        shapes = (parameters[index].shape, torch.Size())
        for name, value in found.items():
            if value is not None and not (isinstance(value, Tensor) and value.shape in shapes):
                raise ValueError(f"its optimizer's {name} of parameter {index} is no such tensor")
