"""CSV files that a spreadsheet shows as they are and never computes."""

from typing import Any

import pandas as pd

FORMULA = ("=", "+", "-", "@", "\t")  # a cell that begins so is one (OWASP, CSV Injection)


def csv_text(table: pd.DataFrame, **options: Any) -> str:
    """As pandas' `to_csv`, but a text that a spreadsheet would compute begins with an apostrophe.

    Numbers stay as they are, also those that are written as text, such as `-5`.
    """
    texts = table.select_dtypes(exclude=["number", "bool"])
    shown = table.assign(**{name: column.map(_as_text) for name, column in texts.items()})
    # Names of columns and rows, too: they are settings and directories.
    shown.columns = table.columns.map(_as_text)
    shown.index = table.index.map(_as_text)
    text: str = shown.to_csv(**options)
    return text


def _as_text(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    value = value.replace("\r", " ")  # pandas does not quote it, and readers end a line there
    if not value.startswith(FORMULA):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value
