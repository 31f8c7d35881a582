"""Text from configurations and questions reads in Markdown as it stands in them."""

import pandas as pd
import pytest

from resx.report.markdown import escaped, markdown, markdown_table, paragraph
from tests.report.synthetic import DEGRADED


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a|b", r"a\|b"),
        ("<script>alert(1)</script>", r"\<script>alert(1)\</script>"),
        ("[here](http://example.org)", r"[here]\(http://example.org)"),
        ("![image](x.png)", r"\![image]\(x.png)"),
        ("*bold* `code` _so_ ~~gone~~ $x$", r"\*bold\* \`code\` \_so\_ \~\~gone\~\~ \$x\$"),
        ("&lt;b&gt;", r"\&lt;b\&gt;"),
        ("two\n\nlines", "two lines"),
        ("train_clean +0.13 [+0.01, +0.44] > 60.00", "train_clean +0.13 [+0.01, +0.44] > 60.00"),
    ],
)
def test_signs_of_markdown_are_escaped_and_numbers_stay_readable(text, expected):
    assert escaped(text) == expected


@pytest.mark.parametrize("text", ["# x", "> x", "- x", "+ x", "=== x", "[a]: x"])
def test_a_paragraph_begins_with_no_sign(text):
    assert paragraph(text).startswith("\\" + text[0])


def test_a_paragraph_is_no_numbered_list():
    assert paragraph("1. x") == r"1\. x"
    assert paragraph("1.5 x") == "1.5 x"


def test_cells_and_heads_of_tables_are_escaped():
    table = markdown_table(pd.DataFrame({"a|b": ["c|d\ne"]}))
    assert table == "| a\\|b |\n| --- |\n| c\\|d e |"


def test_a_report_has_no_markup_of_its_question_or_command(runs):
    runs.write(DEGRADED)
    report = runs.report()
    selection = report.selected.selection
    object.__setattr__(selection, "question", "# <b>why</b>\n\n# really")
    object.__setattr__(selection, "command", "resx report 'runs=a\nb'")
    lines = markdown(report, []).splitlines()
    assert r"\# \<b>why\</b> # really" in lines
    assert "    b'" in lines
