"""Processes that decode images; they wait between two passes and end with the data set."""

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from types import FrameType
from typing import Any

from torch.utils.data import DataLoader, Sampler

from resx.data.views import View, Views
from resx.errors import RequestError
from resx.interruption import CODES

Wanted = Iterable[list[View]]
LINGER = 10.0  # seconds; Slurm's own patience (KillWait) is 30


class Loaders:
    """A DataLoader for each pass that goes on at a time: training, and evaluations meanwhile.

    A pass that has ended, or was given up, leaves its loader and its processes to the next.
    """

    def __init__(
        self,
        views: Views,
        workers: int,
        pin_memory: bool,
        together: Callable[[list[Any]], Any] | None = None,  # a batch of samples; None: stacked
    ) -> None:
        self.views, self.workers, self.pin_memory = views, workers, pin_memory
        self.together = together
        self.idle: list[DataLoader[Any]] = []

    def batches(self, wanted: Wanted) -> Iterator[Any]:
        """A batch for each list. Raises `RequestError` for an image that cannot be read."""
        loader = self.idle.pop() if self.idle else self._loader()
        assert isinstance(loader.batch_sampler, Asked)
        loader.batch_sampler.wanted = wanted
        whole = True
        try:
            yield from loader
        except ValueError as error:  # from a worker it comes with a traceback in its text
            raise RequestError(str(error).strip().splitlines()[-1].split("Error: ")[-1]) from None
        except Exception:  # a worker that died
            whole = False
            raise
        finally:
            if whole:
                self.idle.append(loader)

    def _loader(self) -> DataLoader[Any]:
        return DataLoader(
            self.views,
            batch_sampler=Asked(),
            num_workers=self.workers,
            persistent_workers=self.workers > 0,
            collate_fn=self.together,
            pin_memory=self.pin_memory,
            worker_init_fn=leave_signals_to_the_run,
        )


class Asked(Sampler[list[View]]):
    """The batches of the pass that goes on."""

    def __init__(self) -> None:
        self.wanted: Wanted = ()

    def __iter__(self) -> Iterator[list[View]]:
        return iter(self.wanted)


def leave_signals_to_the_run(worker: int) -> None:
    """Ctrl-C, and what Slurm sends, reaches these too, and the run needs them until it has saved.

    So SIGTERM, by which torch ends them where nothing else does, ends them a little later.
    """
    for name in ("SIGINT", "SIGUSR2"):
        if number := getattr(signal, name, None):
            signal.signal(number, signal.SIG_IGN)
    end = threading.Timer(LINGER, os._exit, [CODES["SIGTERM"]])
    end.daemon = True

    def end_later(number: int, frame: FrameType | None) -> None:
        if not end.is_alive():
            end.start()

    signal.signal(signal.SIGTERM, end_later)
