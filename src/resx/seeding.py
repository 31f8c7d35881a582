"""Randomness as a function of (seed, purpose)."""

import hashlib

import torch


def generator(seed: int, *purpose: str | int) -> torch.Generator:
    """A CPU generator of its own for each (seed, purpose), such as ("crop", step)."""
    return torch.Generator().manual_seed(_number(seed, *purpose))


def seed_noise(seed: int, step: int, part: int = 0) -> None:
    """Dropout draws from torch's own generator: make that a function of (seed, step) too.

    And of the part of a batch that passes at a time, so that any process can begin with its own.
    """
    number = _number(seed, "noise", step)
    for _ in range(part):
        number = _number(number, "part")
    torch.manual_seed(number)


def seed_next_part() -> None:
    """From the noise of one part to that of the next."""
    torch.manual_seed(_number(torch.initial_seed(), "part"))


def _number(*parts: str | int) -> int:
    digest = hashlib.blake2b("/".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1
