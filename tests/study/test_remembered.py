"""A study's state can be asked by its name alone, and a look ahead fetches nothing."""

import json

import pytest

from resx.config.composing import Typed
from resx.config.within import asked
from resx.store.store import Store
from resx.study.grid import expand
from resx.study.remembered import remember

NOTHING = Typed((), (), (), {}, False, None)


@pytest.mark.slow
def test_status_shows_every_grid_that_was_run_of_a_study(resx, tmp_path):
    lines = ["study=degradation", "seed=0,7", "depth=8", "data.name=other"]
    request, typed = asked("study", lines, NOTHING)
    remember(expand(request, typed), request, typed)
    Store(tmp_path / "outputs").study_note("damaged").write_text("{")
    Store(tmp_path / "outputs").study_note("later").write_text(
        json.dumps({"study": "degradation", "typed": ["later.setting=3"]})
    )
    answer = resx("study", "degradation", "status=true")
    assert answer.code == 0, answer.err
    left_out = [line for line in answer.out.splitlines() if "left out, " in line]
    assert "damaged/typed.json: left out, it is no note" in left_out[0]
    assert "later/typed.json: left out, unknown setting 'later.setting'" in left_out[1]
    first = next(line for line in answer.out.splitlines() if line.startswith("resx "))
    assert first.startswith("resx study degradation ")
    assert {*first.split()[3:]} == {"seed=0,7", "depth=8", "data.name=other"}
    assert answer.out.count("2 missing") == 2  # plain and residual, two seeds each
    assert "3 missing" not in answer.out  # the yaml's own grid, of which nothing was run
    assert "3 missing" in resx("study", "degradation", "status=true", "depth=14").out


def test_a_preview_fetches_no_images(resx, tmp_path):
    answer = resx("study", "cifar10_fig6", "preview=true")
    assert answer.code == 0, answer.err
    assert "50 runs, 50 missing" in answer.out
    assert "no prediction: data.root=null: there is no cifar-10-python.tar.gz" in answer.out
    assert not list(tmp_path.iterdir())
