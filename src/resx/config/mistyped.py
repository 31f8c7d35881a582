"""What was typed, before Hydra reads it: put into its form, or refused with what was meant."""

from collections.abc import Iterable
from dataclasses import is_dataclass
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from resx.config.composing import Setting, parse
from resx.config.location import conf_dir
from resx.config.plugins import additions, refuse_missing_plugin, refuse_new_database
from resx.config.requests import BARE, COMMANDS, GRIDS
from resx.errors import RequestError, unknown

NEEDED = ("data", "model", "recipe")
LEFT_OUT_BY_NULL = ("experiment", "study", "analysis")
OPTUNA = "resx train -m hydra/sweeper=optuna"
# Hydra would take these and resx would not keep to them: a run's place follows from its settings.
PLACES = ("hydra.run.dir", "hydra.output_subdir", "hydra.job.chdir")


def well_typed(command: str, flags: Iterable[str], overrides: Iterable[str]) -> list[str]:
    """The overrides as Hydra wants them: bare words with their names, single values as lists.

    Raises `RequestError` for what cannot be meant, Hydra's `OverrideParseException` for what it
    cannot read.
    """
    lines = _named(command, list(overrides))
    settings = list(parse(lines))
    swept = any(flag in ("-m", "--multirun") for flag in flags)
    swept |= any(s.line.upper() == "HYDRA.MODE=MULTIRUN" for s in settings)
    _refuse_two_subjects(command, settings)
    kept = []
    for setting in settings:
        refuse_missing_plugin(setting)
        refuse_new_database(setting)
        _refuse_place(setting)
        if setting.key in (*NEEDED, *LEFT_OUT_BY_NULL) and setting.line[0] not in "~+":
            if setting.value is None and setting.values is None and setting.key not in NEEDED:
                continue  # such as experiment=null: none is what there is without it
            _refuse_no_choice(setting)
        kept.append(_in_form(command, setting, swept))
    return [*kept, *additions(settings)]


def _named(command: str, lines: list[str]) -> list[str]:
    """`degradation` -> `study=degradation`; other words need a name."""
    words = [line for line in lines if "=" not in line and not line.startswith("~")]
    bare = BARE.get(command)
    if nameless := [line for line in lines if line.startswith("=")]:
        raise RequestError(f"{nameless[0]}: has no name before its =")
    if bare is None and words:
        raise RequestError(f"'{words[0]}': a setting is typed NAME=VALUE, such as depth=56")
    named = [line for line in lines if line.startswith(f"{bare}=")]
    several = [*words, *(line.partition("=")[2] for line in named)]
    if bare is not None and len(several) > 1:
        raise RequestError(f"{', '.join(several)}: name one {bare} at a time")
    return [f"{bare}={line}" if line in words else line for line in lines]


def _refuse_two_subjects(command: str, settings: list[Setting]) -> None:
    lines = {setting.key: setting.line for setting in settings}
    if command == "report" and {"study", "runs"} <= lines.keys():
        raise RequestError(f"{lines['study']} and {lines['runs']}: name one of the two")
    if command == "evaluate" and {"run", "weights"} <= lines.keys():
        raise RequestError(f"{lines['run']} and {lines['weights']}: name one of the two")


def _refuse_place(setting: Setting) -> None:
    if setting.key in PLACES and setting.value not in (False, None, "."):
        raise RequestError(
            f"{setting.line}: a run's directory follows from its settings; outputs=FOLDER says"
            " below which folder"
        )


def _refuse_no_choice(setting: Setting) -> None:
    """A group's choice is a word; `model={width: 8}` changes options of the one that is there."""
    if setting.values is None and not isinstance(setting.value, str | dict):
        word = setting.line.partition("=")[2]
        choices = [path.stem for path in (conf_dir() / setting.key).glob("*.yaml")]
        raise RequestError(unknown(setting.key, word, choices))


def _in_form(command: str, setting: Setting, swept: bool) -> str:
    """The line of a setting; one value of a list as a list, several where no sweep is meant."""
    key, line = setting.key, setting.line
    kind = _type_of(COMMANDS[command], key)
    typed_as = line.partition("=")[2]
    if key.startswith("hydra") or line[0] in "~+":
        return line
    is_list = get_origin(kind) is list
    if setting.values is not None:
        if "interval(" in typed_as and command != "train":
            raise RequestError(f"{line}: only a sweeper that optimises takes an interval: {OPTUNA}")
        in_grid = command in GRIDS and _type_of(COMMANDS["train"], key) is not None
        if swept or in_grid or (command in GRIDS and not is_list):
            return line
        if is_list and "(" not in typed_as:
            return f"{key}=[{typed_as}]"
        raise RequestError(f"{line}: several values are a sweep: resx {command} -m '{line}'")
    value = setting.value
    if is_list and value is not None and not isinstance(value, list):
        return f"{key}=[{typed_as}]"
    if isinstance(value, list) and kind is not None and not is_list:
        flag = "" if command in GRIDS else "-m "
        values = typed_as.strip("[]").replace(" ", "")
        raise RequestError(
            f"{line}: takes one value; several are a sweep: resx {command} {flag}{key}={values}"
        )
    return line


def _type_of(schema: type, key: str) -> Any:
    """The declared type of a setting such as `recipe.lr`, without its None; None if unknown."""
    kind: Any = schema
    for name in key.split("."):
        if not is_dataclass(kind):
            return None
        kind = get_type_hints(kind).get(name)
        if get_origin(kind) in (Union, UnionType):
            kind = next(part for part in get_args(kind) if part is not NoneType)
    return None if get_origin(kind) is dict or is_dataclass(kind) else kind
