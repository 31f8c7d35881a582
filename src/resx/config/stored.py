"""The configuration that a run or a checkpoint was made with, for another command."""

from typing import TypeVar

from omegaconf import OmegaConf

from resx.config.composing import Typed
from resx.config.settings import from_stored, to_dict
from resx.errors import RequestError

Schema = TypeVar("Schema")


def with_typed(stored: object, typed: Typed, schema: type[Schema], free: set[str]) -> Schema:
    """The stored configuration as `schema`, with what was typed of the settings `free`.

    Raises `RequestError` for any other setting that was typed: the run decides it.
    """
    if strange := sorted(set(typed.keys) - free):
        raise RequestError(f"{strange[0]}: a run's own configuration decides that")
    config = from_stored(stored, schema)
    merged = OmegaConf.merge(OmegaConf.structured(schema), to_dict(config))
    for key in typed.keys:
        OmegaConf.update(merged, key, typed.value(key))
    result = OmegaConf.to_object(merged)
    assert isinstance(result, schema)
    return result
