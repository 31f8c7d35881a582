"""A run's newest checkpoint, and the configuration that it was trained with."""

from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf

from resx.config.settings import typed
from resx.errors import RequestError
from resx.store import checkpoint
from resx.store.run import Run


def newest_checkpoint(directory: str) -> dict[str, Any]:
    """Raises `RequestError` if there is no run, or no checkpoint of it."""
    run = Run(Path(directory))
    run.read_config()  # says so if this is no run
    saved = checkpoint.load_newest(run.directory)
    if saved is None:
        raise RequestError(f"{directory}: the run has no checkpoint yet")
    return saved


def configuration_of(
    stored: dict[str, Any], composed: DictConfig, schema: type, free: set[str]
) -> Any:
    """The run's own configuration as `schema`, with what was typed of the settings `free`.

    Raises `RequestError` for any other setting that was typed: the run decides it.
    """
    lines = list(HydraConfig.get().overrides.task)
    typed_keys = [o.key_or_group for o in OverridesParser.create().parse_overrides(lines)]
    if strange := sorted(set(typed_keys) - free):
        raise RequestError(f"{strange[0]}: a run's own configuration decides that")
    stored.pop("force", None)
    config = OmegaConf.merge(OmegaConf.structured(schema), stored)
    for key in typed_keys:
        OmegaConf.update(config, key, OmegaConf.select(composed, key))
    assert isinstance(config, DictConfig)
    return typed(config, schema)
