"""The README in two languages says the same commands, files and tables of numbers."""

import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
ENGLISH = (ROOT / "README.md").read_text()
CHINESE = (ROOT / "README.zh-CN.md").read_text()
# The tree of files is told in English alone.
TREE = re.compile(r"## Where things are\n.*?(?=\n## )", re.DOTALL)


def blocks(text):
    return re.findall(r"^```\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def test_the_blocks_are_equal():
    assert blocks(CHINESE) == blocks(TREE.sub("", ENGLISH))


def test_all_that_a_person_may_type_stands_in_both():
    """Inline code, but for what is only named in passing."""

    def typed(text):
        without = re.sub(r"^```\n.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
        return Counter(re.findall(r"`([^`\n]+)`", without))

    english, chinese = typed(TREE.sub("", ENGLISH)), typed(CHINESE)
    paths = {"conf/", "src/resx/", "scripts/", "docs/", "tests/", "src/resx"}
    assert set(chinese) - paths == set(english)


def test_links_and_pictures_are_the_same_and_lead_somewhere():
    def links(text):
        found = set(re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text))
        return {link for link in found if not link.startswith("https")}

    others = {"README.md", "README.zh-CN.md"}
    assert links(ENGLISH) - others == links(CHINESE) - others
    assert not [link for link in links(ENGLISH) if not (ROOT / link).exists()]


def test_numbers_of_the_tables_are_equal():
    def rows(text):
        return re.findall(r"^\| `\w+` \| .*\| .*\[.*\] \|$", text, re.MULTILINE)

    english = [re.findall(r"[-+]?\d+\.\d+", row) for row in rows(ENGLISH)]
    assert len(english) == 7
    assert [re.findall(r"[-+]?\d+\.\d+", row) for row in rows(CHINESE)] == english
