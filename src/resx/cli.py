"""`resx COMMAND OVERRIDES...`: a command through Hydra, a wrong request answered in one line."""

import importlib
import json
import os
import signal
import sys
import threading
from itertools import islice
from types import FrameType
from typing import Any, NamedTuple, NoReturn

import hydra
from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.types import RunMode
from omegaconf import DictConfig

from resx import __version__
from resx.config.checks import unknown
from resx.config.refusals import one_line
from resx.config.schema import (
    BenchConfig,
    EvaluateConfig,
    ExportConfig,
    InfoConfig,
    ReportRequest,
    StudyRequest,
    TrainConfig,
)
from resx.config.settings import conf_dir, typed
from resx.errors import RequestError
from resx.study import outcomes

DONE, WRONG_REQUEST = 0, 2
INTERRUPTED, BROKEN_PIPE, TERMINATED = 130, 141, 143  # as shells count SIGINT, -PIPE, -TERM


class Command(NamedTuple):
    schema: type
    description: str


COMMANDS = {
    "train": Command(TrainConfig, "train one network, or with -m a grid of them"),
    "study": Command(StudyRequest, "a named grid: run what is missing, then report"),
    "report": Command(ReportRequest, "tables, verdicts, figures and a page of a study or of runs"),
    "evaluate": Command(EvaluateConfig, "error of a run or of a file of weights"),
    "export": Command(ExportConfig, "a run's weights in torchvision's or akamaster's names"),
    "info": Command(InfoConfig, "layers, parameters, multiply-adds and memory of a network"),
    "bench": Command(BenchConfig, "images per second of the training loop"),
    "list": Command(dict, "models, data sets, recipes and studies, one line each"),
}

# Hydra's own; `--info` takes its value after `=` only.
FLAGS = ("--help", "-h", "--hydra-help", "--multirun", "-m", "--run", "-r", "--resolve")
FLAGS_WITH_VALUE = (
    *("--cfg", "-c", "--package", "-p", "--config-dir", "-cd", "--config-name", "-cn"),
    *("--config-path", "-cp", "--experimental-rerun"),
)
GRIDS = ("study", "report")  # commands that take a study's name and a grid

HELP = f"""resx {__version__}: why do deep plain networks train worse, and what do residual
connections change?

usage: resx COMMAND [SETTING=VALUE ...] [-m] [--help] [--cfg job]

{{commands}}

examples:
  resx study degradation
  resx train depth=34 residual=true
  resx train -m depth=20,56 residual=true,false 'seed=range(3)'
  resx train data=cifar10 data.root=PATH recipe=cifar_quick depth=56
  tensorboard --logdir outputs/runs
"""


def main() -> int:
    """The exit code: 0 done, 1 a run failed, 2 the request was wrong."""
    arguments = sys.argv[1:]
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, raise_interrupt)
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        lines = [f"  {name:10}{command.description}" for name, command in COMMANDS.items()]
        print(HELP.format(commands="\n".join(lines)), end="")
        return DONE
    if arguments[0] == "--version":
        print(f"resx {__version__}")
        return DONE
    name, rest = arguments[0], arguments[1:]
    if name not in COMMANDS:
        after = name.startswith("-") or "=" in name
        hint = f"the command comes first: resx train {name} ..." if after else ""
        return refuse("resx", hint or unknown("command", name, COMMANDS))
    try:
        if name == "list":
            return show_list(rest)
        flags, overrides = split_flags(rest)
        overrides = study_arguments(overrides) if name in GRIDS else overrides
        return run_through_hydra(name, [*flags, *overrides])
    except SystemExit as stop:  # Hydra's --help and its own complaints end so
        return stop.code if isinstance(stop.code, int) else WRONG_REQUEST
    except KeyboardInterrupt as stop:
        print(f"resx {name}: interrupted; the same command goes on from here", file=sys.stderr)
        return TERMINATED if stop.args == ("SIGTERM",) else INTERRUPTED
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except Exception as error:
        line = one_line(error, name)
        if line is None:
            raise
        return refuse(f"resx {name}", line)


def split_flags(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Hydra's flags with their values, and the overrides: Hydra wants the flags in one place.

    Raises `RequestError` for a flag that Hydra does not have.
    """
    flags: list[str] = []
    overrides: list[str] = []
    left = iter(arguments)
    for argument in left:
        name = argument.split("=")[0]
        if not argument.startswith("-"):
            overrides.append(argument)
        elif name in FLAGS_WITH_VALUE:
            flags += [argument] if "=" in argument else [argument, *islice(left, 1)]
        elif name in FLAGS:
            flags.append(argument)
        elif name in ("--info", "-i"):
            flags.append(argument if "=" in argument else "--info=all")
        else:
            raise RequestError(unknown("flag", argument, [*FLAGS, *FLAGS_WITH_VALUE, "--info"]))
    return flags, overrides


def study_arguments(arguments: list[str]) -> list[str]:
    """`degradation seed=range(5)` -> `study=degradation sweeps=["seed=range(5)"]`.

    Hydra itself allows a sweep only in a multirun; a study is one, but not of itself.
    """
    result, sweeps = [], []
    for argument in arguments:
        if argument.startswith("hydra"):
            result.append(argument)
        elif "=" not in argument:
            result.append(f"study={argument}")
        elif OverridesParser.create().parse_override(argument).is_sweep_override():
            sweeps.append(argument)
        else:
            result.append(argument)
    return [*result, f"sweeps={json.dumps(sweeps)}"] if sweeps else result


def raise_interrupt(number: int, frame: FrameType | None) -> NoReturn:
    """SIGTERM ends a command as Ctrl-C does: with everything put in order."""
    raise KeyboardInterrupt(signal.Signals(number).name)


def refuse(who: str, line: str) -> int:
    print(f"{who}: {line}", file=sys.stderr)
    return WRONG_REQUEST


def show_list(arguments: list[str]) -> int:
    from resx.commands.list import main as list_choices

    return list_choices(conf_dir(), arguments)


def register_schemas() -> None:
    for name, command in COMMANDS.items():
        if name != "list":
            ConfigStore.instance().store(f"{name}_schema", command.schema)


def run_through_hydra(name: str, arguments: list[str]) -> int:
    register_schemas()
    code, failure = DONE, None

    def job(config: DictConfig) -> None:
        nonlocal code, failure
        if HydraConfig.get().mode == RunMode.MULTIRUN:
            outcomes.note_outcome(lambda: run_command(name, config), lambda e: one_line(e, name))
            return
        try:
            code = run_command(name, config)
        except Exception as error:  # raised below: Hydra would add a line of its own
            failure = error

    old_argv, old_full_error = sys.argv, os.environ.get("HYDRA_FULL_ERROR")
    sys.argv = [f"resx {name}", *arguments]
    os.environ["HYDRA_FULL_ERROR"] = "1"  # have Hydra raise instead of printing
    outcomes.SweepDirectory.path = None
    try:
        hydra.main(version_base="1.3", config_path=str(conf_dir()), config_name=name)(job)()
    finally:
        sys.argv = old_argv
        if old_full_error is None:
            del os.environ["HYDRA_FULL_ERROR"]
        else:
            os.environ["HYDRA_FULL_ERROR"] = old_full_error
    if failure is not None:
        raise failure
    if outcomes.SweepDirectory.path is not None:
        return outcomes.report(outcomes.SweepDirectory.path)
    return code


def run_command(name: str, config: DictConfig) -> int:
    request = typed(config, COMMANDS[name].schema)
    module: Any = importlib.import_module(f"resx.commands.{name}")
    code = module.main(request, config)
    assert isinstance(code, int)
    return code
