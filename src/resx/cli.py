"""`resx COMMAND OVERRIDES...`: a command through Hydra, a wrong request answered in one line."""

import os
import sys
from importlib.metadata import PackageNotFoundError, version

from resx import __version__
from resx.config.flags import split_flags
from resx.errors import unknown
from resx.interruption import CODES, PARENT, discard_output, follow, listening
from resx.process import is_first, speaks_of_its_end

DONE, WRONG_REQUEST, BROKEN_PIPE = 0, 2, CODES["SIGPIPE"]

COMMANDS = {
    "train": "train one network, or with -m a grid of them",
    "study": "a named grid: run what is missing, then report",
    "report": "tables, verdicts, figures and a page of a study or of runs",
    "analyze": "one analysis of runs or of fresh networks",
    "claims": "every claim of the notes with its verdict",
    "evaluate": "error of a run or of a file of weights",
    "export": "a run's weights in torchvision's or akamaster's names",
    "merge": "the runs of other stores, joined into this one",
    "info": "layers, parameters, multiply-adds and memory of a network",
    "pack": "class folders as WebDataset shards, for network disks and other tools",
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


def interrupted(command: str, signal: str) -> int:
    """The exit code that shells expect; silent if nobody reads on."""
    if signal != "SIGPIPE" and is_first():
        print(f"{command}: interrupted; the same command goes on from here", file=sys.stderr)
    return CODES[signal]


def answer(arguments: list[str]) -> int:
    """The exit code of what was typed after `resx`. Raises whatever it raises."""
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
    return answer_command(name, rest)


def answer_command(name: str, rest: list[str]) -> int:
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
    if name in ("list", "help", "merge") and asked_for_help:
        print(f"resx {name}: {COMMANDS[name]}")
        return DONE
    if name == "list":
        from resx.commands.list import main as list_choices

        return list_choices(words, flags)
    if name == "merge":
        from resx.commands.merge import main as merge

        return merge(words)
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


def refuse(who: str, line: str) -> int:
    if speaks_of_its_end():
        print(f"{who}: {line}", file=sys.stderr)
    return WRONG_REQUEST
