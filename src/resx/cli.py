"""`resx COMMAND OVERRIDES...`: a command through Hydra, a wrong request answered in one line."""

import os
import sys
from itertools import islice

from resx import __version__
from resx.errors import RequestError, unknown
from resx.interruption import CODES, PARENT, discard_output, follow, listening

DONE, WRONG_REQUEST, BROKEN_PIPE = 0, 2, CODES["SIGPIPE"]

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
    """The exit code: 0 done, 1 a run failed, 2 the request was wrong, 130 and such for a signal."""
    if parent := os.environ.pop(PARENT, ""):
        follow(int(parent))
    arguments = sys.argv[1:]
    command = " ".join(["resx", *arguments[:1]])
    with listening() as received:
        try:
            code = answer(arguments)
            sys.stdout.flush()  # a reader that is gone is noticed here, not when Python ends
            return code
        except SystemExit as stop:  # Hydra's --help and its own complaints end so
            return stop.code if isinstance(stop.code, int) else WRONG_REQUEST
        except BaseException as error:
            if isinstance(error, BrokenPipeError):  # the reader, such as `head`, has seen enough
                discard_output()
                return BROKEN_PIPE
            # Code that is interrupted while it is imported may make another error of it.
            by_hand = "SIGINT" if isinstance(error, KeyboardInterrupt) else ""
            if name := received() or by_hand:
                return interrupted(command, name)
            from resx.config.refusals import one_line

            line = one_line(error, arguments[0]) if isinstance(error, Exception) else None
            if line is None:
                raise
            return refuse(command, line)


def answer(arguments: list[str]) -> int:
    """The command's exit code. Raises whatever it raises."""
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
    if name == "list":
        return show_list(rest)
    flags, overrides = split_flags(rest)
    from resx.config.job import run_job  # Hydra takes a fifth of a second

    return run_job(name, flags, overrides)


def interrupted(command: str, signal: str) -> int:
    """The exit code that shells expect; silent if nobody reads on."""
    if signal != "SIGPIPE":
        print(f"{command}: interrupted; the same command goes on from here", file=sys.stderr)
    return CODES[signal]


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


def refuse(who: str, line: str) -> int:
    print(f"{who}: {line}", file=sys.stderr)
    return WRONG_REQUEST


def show_list(arguments: list[str]) -> int:
    from resx.commands.list import main as list_choices

    return list_choices(arguments)
