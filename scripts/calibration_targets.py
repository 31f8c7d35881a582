"""What the simulation is held to, and tables of rates in Markdown."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass
class Targets:
    """What the simulation is held to, and what it missed."""

    missed: list[str] = field(default_factory=list)
    grave: bool = False  # by more than three standard errors of the simulation
    checked: int = 0

    def check(self, what: str, rate: float, target: float, trials: int, above: bool) -> None:
        self.checked += 1
        excess = target - rate if above else rate - target
        if math.isnan(rate) or excess <= 0:
            return
        error = math.sqrt(target * (1 - target) / trials)
        side = "at least" if above else "at most"
        self.missed.append(
            f"{what}: {percent(rate)} %, {side} {percent(target)} % was asked"
            f" (standard error {percent(error)})"
        )
        self.grave |= excess > 3 * error


def percent(rate: float) -> str:
    return "" if math.isnan(rate) else f"{100 * rate:.1f}"


def table(head: Iterable[str], rows: Iterable[Iterable[str]], words: int = 1) -> str:
    """Markdown; the first `words` columns are text, the others numbers."""
    cells = list(head)
    rule = ["---"] * words + ["---:"] * (len(cells) - words)
    return "\n".join(f"| {' | '.join(line)} |" for line in [cells, rule, *map(list, rows)])
