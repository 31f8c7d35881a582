"""Spans of time as people say them."""


def clock(seconds: float) -> str:
    """`80 s`, `3 min`, `5 h`."""
    minutes = seconds / 60
    if minutes < 2:
        return f"{seconds:.0f} s"
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.0f} h"
