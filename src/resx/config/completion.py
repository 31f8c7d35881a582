"""Completion of `resx COMMAND SETTING=...` in a shell: Hydra's own, of the command on the line."""

import os

from resx.config.job import run_through_hydra
from resx.config.location import conf_dir
from resx.config.requests import BARE, COMMANDS
from resx.errors import RequestError

SHELLS = ("bash", "fish", "zsh")
ACTIONS = ("install", "uninstall", "query")


def complete(arguments: list[str], commands: list[str]) -> int:
    """`install=bash` prints what the shell is to evaluate, `query=bash` what may follow COMP_LINE.

    Raises `RequestError` for any other request.
    """
    action, _, shell = (arguments or [""])[0].partition("=")
    if len(arguments) != 1 or action not in ACTIONS or shell not in SHELLS:
        raise RequestError('completion is installed by eval "$(resx -sc install=bash)" (fish, zsh)')
    if action != "query":
        return run_through_hydra("train", ["-sc", *arguments], program="resx")
    line = os.environ.get("COMP_LINE", "")
    words = line.split()[1:]
    if not words or (len(words) == 1 and not line.endswith(" ")):
        print(" ".join(commands))  # the shell picks those that begin like the word
        return 0
    command = words[0]
    if command not in COMMANDS:
        return 0
    os.environ["COMP_LINE"] = "resx" + line.split(command, 1)[1]
    if (bare := BARE.get(command)) and "=" not in words[-1]:
        print(" ".join(sorted(path.stem for path in (conf_dir() / bare).glob("*.yaml"))), end=" ")
    return run_through_hydra(command, ["-sc", *arguments], program="resx")
