"""Components: the functions that a configuration names by `_target_`, called with checked options.

A configuration may come from anywhere, also out of a downloaded checkpoint, so a name alone must
not be able to run code: only a function that is defined where its name says, in resx or in a
package that the person trusts, and that declares to return what is wanted, is called.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import make_dataclass
from importlib import import_module
from inspect import isfunction, signature
from typing import Any, get_type_hints

from omegaconf import OmegaConf
from omegaconf.errors import ValidationError

from resx.errors import RequestError, unknown

OWN_PACKAGE = "resx"
# What a function of one's own must look like, by what it returns; CONTRIBUTING.md has examples.
FORMS = {
    "Network": "a family is def NAME(spec: Spec, ...) -> Network, of resx.models.parts.network,"
    " whose parts are stem, stage1, .., head",
    "Source": "a reader is def NAME(root, image_size, download, cache, ...) -> Source, of"
    " resx.data.source",
    "Finding": "an analysis is def NAME(experiments, ...) -> Finding, of resx.analyses.analysis",
}


def build(
    component: dict[str, Any],
    group: str,
    returns: type,
    trust: Iterable[str] = (),
    arguments_of: str = "",
    **arguments: Any,
) -> Any:
    """Call the function that `component["_target_"]` names with its options and `arguments`.

    Options are converted to the annotated types; `group` is the component's place in the
    configuration, such as `model`. A `ValueError` of the function that begins with one of its
    options (`norm=layer: ...`) gets the setting's full name (`model.norm=layer: ...`), and one
    that begins with one of `arguments` that of the group `arguments_of`.
    Raises `RequestError` if the target is no such function, if an option is unknown or of the
    wrong type, or if what the function returns is no `returns`.
    """
    target = component.get("_target_")
    function = find(target, group, returns, trust)
    options = {key: value for key, value in component.items() if key not in ("_target_", "name")}
    takes = signature(function).parameters
    if lacking := [name for name in arguments if name not in takes]:
        form = _form(returns)
        raise RequestError(f"{group}._target_={target}: takes no '{lacking[0]}', and must{form}")
    if unset := [name for name in _needed(function) if name not in {*arguments, *options}]:
        raise RequestError(f"{group}.{unset[0]} is not set, and {target} has no default for it")
    checked = _checked(options, function, set(arguments), group)
    try:
        result = function(**arguments, **checked)
    except RequestError:
        raise
    except ValueError as error:
        line = with_full_name(str(error), group, options)
        raise RequestError(with_full_name(line, arguments_of, arguments)) from error
    if not isinstance(result, returns):
        kind = type(result).__name__
        raise RequestError(
            f"{group}._target_={target}: returned a {kind}, no {returns.__name__}{_form(returns)}"
        )
    return result


def is_own(component: dict[str, Any]) -> bool:
    """Whether a component is of resx itself, not of a package that the person trusts."""
    return str(component.get("_target_")).split(".")[0] == OWN_PACKAGE


def find(target: object, group: str, returns: type, trust: Iterable[str]) -> Callable[..., Any]:
    """The function named `target`, looked at before it is called.

    Raises `RequestError` for anything else: a module, a class, a name that a module imported from
    elsewhere, a function that declares to return something other than `returns`.
    """
    refused = f"{group}._target_={target}: "
    if not isinstance(target, str) or not re.fullmatch(r"\w+(\.\w+)+", target):
        raise RequestError(f"{refused}names no function, as in resx.models.resnet.resnet")
    package, (module_name, name) = target.split(".")[0], target.rsplit(".", 1)
    if package not in {OWN_PACKAGE, *trust}:
        raise RequestError(
            f"{refused}only functions of resx are called; trust=[{package}], typed, allows"
            " those of that package"
        )
    try:
        found = getattr(import_module(module_name), name, None)
    except Exception as error:  # whatever the code of a trusted package raises
        if any("torchvision::nms" in line for line in str(error).splitlines()):
            raise  # a torch that does not match: nothing is wrong with the name
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise RequestError(f"{refused}{reason}") from error
    if not isfunction(found) or (found.__module__, found.__qualname__) != (module_name, name):
        raise RequestError(f"{refused}is no function defined in {module_name}")
    try:
        declared = get_type_hints(found).get("return")
    except (NameError, TypeError, SyntaxError) as error:  # an annotation that is only a string
        raise RequestError(f"{refused}{error}") from error
    if not (isinstance(declared, type) and issubclass(declared, returns)):
        what = f"does not declare to return a {returns.__name__}"
        raise RequestError(f"{refused}{what}{_form(returns)}")
    return found


def _form(returns: type) -> str:
    form = FORMS.get(returns.__name__)
    return f": {form}" if form else ""


def _needed(function: Callable[..., Any]) -> list[str]:
    """The parameters without a default."""
    parameters = signature(function).parameters.values()
    named = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    return [p.name for p in named if p.default is p.empty]


def with_full_name(message: str, group: str, options: Iterable[str]) -> str:
    """`norm=layer: ...` -> `model.norm=layer: ...`; components do not know where they stand."""
    name = re.match(r"(\w+)=", message)
    return f"{group}.{message}" if group and name and name[1] in options else message


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
    schema = make_dataclass("Options", [(key, hints.get(key, Any)) for key in options])
    try:
        converted = OmegaConf.to_container(OmegaConf.merge(OmegaConf.structured(schema), options))
    except ValidationError as error:
        key = error.full_key or ""
        reason = str(error).splitlines()[0]
        raise RequestError(f"{group}.{key}={options.get(key)}: {reason}") from error
    assert isinstance(converted, dict)
    return {str(key): value for key, value in converted.items()}
