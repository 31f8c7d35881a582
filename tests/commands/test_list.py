"""Whatever can be named is listed."""

from tests.conftest import yamls


def test_list_has_a_line_for_every_yaml(resx):
    for group in ("model", "data", "recipe"):
        lines = resx("list", group).out.splitlines()[1:]
        assert [x.split()[0] for x in lines] == yamls(group)
        assert all(len(x.split()) > 3 for x in lines)
