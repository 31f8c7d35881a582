"""No cell of a CSV file is a formula to a spreadsheet, and numbers stay numbers."""

import io

import pandas as pd
import pytest

from resx.store.spreadsheet import csv_text

FORMULA = '=HYPERLINK("http://example.org";"click")'


@pytest.mark.parametrize("text", [FORMULA, "+1+1", "-x", "@SUM(A1)", "\t=1"])
def test_a_text_that_would_be_computed_begins_with_an_apostrophe(text):
    table = pd.DataFrame({"class": [text], text: [1.0]}, index=[text])
    read = pd.read_csv(io.StringIO(csv_text(table), newline=""), index_col=0)
    assert read["class"].tolist() == [f"'{text}"]
    assert read.columns.tolist() == ["class", f"'{text}"]
    assert read.index.tolist() == [f"'{text}"]


def test_a_carriage_return_begins_no_line():
    assert csv_text(pd.DataFrame({"class": ["a\r=1"]}), index=False) == "class\na =1\n"


def test_numbers_and_other_texts_stay_as_they_are():
    table = pd.DataFrame(
        {
            "number": [-1.5, 2],
            "mixed": ["-1e-3", "default"],
            "text": ["a-b", "1,437"],
            "yes": [True, None],
        }
    )
    assert csv_text(table, index=False) == table.to_csv(index=False)
