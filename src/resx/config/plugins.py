"""Hydra's launchers and sweepers: which package has which, and whether it is there."""

import shutil
from collections.abc import Iterable
from importlib.metadata import version
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
# Tried with Python 3.11, which refuses their dataclasses' defaults; of later versions nobody knows.
DEAD = {"ax": "hydra-ax-sweeper 1.2.0", "nevergrad": "hydra-nevergrad-sweeper 1.2.0"}
SEED = "hydra.sweeper.sampler.seed"
RAY_ADDRESS = "hydra.launcher.ray.init.address"
RAY_MEMORY = "hydra.launcher.ray.init.object_store_memory"


def refuse_missing_plugin(setting: Setting) -> None:
    """Raises `RequestError`, with what to install, for a known plugin that is not there."""
    known = PLUGINS.get(setting.key, {})
    if not isinstance(setting.value, str) or setting.value not in known:
        return
    package, module = known[setting.value]
    if find_spec(f"hydra_plugins.{module}") is None:
        if setting.value in DEAD:
            raise RequestError(
                f"{setting.line}: {DEAD[setting.value]} cannot be imported by Python 3.11 or later;"
                " optuna is alive"
            )
        raise RequestError(f"{setting.line}: is not installed; pip install {package}")
    needed = ("srun", "sbatch") if setting.value == "submitit_slurm" else ()
    if absent := [program for program in needed if shutil.which(program) is None]:
        raise RequestError(
            f"{setting.line}: there is no {absent[0]} here, so no Slurm; submitit_local needs none"
        )


def refuse_new_database(setting: Setting) -> None:
    """Raises `RequestError` where Optuna 2 would keep its trials by a library that is too new."""
    if setting.key != "hydra.sweeper.storage" or find_spec("sqlalchemy") is None:
        return
    if setting.value is not None and version("sqlalchemy") >= "2":
        raise RequestError(
            f"{setting.line}: Optuna 2 needs older libraries for it: pip install 'sqlalchemy<2'"
            " 'alembic<1.14'; without a storage the same command finds its finished trials, too"
        )


def additions(settings: Iterable[Setting]) -> list[str]:
    """What plugins need beside what was typed.

    Optuna gets a seed, so that the same request draws the same trials, whose runs are found again.
    Not where a person typed one, where a storage remembers the trials, or for its grid, which draws
    nothing.
    """
    typed = {setting.key: setting.value for setting in settings}
    added = []
    told = SEED in typed or "hydra.sweeper.storage" in typed
    drawn = typed.get("hydra/sweeper") == "optuna" and typed.get("hydra/sweeper/sampler") != "grid"
    if drawn and not told:
        added.append(f"{SEED}=0")
    if RAY_ADDRESS in typed and RAY_MEMORY not in typed:
        # hydra-ray-launcher 1.2.2 sets it, and Ray refuses it for a cluster that is running.
        added.append(f"+{RAY_MEMORY}=null")
    return added


def refuse_missing_tracker(tracker: str) -> None:
    """Raises `RequestError`, with what to install, for MLflow where it is not there."""
    packages = {"mlflow": "mlflow-skinny", "sqlalchemy": "sqlalchemy", "alembic": "alembic"}
    lacking = [package for module, package in packages.items() if find_spec(module) is None]
    if tracker == "mlflow" and lacking:
        raise RequestError(f"tracker=mlflow: is not installed; pip install {' '.join(lacking)}")


def plugin_choices(group: str, registered: list[str]) -> list[str]:
    """What may be typed after `group=`: what is there, and what could be installed."""
    return sorted({*registered, *PLUGINS.get(group, {})})
