"""What a checkpoint of resx holds; one that does not is damaged, whoever wrote it."""

from typing import Any

import torch
from torch import Tensor

from resx.config.schema import TrainConfig
from resx.config.settings import from_stored
from resx.config.typed import refuse_endless

HEADER = ("config", "classes", "mean", "std")  # beside `state`, in every version

# A weighted layer has a tensor of its own, unless layers share them: far deeper networks than a
# file has tensors are not built to find out.
LAYERS_A_TENSOR = 100


def is_own(saved: dict[str, Any]) -> bool:
    """Whether a loaded file is meant as a checkpoint or snapshot, and no bare state dict."""
    return "state" in saved and any(name in saved for name in HEADER)


def step_of(saved: dict[str, Any]) -> int:
    step: int = saved["state"]["step"]
    return step


def refuse_malformed(saved: dict[str, Any]) -> None:
    """Raises `ValueError`, naming the place, unless all that every user of it wants is there."""
    if lacking := [name for name in (*HEADER, "state") if name not in saved]:
        raise ValueError(f"it has no '{lacking[0]}'")
    state, classes = saved["state"], saved["classes"]
    if not isinstance(state, dict):
        raise ValueError("its state is no dict")
    _refuse_no_tensors(state.get("model"), "model")
    _refuse_no_tensors(state.get("statistics", {}), "statistics")
    step = state.get("step")
    if type(step) is not int or step < 0:
        raise ValueError("its step is no number of steps")
    if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes):
        raise ValueError("its classes are no list of names")
    for name, dimensions in (("mean", (1, 3)), ("std", (1,))):
        value = saved[name]
        if not _is_plain(value) or value.ndim not in dimensions or not value.is_floating_point():
            raise ValueError(f"its {name} is no tensor of a number a channel")
    if saved["mean"].shape[-1] != len(saved["std"]):
        raise ValueError("its mean and std are of unlike numbers of channels")
    refuse_endless(saved["config"])
    config = from_stored(saved["config"], TrainConfig)
    size = config.data.image_size
    if saved["mean"].ndim == 3 and saved["mean"].shape[:2] != (size, size):
        raise ValueError("its mean is of images of another size")
    if config.depth > LAYERS_A_TENSOR * len(state["model"]):
        raise ValueError(f"depth {config.depth}, but only {len(state['model'])} tensors")


def _refuse_no_tensors(found: object, name: str) -> None:
    if not isinstance(found, dict):
        raise ValueError(f"its {name} is no dict")
    wrong = [k for k, v in found.items() if not isinstance(k, str) or not _is_plain(v)]
    if wrong:
        raise ValueError(f"its {name} has no tensor at {str(wrong[0])[:60]}")


def _is_plain(value: object) -> bool:
    """A dense tensor of numbers."""
    if not isinstance(value, Tensor) or value.layout != torch.strided:
        return False
    return not (value.is_complex() or value.is_quantized)
