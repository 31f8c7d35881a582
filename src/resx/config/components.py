"""Slots: the functions that a configuration names, called with checked options."""

from collections.abc import Callable, Iterable
from dataclasses import make_dataclass
from inspect import signature
from typing import Any, get_type_hints

from hydra.utils import get_object
from omegaconf import OmegaConf
from omegaconf.errors import ValidationError

from resx.config.checks import unknown
from resx.errors import RequestError


def build(
    slot: dict[str, Any], trust: Iterable[str] = (), group: str = "", **arguments: Any
) -> Any:
    """Call the function that `slot["_target_"]` names with the slot's options and `arguments`.

    Options are converted to the annotated types. Raises `RequestError` if the target lies outside
    `resx.` and the packages in `trust`, or if an option is unknown or of the wrong type; `group`
    is the slot's name in such a message.
    """
    target = slot.get("_target_")
    if not isinstance(target, str) or target.split(".")[0] not in {"resx", *trust}:
        raise RequestError(
            f"_target_={target}: only targets in resx. are called;"
            " trust=[PACKAGE] allows those of another package"
        )
    try:
        function = get_object(target)
    except Exception as error:  # Hydra wraps whatever the import raised
        raise RequestError(f"_target_={target}: {str(error).splitlines()[0]}") from error
    options = {key: value for key, value in slot.items() if key not in ("_target_", "name")}
    return function(**arguments, **_checked(options, function, set(arguments), group))


def _checked(
    options: dict[str, Any], function: Callable[..., Any], taken: set[str], group: str
) -> dict[str, Any]:
    if not options:
        return {}
    hints = get_type_hints(function)
    names = [name for name in signature(function).parameters if name not in taken]
    for key in options:
        if key not in names:
            choices = [f"{group}.{name}" for name in names]
            raise RequestError(unknown("option", f"{group}.{key}", choices))
    schema = make_dataclass("Options", [(key, hints[key]) for key in options])
    try:
        converted = OmegaConf.to_container(OmegaConf.merge(OmegaConf.structured(schema), options))
    except ValidationError as error:
        key = error.full_key or ""
        reason = str(error).splitlines()[0]
        raise RequestError(f"{group}.{key}={options.get(key)}: {reason}") from error
    assert isinstance(converted, dict)
    return {str(key): value for key, value in converted.items()}
