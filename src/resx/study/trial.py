"""How runs share the cores best: a few steps of a network, by all processes of each way at once."""

import logging
import pickle
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from select import select

import torch

from resx.config.schema import TrainConfig
from resx.device import synchronize
from resx.experiment import Experiment, prepare
from resx.interruption import own_output
from resx.models.building import compiled
from resx.study.cores import Way
from resx.training.state import make_optimizer
from resx.training.update import make_update, may_be_recorded

ROUNDS = 2  # of all ways; the faster counts
WINDOW = 1.0  # seconds of steps in a round, and two steps at least
START = 0.1  # seconds from the question to the first step, so that all begin together
PATIENCE = 600.0  # seconds for an answer; the first one waits for images to be read
CLOSE = 0.95  # of the fastest is as good, if fewer runs are at work: each then ends earlier

log = logging.getLogger(__name__)


def best(rates: dict[Way, float]) -> Way:
    """The way with the fewest runs at once that trains about as many steps a second as any."""
    enough = CLOSE * max(rates.values())
    return min(way for way, rate in rates.items() if rate >= enough)


def try_out(config: TrainConfig, ways: Sequence[Way], folders: Sequence[str]) -> dict[Way, float]:
    """Steps a second of all processes of each way together, on the CPU.

    If a process dies or hangs, what was measured before is all there is. `folders` are those of
    `--config-dir`s whose code is trusted.
    """
    found: dict[Way, float] = {}
    with steppers(config, max(way.jobs for way in ways), folders) as processes:
        try:
            for process in processes:
                process.answer()  # it is ready
            for way in ROUNDS * list(ways):
                begin = time.monotonic() + START
                for process in processes[: way.jobs]:
                    process.ask(way.threads, begin)
                rate = sum(process.answer() for process in processes[: way.jobs])
                found[way] = max(found.get(way, 0.0), rate)
        except (EOFError, BrokenPipeError):
            log.warning("a process died or hung while %d were tried at once", len(processes))
    return found


class Stepper:
    """A process that makes steps when it is asked to; it ends when nobody can ask any more."""

    def __init__(self, config: TrainConfig, folders: Sequence[str]) -> None:
        command = [sys.executable, "-m", "resx.study.trial"]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL)
        self._send((tuple(folders), config))

    def ask(self, threads: int, begin: float) -> None:
        self._send((threads, begin))

    def answer(self) -> float:
        """Steps a second. Raises EOFError if the process has died, or says nothing for too long."""
        assert self.process.stdout is not None
        if not select([self.process.stdout], [], [], PATIENCE)[0]:
            raise EOFError(f"no answer in {PATIENCE:.0f} s")
        rate = pickle.load(self.process.stdout)
        assert isinstance(rate, float)
        return rate

    def _send(self, what: object) -> None:
        assert self.process.stdin is not None
        pickle.dump(what, self.process.stdin)
        self.process.stdin.flush()


@contextmanager
def steppers(config: TrainConfig, count: int, folders: Sequence[str]) -> Iterator[list[Stepper]]:
    processes: list[Stepper] = []
    try:
        for _ in range(count):
            processes.append(Stepper(config, folders))
        yield processes
    finally:
        for each in processes:
            each.process.kill()
            each.process.communicate()


def stepping(experiment: Experiment) -> Callable[[], None]:
    """Makes a step of training and waits for it; the learning rate is 0."""
    config, network, dataset = experiment.config, experiment.network.train(), experiment.dataset
    forward = compiled(network, config.compile)
    parts = forward, dataset, make_optimizer(network, config.recipe), config.recipe
    update = make_update(*parts, config.precision, may_be_recorded(config, network))
    inputs = dataset.training_inputs(config.recipe.batch_size, config.seed, 1)

    def step() -> None:
        update(next(inputs), 0.0)
        synchronize(experiment.device)

    return step


def main() -> None:
    """A `Stepper`'s process: gets a configuration, then again and again threads and a moment."""
    questions, answers = sys.stdin.buffer, own_output()
    folders, config = pickle.load(questions)
    sys.path += folders
    step = stepping(prepare(config))

    def steps(seconds: float, least: int) -> float:
        began, count = time.monotonic(), 0
        while count < least or time.monotonic() < began + seconds:
            step()
            count += 1
        return count / (time.monotonic() - began)

    answer = steps(0.0, 1)
    while True:
        answers.write(pickle.dumps(answer))
        answers.flush()
        try:
            threads, begin = pickle.load(questions)
        except EOFError:
            return
        torch.set_num_threads(threads)
        step()  # with so many threads for the first time
        time.sleep(max(begin - time.monotonic(), 0.0))
        answer = steps(WINDOW, 2)


if __name__ == "__main__":
    main()
