"""`resx claims` reads or computes every row, and says of the rest how it would be measured."""

import json
import re
from pathlib import Path

import pytest

from resx.claims.page import PAGES, write_pages
from resx.claims.row import Row
from resx.claims.table import write_markdown
from resx.commands import claims
from resx.errors import RequestError
from resx.reference.claims import all_claims, claim, in_chinese
from tests.commands.answers import assert_refused

DOCS = Path(__file__).parents[2] / "docs"
ONLY = "only=[degradation,convergence,information]"
SMALL = ("depth=8,14", "seed=0,1", "model.width=2", "recipe.steps=6", "recipe.record_every=2")
SMALL += ("recipe.eval_every=2", "hydra/launcher=basic")


@pytest.fixture
def page(tmp_path):
    def read():
        (path,) = tmp_path.glob("outputs/claims/**/index.html")
        return path.read_text()

    return read


@pytest.mark.slow
def test_it_trains_what_analyses_need_and_then_reads_studies_too(resx, tmp_path, page):
    preview = resx("claims", ONLY, *SMALL, "preview=true")
    assert preview.code == 0, preview.err
    assert "analyses missing: convergence, information" in preview.out
    assert "predicted for 8 runs" in preview.out
    assert not list(tmp_path.glob("outputs/runs/*"))
    answer = resx("claims", ONLY, *SMALL, f"file={tmp_path / 'claims.md'}")
    assert answer.code == 0, answer.err
    lines = [line for line in answer.out.splitlines() if line and line[0] != " "]
    assert lines[0].startswith("predicted for 8 runs: ")
    assert lines[8].startswith("8 of 8: ")  # runs, as they end
    rows = [line.split()[0] for line in lines[9:]]
    assert rows[:4] == ["degradation", "degradation", "convergence", "information"]
    assert len(list(tmp_path.glob("outputs/runs/*/*/*/summary.json"))) == 8
    assert "false as written" in answer.out
    html = page()
    assert html.count("<svg") >= 2
    assert claim("degradation").chinese.replace("**", "") in html
    assert "the higher its training error" in html
    assert "http" not in html.replace("http://www.w3.org", "")
    assert "rows.csv" in html
    text = (tmp_path / "claims.md").read_text()
    assert "| [information](#information) | false as written |" in text
    assert (tmp_path / "claims" / "information-figure.png").is_file()
    results = {p: p.stat().st_mtime_ns for p in tmp_path.glob("outputs/analyses/*/*/summary.json")}
    assert resx("claims", ONLY, *SMALL).code == 0
    assert all(path.stat().st_mtime_ns == time for path, time in results.items())


@pytest.mark.slow
def test_what_is_missing_says_how_it_is_measured(resx, tmp_path):
    answer = resx("claims", ONLY, "run=none", "seed=range(3)")
    assert answer.code == 0, answer.err
    line = "resx study degradation 'seed=range(3)'"  # as a shell takes it
    assert f"24 of 24 runs are missing: {line}" in answer.out
    assert "resx analyze information depth=8" in answer.out
    assert "resx claims run=analyses" in answer.out
    assert "4 not measured" in answer.out
    assert not list(tmp_path.glob("outputs/runs/*"))


@pytest.mark.slow
def test_one_that_fails_is_a_row_and_the_others_go_on(resx):
    answer = resx("claims", "only=[information,gap-table]", "depth=9")
    assert answer.code == 1
    assert "depth=9: no such network" in answer.out
    assert "1 failed, 2 not measured" in answer.out


@pytest.mark.slow
def test_the_preview_counts_what_force_computes_again_and_says_what_is_refused(resx, monkeypatch):
    assert resx("claims", "only=[information]").code == 0
    only = ("claims", "only=[information]", "preview=true")
    assert "analyses missing: none" in resx(*only).out
    assert "analyses missing: information" in resx(*only, "force=true").out

    def refused(*_):
        raise RequestError("its checkpoint cannot be read")

    monkeypatch.setattr(claims, "prepare_request", refused)
    answer = resx(*only)
    assert answer.code == 0, answer.err
    assert "information: its checkpoint cannot be read" in answer.out
    assert "analyses missing: none" in answer.out


@pytest.mark.slow
def test_runs_that_fail_while_they_are_trained_for_it_are_a_failure(resx, tmp_path):
    """A folder that is no run's lies where one of the four would be trained."""
    (tmp_path / "outputs/runs/digits").mkdir(parents=True)
    (tmp_path / "outputs/runs/digits/resnet-14-plain").write_text("in the way")
    answer = resx("claims", "only=[convergence]", *SMALL)
    assert answer.code == 1, answer.err
    assert "1 failed" in answer.out
    page = (tmp_path / "outputs").glob("claims/**/index.html")
    assert "2 of 8 runs failed" in next(page).read_text()


def test_what_is_asked_for_again_is_what_was_measured():
    """Of trained runs `resx analyze NAME depth=..` would look at fresh networks."""
    for each in all_claims():
        for measurement in each.measurements:
            command = Row(each, measurement, "confirmed").command
            if measurement.runs_of or measurement.first:
                assert command == f"resx claims only=[{each.id}]"
            elif measurement.analysis:
                assert command.startswith(f"resx analyze {measurement.analysis} ")
            else:
                assert command.startswith(f"resx study {measurement.study}")


def test_what_would_decide_a_claim_stands_with_it_unless_it_is_confirmed(tmp_path):
    landscape = claim("landscape")
    for verdict, told in (("confirmed", False), ("not confirmed", True), ("cannot tell", True)):
        row = Row(landscape, landscape.measurements[0], verdict)
        write_markdown([row], "resx claims", "now", tmp_path / "claims.md")
        write_pages([row], "resx claims", "now", tmp_path)
        for name in ("claims.md", PAGES["en"]):
            assert (landscape.decides in (tmp_path / name).read_text()) == told
        for name, other in ((PAGES["zh"], PAGES["en"]), ("claims.zh-CN.md", "claims.md")):
            chinese = (tmp_path / name).read_text()
            assert (in_chinese()["landscape"]["decides"] in chinese) == told
            assert landscape.chinese.replace("**", "") in chinese.replace("**", "")
            assert other in chinese


def test_the_chinese_page_has_the_commands_numbers_and_figures_of_the_english_one():
    """Of the pages that are kept, which are written together."""
    english, chinese = ((DOCS / name).read_text() for name in ("claims.md", "claims.zh-CN.md"))
    for pattern in (r"`[^`]+`", r"\]\((?!claims)[^)]*\)", r"\]\(claims/[^)]*\)", r"^## .*"):
        found = re.findall(pattern, english, re.MULTILINE)
        assert found and re.findall(pattern, chinese, re.MULTILINE) == found
    cells = [re.findall(r"[-+]?\d+\.\d+", page.split("\n## ")[0]) for page in (english, chinese)]
    assert len(cells[0]) > 60 and cells[0] == cells[1]
    rows = re.findall(r"^\| \[.*", chinese, re.MULTILINE)
    effects = [re.split(r" (?<!\\)\| ", row)[2] for row in rows]
    assert len(effects) == english.count("\n| [")
    plain_english = re.compile(r"(?<!\w)(?!norm )[a-z]{3,} [a-z]{3,}")  # settings keep their names
    assert not [effect for effect in effects if plain_english.search(effect)]


def test_a_wrong_request_is_one_line(resx):
    assert_refused(resx("claims", "only=[degradatoin]"), "did you mean 'degradation'?")
    assert_refused(resx("claims", "run=everything"), "must be one of analyses, all, none")
    answer = resx("claims", "only=[information]", "file=nowhere/claims.md")
    assert_refused(answer, "there is no folder nowhere")
    answer = resx(
        "claims", "only=[information]", "file=claims"
    )  # its figures' folder has that name
    assert_refused(answer, "the page is Markdown; name it claims.md")


@pytest.mark.slow
def test_options_of_information_reach_the_store(resx, tmp_path):
    assert resx("claims", "only=[information]").code == 0
    (summary,) = tmp_path.glob("outputs/analyses/information/*/summary.json")
    assert json.loads(summary.read_text())["verdict"] == "false as written"
