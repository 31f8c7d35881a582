"""How much of the time a GPU computes while a loop trains."""

import torch
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile

from resx.device import synchronize
from resx.speed.textbook import Loop

STEPS = 20


def seconds_of_kernels(loop: Loop, device: torch.device) -> float | None:
    """Of a step, all that runs on the GPU added up, copies included; None where there is none.

    One after the other, as all runs on one stream: divided by the seconds of a step that nobody
    watched, it is the share of the time in which the GPU is busy.
    """
    if device.type != "cuda":
        return None
    synchronize(device)
    with profile(activities=[ProfilerActivity.CUDA]) as watched:
        for fetched in loop.fetch(STEPS):
            loop.train(fetched)
        synchronize(device)
    spent = sum(
        event.self_device_time_total
        for event in watched.key_averages()
        if event.device_type == DeviceType.CUDA and not event.is_user_annotation
    )
    return spent / 1e6 / STEPS  # from microseconds
