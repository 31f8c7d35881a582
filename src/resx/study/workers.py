"""The processes that train the runs of a study; they end with it, and save first."""

import os
import signal
import subprocess
import time
from pathlib import Path

from resx.config.notes import begun
from resx.interruption import PARENT

PATIENCE = 30.0  # seconds in which a process that was told to stop may save
STOPPED = (-signal.SIGINT, -signal.SIGTERM, 130, 143)  # exit codes of one that somebody stopped


class Workers:
    """`count` Hydra sweeps that share one list of `jobs`, or one sweep with a launcher of its own.

    One that the system kills takes no other with it; while jobs are left, another one takes its
    place. Each job has so many `threads`; None leaves it to torch.
    """

    def __init__(
        self,
        command: list[str],
        place: Path,
        jobs: int,
        count: int = 1,
        *,
        shared: bool = False,
        threads: int | None = None,
    ) -> None:
        self.command, self.place, self.jobs, self.shared = command, place, jobs, shared
        self.environment = os.environ | {PARENT: str(os.getpid())}
        if threads is not None:
            self.environment["OMP_NUM_THREADS"] = str(threads)
        self.started = 0
        self.running: list[subprocess.Popen[bytes]] = []
        self.codes: list[int] = []  # of those that have ended
        for _ in range(min(count, jobs)):
            self._start()

    def _start(self) -> None:
        with (self.place / f"worker-{self.started}.log").open("w") as output:
            # In a group of its own: signals of a terminal reach it once, from us.
            process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self.environment,
                process_group=0,
            )
        self.started += 1
        self.running.append(process)

    def look(self) -> bool:
        """Whether any is at work; one that died at its job is replaced while jobs are left."""
        for process in [p for p in self.running if p.poll() is not None]:
            self.running.remove(process)
            self.codes.append(process.returncode)
            # One that died before it began a job would only die again.
            taken = len(begun(self.place))
            died = process.returncode < 0 and process.returncode not in STOPPED
            if died and self.shared and self.started <= taken < self.jobs:
                self._start()
        return bool(self.running)

    @property
    def was_stopped(self) -> bool:
        """Whether somebody else's signal ended one of them."""
        return any(code in STOPPED for code in self.codes)

    def last_words(self) -> str:
        """The last line of the last one that was started."""
        log = self.place / f"worker-{self.started - 1}.log"
        return (log.read_text().strip().splitlines() or [f"it said nothing; see {log}"])[-1]

    @property
    def logs(self) -> Path:
        return self.place / "worker-*.log"

    def stop(self) -> None:
        """Ask all to save and end."""
        for process in self.running:
            if process.poll() is None and self.shared:
                process.terminate()
            elif process.poll() is None:  # with the workers of its launcher
                os.killpg(process.pid, signal.SIGTERM)

    def end(self) -> None:
        """Wait until all have saved and ended; those that do not end are killed."""
        self.stop()
        deadline = time.monotonic() + PATIENCE
        for process in self.running:
            try:
                process.wait(max(deadline - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
