"""Checks of a family's options; a message begins with the option's bare name and its value."""

from collections.abc import Iterable


def one_of(option: str, value: object, choices: Iterable[object]) -> None:
    """Raises ValueError, naming the choices, for a value that is none of them."""
    listed = list(choices)
    if value not in listed:
        raise ValueError(f"{option}={value}: must be one of {', '.join(map(str, listed))}")


def at_least_one(**options: int | None) -> None:
    """Raises ValueError for a smaller number; None means that it was not given."""
    for option, value in options.items():
        if value is not None and value < 1:
            raise ValueError(f"{option}={value}: must be at least 1")


def below_one(**options: float | None) -> None:
    """Raises ValueError for a share outside [0, 1); None means that it was not given."""
    for option, value in options.items():
        if value is not None and not 0 <= value < 1:
            raise ValueError(f"{option}={value}: must be in [0, 1)")
