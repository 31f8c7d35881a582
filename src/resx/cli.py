"""`resx COMMAND OVERRIDES...`: a command through Hydra, a wrong request answered in one line."""

import os
import signal
import sys
import threading
from importlib.metadata import PackageNotFoundError, version
from types import FrameType
from typing import NoReturn

from resx import __version__
from resx.config.flags import split_flags
from resx.errors import unknown

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
    "help": "what a setting means, such as resx help recipe.warmup; or a group, or a command",
}

COMPLETION = ("-sc", "--shell-completion")

HELP = f"""resx {__version__}: why do deep plain networks train worse, and what do residual
connections change?

usage: resx COMMAND [SETTING=VALUE ...] [-m] [--help] [--cfg job]

{{commands}}

examples:
  resx study degradation
  resx train depth=34 residual=true
  resx train -m depth=20,56 residual=true,false 'seed=range(3)'
  resx train data.root=PATH experiment=cifar_quick depth=56
  resx help recipe.warmup; resx train --help
  tensorboard --logdir outputs/runs
"""


def main() -> int:
    """The exit code: 0 done, 1 a run failed, 2 the request was wrong."""
    arguments = sys.argv[1:]
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, raise_interrupt)
    if not arguments or arguments[0] in ("-h", "--help") or arguments == ["help"]:
        lines = [f"  {name:10}{description}" for name, description in COMMANDS.items()]
        print(HELP.format(commands="\n".join(lines)), end="")
        return DONE
    if arguments[0] == "--version":
        print(versions())
        return DONE
    name, rest = arguments[0], arguments[1:]
    if name not in (*COMMANDS, *COMPLETION):
        after = name.startswith("-") or "=" in name
        hint = f"the command comes first: resx train {name} ..." if after else ""
        return refuse("resx", hint or unknown("command", name, COMMANDS))
    try:
        return answer(name, rest)
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


def answer(name: str, rest: list[str]) -> int:
    """The exit code of a command. Raises what `one_line` makes a line of.

    Each branch imports what it needs: Hydra takes a fifth of a second, torch one and a half.
    """
    if {name, *rest} & {*COMPLETION}:
        from resx.config.completion import complete

        return complete([word for word in rest if word not in COMPLETION], list(COMMANDS))
    flags, words = split_flags(rest)
    asked_for_help = bool({"--help", "-h"} & {*flags})
    if name == "help" and words and words[0] in COMMANDS:
        name, words, asked_for_help = words[0], words[1:], True
    if name in ("list", "help") and asked_for_help:
        print(f"resx {name}: {COMMANDS[name]}")
        return DONE
    if name == "list":
        from resx.commands.list import main as list_choices

        return list_choices(words, flags)
    if name == "help" or asked_for_help:
        from resx.commands.help import command_help, explain

        return explain(words, flags) if name == "help" else command_help(name, flags, words)
    from resx.config.job import run_job

    return run_job(name, flags, words)


def versions() -> str:
    """Of resx and of what decides its numbers, without importing that."""
    found = [f"resx {__version__}"]
    for package in ("torch", "torchvision", "hydra-core"):
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            found.append(f"{package} not installed")
    return ", ".join(found)


def raise_interrupt(number: int, frame: FrameType | None) -> NoReturn:
    """SIGTERM ends a command as Ctrl-C does: with everything put in order."""
    raise KeyboardInterrupt(signal.Signals(number).name)


def refuse(who: str, line: str) -> int:
    print(f"{who}: {line}", file=sys.stderr)
    return WRONG_REQUEST
