"""Hydra's launchers and sweepers: which package has which, and whether it is there."""

import shutil
from importlib.util import find_spec

from resx.config.composing import Setting
from resx.errors import RequestError

# Choice of hydra/launcher and of hydra/sweeper -> (package to install, module that it brings).
LAUNCHERS = {
    "joblib": ("hydra-joblib-launcher", "hydra_joblib_launcher"),
    "submitit_local": ("hydra-submitit-launcher", "hydra_submitit_launcher"),
    "submitit_slurm": ("hydra-submitit-launcher", "hydra_submitit_launcher"),
    "ray": ("hydra-ray-launcher", "hydra_ray_launcher"),
    "ray_aws": ("hydra-ray-launcher", "hydra_ray_launcher"),
    "rq": ("hydra-rq-launcher", "hydra_rq_launcher"),
}
SWEEPERS = {
    "optuna": ("hydra-optuna-sweeper", "hydra_optuna_sweeper"),
    "ax": ("hydra-ax-sweeper", "hydra_ax_sweeper"),
    "nevergrad": ("hydra-nevergrad-sweeper", "hydra_nevergrad_sweeper"),
}
PLUGINS = {"hydra/launcher": LAUNCHERS, "hydra/sweeper": SWEEPERS}


def refuse_missing_plugin(setting: Setting) -> None:
    """Raises `RequestError`, with what to install, for a known plugin that is not there."""
    known = PLUGINS.get(setting.key, {})
    if not isinstance(setting.value, str) or setting.value not in known:
        return
    package, module = known[setting.value]
    if find_spec(f"hydra_plugins.{module}") is None:
        raise RequestError(f"{setting.line}: is not installed; pip install {package}")
    if setting.value == "submitit_slurm" and shutil.which("srun") is None:
        raise RequestError(
            f"{setting.line}: there is no srun here, so no Slurm; submitit_local needs none"
        )


def plugin_choices(group: str, registered: list[str]) -> list[str]:
    """What may be typed after `group=`: what is there, and what could be installed."""
    return sorted({*registered, *PLUGINS.get(group, {})})
