"""`resx COMMAND OVERRIDES...`: a command through Hydra, a wrong request answered in one line."""

import os
import signal
import sys
import threading
from itertools import islice
from types import FrameType
from typing import NoReturn

from resx import __version__
from resx.errors import RequestError, unknown

DONE, WRONG_REQUEST = 0, 2
INTERRUPTED, BROKEN_PIPE, TERMINATED = 130, 141, 143  # as shells count SIGINT, -PIPE, -TERM


COMMANDS = {
    "train": "train one network, or with -m a grid of them",
    "study": "a named grid: run what is missing, then report",
    "report": "tables, verdicts, figures and a page of a study or of runs",
    "analyze": "one analysis of runs or of fresh networks",
    "claims": "every claim of the notes with its verdict",
    "evaluate": "error of a run or of a file of weights",
    "export": "a run's weights in torchvision's or akamaster's names",
    "info": "layers, parameters, multiply-adds and memory of a network",
    "bench": "images per second of the training loop",
    "list": "models, data sets, recipes, experiments, studies and analyses, one line each",
}

# Hydra's own; `--info` takes its value after `=` only.
FLAGS = ("--help", "-h", "--hydra-help", "--multirun", "-m", "--run", "-r", "--resolve")
FLAGS_WITH_VALUE = (
    *("--cfg", "-c", "--package", "-p", "--config-dir", "-cd", "--config-name", "-cn"),
    *("--config-path", "-cp"),
)

HELP = f"""resx {__version__}: why do deep plain networks train worse, and what do residual
connections change?

usage: resx COMMAND [SETTING=VALUE ...] [-m] [--help] [--cfg job]

{{commands}}

examples:
  resx study degradation
  resx train depth=34 residual=true
  resx train -m depth=20,56 residual=true,false 'seed=range(3)'
  resx train data.root=PATH experiment=cifar_quick depth=56
  tensorboard --logdir outputs/runs
"""


def main() -> int:
    """The exit code: 0 done, 1 a run failed, 2 the request was wrong."""
    arguments = sys.argv[1:]
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, raise_interrupt)
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        lines = [f"  {name:10}{description}" for name, description in COMMANDS.items()]
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
        from resx.config.job import run_job  # Hydra takes a fifth of a second

        return run_job(name, flags, overrides)
    except SystemExit as stop:  # Hydra's --help and its own complaints end so
        return stop.code if isinstance(stop.code, int) else WRONG_REQUEST
    except KeyboardInterrupt as stop:
        print(f"resx {name}: interrupted; the same command goes on from here", file=sys.stderr)
        return TERMINATED if stop.args == ("SIGTERM",) else INTERRUPTED
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except Exception as error:
        from resx.config.refusals import one_line

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


def raise_interrupt(number: int, frame: FrameType | None) -> NoReturn:
    """SIGTERM ends a command as Ctrl-C does: with everything put in order."""
    raise KeyboardInterrupt(signal.Signals(number).name)


def refuse(who: str, line: str) -> int:
    print(f"{who}: {line}", file=sys.stderr)
    return WRONG_REQUEST


def show_list(arguments: list[str]) -> int:
    from resx.commands.list import main as list_choices

    return list_choices(arguments)
