"""`resx analyze` stores a result once, finds it again, and refuses in one line what cannot be."""

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from resx.analyses.parts import memory
from resx.analyses.result import Result
from resx.commands import analyze
from resx.experiment import prepare
from resx.store.reading import sealed, unsealed
from tests.commands.answers import assert_refused

COMMAND = ("analyze", "responses", "depth=8,14", "residual=false", "analysis.images=16")


@pytest.mark.slow
def test_it_is_computed_once_and_again_when_forced(resx, tmp_path):
    first = resx(*COMMAND)
    assert first.code == 0, first.err
    assert "plain-8 " in first.out
    assert "claim: It is easier to learn" in first.out
    assert "verdict: cannot tell" in first.out
    assert "note: no residual twin of plain resnet-14 among the networks" in first.out
    (summary,) = tmp_path.glob("outputs/analyses/responses/*/summary.json")
    names = {p.name for p in summary.parent.iterdir() if "tfevents" not in p.name}
    assert names == {"rows.csv", "summary.json", "figure.png", "figure.pdf", "figure.svg"}
    changed = unsealed(summary.read_text()) | {"text": "as it was stored"}
    summary.write_text(sealed(changed))
    assert "as it was stored" in resx(*COMMAND).out
    assert resx(*COMMAND, "force=true").out == first.out
    assert resx(*COMMAND, "seed=1").code == 0  # another network: a result of its own
    assert len(list(tmp_path.glob("outputs/analyses/responses/*"))) == 2


@pytest.mark.slow
def test_what_was_found_by_other_rules_is_computed_again(resx, tmp_path, monkeypatch):
    command = ("analyze", "information", "depth=8")
    assert resx(*command).code == 0
    monkeypatch.setattr(analyze, "RULES", analyze.RULES + 1)
    assert resx(*command).code == 0
    assert len(list(tmp_path.glob("outputs/analyses/information/*/summary.json"))) == 2


def test_the_summary_says_what_was_asked_and_where_it_was_computed(resx, tmp_path):
    assert resx(*COMMAND).code == 0
    (place,) = tmp_path.glob("outputs/analyses/responses/*")
    result = Result.read(place)
    assert result is not None
    assert (result.claim, result.verdict, result.options) == (
        "identity",
        "cannot tell",
        {"images": 16},
    )
    assert [(n["depth"], n["residual"], n["step"]) for n in result.networks] == [
        (8, False, 0),
        (14, False, 0),
    ]
    assert result.environment["torch"] == torch.__version__
    assert "git_commit" in result.environment


@pytest.mark.slow
def test_its_numbers_are_tensorboards_too(resx, tiny, only_run):
    """Those that matter, and along training each column's mean against the step."""
    assert resx("train", *tiny, "recipe.snapshots=3").code == 0
    answer = resx("analyze", "responses", f"runs={only_run()}", "snapshots=true")
    assert answer.code == 0, answer.err
    (place,) = only_run().glob("analyses/*")
    board = EventAccumulator(str(place))
    board.Reload()
    tags = board.Tags()["scalars"]
    assert "responses/residual-8/mean" in tags
    curve = board.Scalars("responses/std/residual-8")
    assert [point.step for point in curve] == [0, 1, 3, 12]


@pytest.mark.slow
def test_of_one_run_it_lies_with_the_run(resx, tiny, only_run):
    resx("train", *tiny)
    answer = resx("analyze", "responses", f"runs={only_run()}")
    assert answer.code == 0, answer.err
    assert len(list(only_run().glob("analyses/*/summary.json"))) == 1
    assert_refused(resx("analyze", "responses", "runs=nowhere"), "no runs there")
    answer = resx("analyze", "responses", f"runs={only_run()}", "depth=20")
    assert_refused(answer, "depth: a run's own configuration decides that")
    (only_run() / "checkpoint.pt").unlink()
    (only_run() / "checkpoint.previous.pt").unlink()
    answer = resx("analyze", "responses", f"runs={only_run()}", "analysis.images=9")
    assert_refused(
        answer, "kept without its weights; resx train with the same settings and force=true"
    )


@pytest.mark.slow
def test_weights_of_other_projects_stand_beside_each_other(
    resx, configure, tiny, only_run, image_tree, tmp_path
):
    """A residual net in akamaster's names and a plain one in ours, each with its network."""
    images = ("data=folder", f"data.root={image_tree()}", "depth=20")
    training = [t for t in tiny if t.startswith("recipe")]
    assert resx("train", *images, *training, "recipe.batch_size=4").code == 0
    weights, plain = tmp_path / "akamaster.pt", tmp_path / "plain.pt"
    exported = resx("export", f"run={only_run()}", "naming=akamaster", f"file={weights}")
    assert exported.code == 0, exported.err
    torch.save(prepare(configure("train", *images, "residual=false")).network.state_dict(), plain)
    command = ("analyze", "responses", f"weights={weights},{plain}", *images)
    answer = resx(*command, "residual=true,false")
    assert answer.code == 0, answer.err
    assert "plain-20" in answer.out
    assert "residual-20" in answer.out
    assert "note" not in answer.out
    assert_refused(resx(*command), "2 files for 1 networks; name one network for each")
    plain.write_bytes(plain.read_bytes()[:999])
    assert_refused(resx(*command, "residual=true,false"), "truncated, or not a checkpoint")


@pytest.mark.slow
def test_a_checkpoint_says_itself_of_what_it_is(resx, tiny, only_run):
    assert resx("train", *tiny).code == 0
    command = ("analyze", "responses", f"weights={only_run() / 'checkpoint.pt'}")
    answer = resx(*command)
    assert answer.code == 0, answer.err
    assert_refused(resx(*command, "depth=20"), "depth: a run's own configuration decides that")


def test_what_an_analysis_cannot_take_is_one_line(resx, monkeypatch):
    assert_refused(
        resx("analyze", "convergence", "depth=8"), "convergence reads the records of runs"
    )
    assert_refused(resx("analyze", "responses", "analysis.images=0"), "analysis.images=0")
    answer = resx("analyze", "identity", "model=densenet", "depth=13")
    assert_refused(answer, "is not its shortcut plus its branch")
    assert_refused(
        resx("analyze", "information", "depth=8", "analysis.values=1000000000000"),
        "analysis.values=1000000000000: must be at least 2 and at most 100000",
    )
    monkeypatch.setattr(memory, "available_memory", lambda device: 10**6)
    answer = resx("analyze", "identity", "depth=8")
    assert_refused(answer, "analysis.images=256: holding the inputs of all blocks needs about")
