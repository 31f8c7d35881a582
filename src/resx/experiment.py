"""Config, device, dataset and network: the only place where the parts are put together."""

import copy
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from resx.config.schema import NetworkConfig, TrainConfig, reconfigured
from resx.config.settings import from_stored
from resx.data.augmentation import Normalization
from resx.data.dataset import Dataset
from resx.data.loading import load_dataset
from resx.device import pick_device, set_deterministic, set_float32, warn_of_emulation
from resx.distributed import part
from resx.errors import DamagedError, RequestError
from resx.evaluation import reestimate_on_latest
from resx.models.building import build_network, refuse_other_network
from resx.models.parts.exports import made_of
from resx.models.parts.foreign import as_foreign, bare, load_weights
from resx.models.parts.network import Network
from resx.store import checkpoint
from resx.store.files import CHECKPOINTS
from resx.store.integrity import REMEDY
from resx.store.records import read_whole
from resx.store.run import Run
from resx.store.saved import is_own, step_of
from resx.store.store import Store

if TYPE_CHECKING:  # 30 MB, for processes that only train
    import pandas as pd

RECORD_COLUMNS = ["step", "epoch", "split", "loss", "error", "lr", "seconds"]


@dataclass(frozen=True)
class Experiment:
    """What a training, an evaluation, an analysis needs; `network` lies on `device`.

    `step` is that of its weights; 0 at initialisation. `run` is whose they are, None if nobody's.
    """

    config: NetworkConfig
    device: torch.device
    dataset: Dataset
    network: Network
    step: int = 0
    run: "StoredRun | None" = None


def prepare(config: NetworkConfig, dataset: Dataset | None = None) -> Experiment:
    """The network with its first weights, and the images it is for.

    A `dataset` that was loaded before for these images is shared: its pixels are in memory once.

    Raises `RequestError` for whatever shows the request to be wrong; nothing but the cache of
    decoded images has been written then.
    """
    device = pick_device(config.device)
    set_deterministic(config.deterministic)
    set_float32(device, config.precision)
    warn_of_emulation(device, config.precision)
    declared = _declared_shape(config)
    # First, as reading images may take minutes, after which a wrong depth would be no good news.
    network = build_network(config, *declared, device) if declared else None
    if dataset is None:
        dataset = load_dataset(config.data, device, Store(config.outputs).cache, config.trust)
    else:
        dataset = copy.copy(dataset)  # its normalisation may become that of other weights
    shape = (len(dataset.classes), dataset.channels, dataset.image_size)
    if network is None or shape != declared:
        network = build_network(config, *shape, device)
    dataset.part = part()
    return Experiment(config, device, dataset, network)


def _declared_shape(config: NetworkConfig) -> tuple[int, int, int] | None:
    """Classes, channels and size of the images, as far as the configuration knows them."""
    data = config.data
    return None if data.classes is None else (data.classes, data.channels, data.image_size)


class StoredRun(Run):
    """A run that was trained, opened for reading."""

    @property
    def curves(self) -> "pd.DataFrame":
        """A row a record: step, epoch, split, loss, error (a fraction), lr, seconds."""
        import pandas as pd

        return pd.DataFrame(read_whole(self.records_path), columns=RECORD_COLUMNS)

    def experiment(
        self,
        device: str = "auto",
        trust: Iterable[str] = (),
        *,
        step: int | None = None,
        weights: bool = True,
        dataset: Dataset | None = None,
        **changes: Any,
    ) -> Experiment:
        """The run's parts with the newest weights, or with those that were kept at a step.

        Without `weights` with its first ones, for whoever reads its records alone.

        A `dataset` that was loaded before is shared, as in `prepare`. `trust` names packages whose
        components may be built; `changes` are settings of the configuration that do not decide its
        result, such as `data_root` (see `reconfigured`).
        Raises `RequestError` if there is no checkpoint, or no snapshot of that step, or if the
        images are no longer there.
        """
        config = reconfigured(self.config, device=device, trust=list(trust), **changes)
        if not weights:
            return replace(prepare(config, dataset), run=self, step=self.summary.step)
        saved = self.checkpoint() if step is None else self.snapshot_at(step)
        return replace(with_weights(config, saved, dataset), run=self)

    @property
    def config(self) -> TrainConfig:
        """Raises `RequestError` if what is stored is no configuration of this version."""
        return from_stored(self.read_config(), TrainConfig)

    def has_checkpoint(self) -> bool:
        """Whether there is a file of one, damaged or not."""
        return any((self.directory / name).is_file() for name in CHECKPOINTS)

    def checkpoint(self) -> dict[str, Any]:
        """The newest undamaged one. Raises `RequestError` if there is none of this run."""
        saved = checkpoint.load_newest(self.directory)
        if saved is None:
            kept = f"the run was kept without its weights; {checkpoint.RETRAIN}"
            why = kept if self.summary.status.is_final else "the run has no checkpoint yet"
            raise RequestError(f"{self.directory}: {why}")
        if saved.get("identity", "") != (self.summary.hash or saved.get("identity", "")):
            raise RequestError(f"{self.directory}: its checkpoint is of another run")
        return saved

    def snapshot_at(self, step: int) -> dict[str, Any]:
        """The weights that were kept at a step. Raises `RequestError` if there are none."""
        kept = self.snapshots()
        if step not in kept:
            steps = ", ".join(map(str, kept)) or "none"
            raise RequestError(f"{self.directory}: no snapshot of step {step}; there is {steps}")
        saved = checkpoint.load(kept[step])
        if not is_own(saved) or step_of(saved) != step:
            raise RequestError(f"{kept[step]}: holds no snapshot of step {step}")
        return saved


def open_run(directory: str | Path) -> StoredRun:
    """The run in a directory. Raises `RequestError` if there is none."""
    run = StoredRun(Path(directory))
    try:
        run.read_config()  # says so if this is no run
    except DamagedError as error:
        raise DamagedError(error.path, f"{error.reason}; {REMEDY}") from error
    return run


def with_weights(
    config: NetworkConfig, saved: dict[str, Any], dataset: Dataset | None = None
) -> Experiment:
    """The parts of `config` with the weights and the normalisation of a checkpoint of resx.

    Batch norm is re-estimated as in the run's evaluations, so that errors are those it recorded.
    Raises `RequestError` if they are of another network or of other classes.
    """
    weights, channels = checkpoint.evaluated_weights(saved), len(saved["std"])
    shape = (len(saved["classes"]), channels, config.data.image_size)
    refuse_other_network(config, *shape, weights)  # what a file says may be too large to be built
    experiment = prepare(config, dataset)
    if saved["classes"] != experiment.dataset.classes:
        raise RequestError("the run was trained on other classes than these images have")
    if channels != experiment.dataset.channels:
        raise RequestError(f"the run was trained on images of {channels} channels, unlike these")
    load_weights(experiment.network, weights, "resx")
    experiment.dataset.normalization = Normalization(saved["mean"], saved["std"])
    step = step_of(saved)
    if config.recipe.bn_reestimate and step and not saved["state"].get("statistics"):
        parts = experiment.network, experiment.dataset, config.recipe
        reestimate_on_latest(*parts, config.seed, step, config.precision)
    return replace(experiment, step=step)


def with_foreign_weights(
    config: NetworkConfig,
    loaded: dict[str, Any],
    naming: str = "auto",
    dataset: Dataset | None = None,
    as_typed: bool = False,
) -> tuple[Experiment, str]:
    """The parts of `config` with a state dict in some project's names, and whose they are.

    Our own exports carry their normalisation, unless that of `config` is to hold `as_typed`. A
    state dict does not say how long it was trained, so that its step is that of the recipe's end.
    A `dataset` is shared if it is that of the configuration which `as_foreign` gives. Raises
    `RequestError` if the weights are of another network, or of other classes.
    """
    config, naming = as_foreign(config, loaded, naming, as_typed)
    experiment, made = prepare(config, dataset), made_of(loaded)
    if made is not None and made.classes != experiment.dataset.classes:
        raise RequestError("the weights are of other classes than these images have")
    load_weights(experiment.network, bare(loaded), naming)
    if made is not None and not as_typed and config.data.normalize != "given":
        experiment.dataset.normalization = Normalization(made.mean, made.std)
    return replace(experiment, step=config.recipe.steps), naming
