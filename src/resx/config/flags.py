"""Hydra's flags, which resx takes after a command: told apart from overrides, and checked."""

from collections.abc import Iterator

from resx.errors import RequestError, unknown

FLAGS = ("--help", "-h", "--hydra-help", "--multirun", "-m", "--run", "-r", "--resolve")
FLAGS_WITH_VALUE = (
    *("--cfg", "-c", "--package", "-p", "--config-dir", "-cd", "--config-name", "-cn"),
    *("--config-path", "-cp"),
)
CONFIGURATION, INFORMATION = ("--cfg", "-c"), ("--info", "-i")
MODES = ("--multirun", "-m", "--run", "-r", *CONFIGURATION, *INFORMATION)  # Hydra takes one
ALL = (*FLAGS, *FLAGS_WITH_VALUE, *INFORMATION)
CHOICES = {
    CONFIGURATION: ("job", "hydra", "all"),
    INFORMATION: ("all", "config", "defaults", "defaults-tree", "plugins", "searchpath"),
}


def split_flags(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Hydra's flags with their values, and the overrides: Hydra wants the flags in one place.

    Raises `RequestError` for a flag that Hydra does not have, or without the value it needs.
    """
    flags: list[str] = []
    overrides: list[str] = []
    left = list(arguments)
    while left:
        argument = left.pop(0)
        name, _, value = argument.partition("=")
        if not argument.startswith("-"):
            overrides.append(argument)
        elif name in FLAGS_WITH_VALUE:
            if not value and (not left or left[0].startswith("-")):
                raise RequestError(f"{name}: needs a value")
            flags.append(f"{name}={value or left.pop(0)}")
        elif name in INFORMATION:
            if not value and left and left[0] in CHOICES[INFORMATION]:
                value = left.pop(0)
            flags.append(f"--info={value or 'all'}")
        elif argument in FLAGS:
            flags.append(argument)
        else:
            raise RequestError(unknown("flag", argument, ALL))
    _check(flags)
    return flags, overrides


def values_of(flags: list[str], *names: str) -> Iterator[str]:
    """The values of flags of these names, in order."""
    for flag in flags:
        name, _, value = flag.partition("=")
        if name in names:
            yield value


def _check(flags: list[str]) -> None:
    modes = [flag for flag in flags if flag.partition("=")[0] in MODES]
    if len(modes) > 1:
        raise RequestError(f"{modes[0]} and {modes[1]}: one of the two")
    for names, choices in CHOICES.items():
        for value in values_of(flags, *names):
            if value not in choices:
                raise RequestError(f"{names[0]}={value}: must be one of {', '.join(choices)}")
    package = next(values_of(flags, "--package", "-p"), None)
    if package is not None and not any(values_of(flags, *CONFIGURATION)):
        raise RequestError(f"--package={package}: says what --cfg shows, and needs it")
