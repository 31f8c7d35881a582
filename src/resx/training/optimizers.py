"""torch's optimizers, without its compiler.

torch.optim imports torch's compiler at its first call, to keep its methods out of what is compiled:
half of the time from a typed command to the first step, for nothing, as only networks are compiled.
"""

import inspect
from typing import TypeVar

import torch
from torch import optim

Kind = TypeVar("Kind", bound=optim.Optimizer)
WRAPPED = ("add_param_group", "load_state_dict", "state_dict", "zero_grad")


def without_compiler(kind: type[Kind]) -> type[Kind]:
    """The same optimizer; its `step` records no gradients, as torch's wrapper would see to."""
    methods = {name: inspect.unwrap(getattr(kind, name)) for name in WRAPPED}
    methods["step"] = torch.no_grad()(inspect.unwrap(kind.step))
    return type(kind.__name__, (kind,), methods)


SGD = without_compiler(optim.SGD)
AdamW = without_compiler(optim.AdamW)
