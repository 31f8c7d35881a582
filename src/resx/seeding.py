"""Randomness as a function of (seed, purpose)."""

import hashlib

import torch


def generator(seed: int, *purpose: str | int) -> torch.Generator:
    """A CPU generator of its own for each (seed, purpose), such as ("crop", step)."""
    return torch.Generator().manual_seed(_number(seed, *purpose))


def seed_noise(seed: int, step: int) -> None:
    """Dropout draws from torch's own generator: make that a function of (seed, step) too."""
    torch.manual_seed(_number(seed, "noise", step))


def _number(*parts: str | int) -> int:
    digest = hashlib.blake2b("/".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1
