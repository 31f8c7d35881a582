"""A Hydra sweeper whose jobs are listed in a file: any set of runs, with any launcher."""

import json
from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from resx.config.notes import claim


class JobsSweeper(Sweeper):
    """`jobs` names a JSON file: a list of jobs, each a list of overrides.

    With `shared=true` other sweeps have the same file and folder, and each takes the next job that
    none has taken.
    """

    def __init__(self, jobs: str, shared: bool = False) -> None:
        self.jobs, self.shared = jobs, shared
        self.config: DictConfig | None = None
        self.launcher: Launcher | None = None

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        self.config = config
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> Any:
        assert self.config is not None and self.launcher is not None
        directory = Path(self.config.hydra.sweep.dir)
        directory.mkdir(parents=True, exist_ok=True)
        if not self.shared:
            OmegaConf.save(self.config, directory / "multirun.yaml")
        jobs = [[*arguments, *overrides] for overrides in json.loads(Path(self.jobs).read_text())]
        if self.shared:
            for number, job in enumerate(jobs):
                if claim(directory, number):
                    self.launcher.launch([job], initial_job_idx=number)
            return []
        return [self.launcher.launch(jobs, initial_job_idx=0)] if jobs else []


ConfigStore.instance().store(
    group="hydra/sweeper",
    name="resx_jobs",
    node={
        "_target_": "hydra_plugins.resx_sweeper.jobs.JobsSweeper",
        "jobs": "???",
        "shared": False,
    },
    provider="resx",
)
