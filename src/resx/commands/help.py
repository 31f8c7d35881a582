"""`resx help SETTING` and `resx COMMAND --help`: what can be typed, what it means, its default."""

import shutil
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from resx.config.choices import first_comment, yamls
from resx.config.composing import compose_raw
from resx.config.documentation import Described, described, yaml_comments
from resx.config.flags import values_of
from resx.config.location import conf_dir
from resx.config.requests import BARE, COMMANDS
from resx.config.schema import DataConfig, NetworkConfig, RecipeConfig, StudyConfig, TrainConfig
from resx.config.settings import flatten, plain
from resx.errors import RequestError, unknown

CLASSES = {"data": DataConfig, "recipe": RecipeConfig, "study": StudyConfig}
GROUPS = ("model", "data", "recipe", "experiment", "study", "analysis")
RARE = ("source", "name", "_target_")  # a person types other settings first
HYDRA = (
    ("-m, --multirun", "a run for each value: depth=20,56 'seed=range(3)'"),
    (
        "hydra/launcher=joblib",
        "with -m or a study: runs in parallel (also submitit_slurm, ray, ..)",
    ),
    ("hydra/sweeper=optuna", "with -m: a search instead of a grid: 'recipe.lr=interval(0.01,0.5)'"),
    ("--cfg job", "the composed configuration, and nothing runs (also hydra, all)"),
    ("--info defaults", "where each part of it comes from (also config, plugins, searchpath)"),
    ("--config-dir FOLDER", "models, data sets, recipes, studies of your own"),
    ("--config-name NAME", "another root configuration"),
    (
        "-sc install=bash",
        'after resx itself, completion: eval "$(resx -sc install=bash)" (also fish, zsh)',
    ),
    ("--hydra-help", "all of Hydra's flags"),
)


def explain(arguments: list[str], flags: Sequence[str]) -> int:
    """Explains settings and groups. Raises `RequestError` for what there is not."""
    if not arguments:
        raise RequestError("name a setting, a group or a command: resx help recipe.warmup")
    folders = [*map(Path, values_of(list(flags), "--config-dir", "-cd")), conf_dir()]
    for name in arguments:
        print("\n".join(_explained(name.rstrip("="), folders)))
    return 0


def command_help(command: str, flags: Sequence[str], overrides: Iterable[str]) -> int:
    """A command's settings, those that matter first, with the values that hold now."""
    folders = [*map(Path, values_of(list(flags), "--config-dir", "-cd")), conf_dir()]
    search = [f"file://{folder.absolute()}" for folder in folders[:-1]]
    lines = [*overrides, *([f"hydra.searchpath=[{','.join(search)}]"] if search else [])]
    composed = plain(compose_raw(lines, command))
    schema = COMMANDS[command]
    shared = {d.name for d in described(TrainConfig if command in BARE else NetworkConfig)}
    own = [d for d in described(schema) if d.name not in shared]
    subject = " NAME" * (command in BARE)
    print(first_comment(conf_dir() / f"{command}.yaml"))
    print(f"\nusage: resx {command}{subject} [SETTING=VALUE ...] [-m]")
    _table(f"\nOf {command}", own, composed)
    _table(
        "\nThe network and its training", [d for d in described(schema) if d not in own], composed
    )
    for group in GROUPS:
        _group(group, composed, folders)
    print("\nHydra's own")
    for flag, meaning in HYDRA:
        _row(flag, meaning)
    print("\nOne setting or group in full: resx help recipe.warmup")
    return 0


def _group(group: str, composed: dict[str, Any], folders: Sequence[Path]) -> None:
    if group not in composed and group != "experiment":
        return
    choices = yamls(group, folders)
    chosen = composed.get(group) or {}
    name = chosen.get("name", "none")
    listed = f"{group}: {', '.join(path.stem for path in choices)}"
    print("\n" + textwrap.fill(listed, _width(), subsequent_indent="  "))
    if not chosen:
        return
    print(f"of {group}={name}")
    if group in CLASSES:
        rows = described(CLASSES[group], f"{group}.")
    else:
        rows = _options(group, [path for path in choices if path.stem == name])
    shown = [key for key in chosen if key not in RARE]
    _table("", [d for d in rows if d.name.partition(".")[2] in shown], composed)


def _options(group: str, paths: Iterable[Path]) -> list[Described]:
    """The options of a model or an analysis, as its yaml comments on them."""
    found = (pair for path in paths for pair in yaml_comments(path).items())
    return [Described(f"{group}.{key}", text) for key, (_, text) in found]


def _table(title: str, rows: Sequence[Described], composed: dict[str, Any]) -> None:
    if title and rows:
        print(title)
    values = flatten(composed)
    for row in rows:
        _row(f"{row.name}={spelled(values.get(row.name))}", row.text)


def _row(left: str, right: str, indent: int = 2, column: int = 32) -> None:
    lines = textwrap.wrap(right, _width() - column) or [""]
    if len(left) + indent + 2 > column:
        print(f"{'':{indent}}{left}")
    else:
        print(f"{'':{indent}}{left:{column - indent}}{lines.pop(0)}".rstrip())
    for line in lines:
        print(f"{'':{column}}{line}".rstrip())


def _width() -> int:
    return max(60, min(shutil.get_terminal_size((100, 24)).columns, 110))


def spelled(value: Any) -> str:
    """A value as it is typed."""
    if value is None:
        return "null"
    if isinstance(value, list | tuple):
        return f"[{','.join(map(spelled, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _explained(name: str, folders: Sequence[Path]) -> list[str]:
    """A group with its choices, or a setting with its meaning and its value in each choice."""
    if name in GROUPS:
        paths = yamls(name, folders)
        width = max(len(path.stem) for path in paths)
        return [f"{name}=", *(f"  {p.stem:{width}}  {first_comment(p)}" for p in paths)]
    group, _, option = name.partition(".")
    if group in CLASSES:
        found = [d for d in described(CLASSES[group], f"{group}.") if d.name == name]
    elif group in GROUPS:
        found = [d for d in _options(group, yamls(group, folders)) if d.name == name][:1]
    else:
        found = [d for d in _top_level() if d.name == name]
    if not found:
        raise RequestError(unknown("setting", name, _all_names(folders), GROUPS))
    lines = [name, *textwrap.wrap(found[0].text, 96, initial_indent="  ", subsequent_indent="  ")]
    if not option:
        users = [
            c for c, schema in COMMANDS.items() if any(d.name == name for d in described(schema))
        ]
        value = spelled(plain(compose_raw([], users[0])).get(name))
        return [*lines, f"  default: {value}", f"  of: resx {', '.join(users)}"]
    default = getattr(CLASSES[group], option, "") if group in CLASSES else ""
    if default != "" and default != "???":
        lines.append(f"  default: {spelled(default)}")
    for path in yamls(group, folders):
        value, text = yaml_comments(path).get(option, ("", ""))
        if value:
            meaning = f"  {text}" if text and text != found[0].meaning else ""
            lines.append(f"  {group}={path.stem}: {value}{meaning}")
    return lines


def _top_level() -> list[Described]:
    return list({d.name: d for schema in COMMANDS.values() for d in described(schema)}.values())


def _all_names(folders: Sequence[Path]) -> list[str]:
    names = [d.name for d in _top_level()]
    for group, schema in CLASSES.items():
        names += [d.name for d in described(schema, f"{group}.")]
    for group in ("model", "analysis"):
        names += [d.name for d in _options(group, yamls(group, folders))]
    return [*dict.fromkeys(names), *GROUPS]
