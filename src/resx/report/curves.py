"""Error against step, with the paper's own curves behind ours where the protocol is the paper's."""

from itertools import product
from typing import Any

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from resx.plotting import LOOKS, NARROW, Colour, Look, legend_outside, shades
from resx.reference.protocols import protocols
from resx.reference.published import published_curve
from resx.report.labels import in_order, short
from resx.report.tables import matching
from resx.store.summary import Status

BAND, PUBLISHED = 0.15, "0.7"  # opacity of a band; grey of the papers' curves
FEW = 8  # rows of a legend that a phone's figure has room for without growing
# A panel for each: its title, the paper's curve behind it, and our splits: name, width, marker.
SPLITS = (
    ("training", "train", (("clean", "train_clean", 2.0, "."), ("running", "train", 0.8, ""))),
    ("test", "test", (("test", "test", 2.0, "."),)),
)
CROSS: dict[str, Any] = {"linestyle": "none", "marker": "x", "markersize": 7}
Key = tuple[object, ...]  # values of a row's settings


def curves_figure(
    runs: pd.DataFrame,
    curves: pd.DataFrame,
    rows: list[str],
    reference: str | None,
    narrow: bool = False,
) -> Figure:
    """Training and test error against step: means, and bands over seeds (He 2015, Fig. 6).

    Of training the clean error, on which verdicts rest, is bold, the running mean thin. A cross is
    the last record of a seed that diverged; means go on without it. The paper's own curves lie
    behind ours, grey, where `reference` says the protocol is the same.
    """
    colours = dict(zip(keys := keys_of(runs, rows), shades(len(keys))))
    looks = [look for look in LOOKS if (runs["residual"] == look.residual).any()]
    figure, axes = _grid(len(looks), len(keys), narrow)
    published = False
    diverged = runs.index[runs["status"] == Status.DIVERGED]
    for axis, ((title, behind, splits), look) in zip(axes, product(SPLITS, looks)):
        for key, colour in colours.items():
            group = runs[matching(runs, rows, key) & (runs["residual"] == look.residual)]
            records = curves[curves["directory"].isin(group.index)]
            if reference and rows == ["depth"]:
                published |= _draw_published(axis, reference, int(str(key[0])), look, behind)
            for kind, split, width, marker in splits:
                of_split = records[records["split"] == split]
                label = f"{', '.join(map(str, key))} {kind}"
                _draw_band(axis, of_split, colour, width, marker, label)
            _mark_ends(axis, records[records["split"] == splits[-1][1]], diverged, colour)
        axis.set(title=f"{look.name}, {title}", xlabel="step", ylabel="error (%)")
        axis.label_outer()
    axes[0].set_ylim(bottom=0)  # of all, and only now: it ends the scaling to what is drawn
    handles = _handles(colours, runs, rows, published)
    legend_outside(figure, narrow, handles, title=", ".join(map(short, rows)))
    return figure


def keys_of(runs: pd.DataFrame, rows: list[str]) -> list[Key]:
    """The rows of the study, in the order of its tables."""
    keys = {tuple(key) for key in runs[rows].itertuples(index=False)}
    return sorted(keys, key=lambda key: tuple(map(in_order, key)))


def seeds_of(runs: pd.DataFrame, rows: list[str]) -> str:
    """`3 seeds`, `2 to 5 seeds`: of how many runs a mean of a network is."""
    counts = runs.groupby([*rows, "residual"], dropna=False).size()
    least, most = int(counts.min()), int(counts.max())
    number = str(least) if least == most else f"{least} to {most}"
    return f"{number} seed{'s' * (most > 1)}"


def numeric_curves(runs: pd.DataFrame, curves: pd.DataFrame, rows: list[str]) -> pd.DataFrame:
    """What the figure draws, as numbers: errors are fractions, `low` and `high` the band's."""
    of_run = runs[[*rows, "residual"]].rename(columns=short)
    named = curves.merge(of_run, left_on="directory", right_index=True)
    keys = [*of_run.columns, "split", "step"]
    errors = named.groupby(keys, dropna=False, sort=True)["error"]
    return errors.agg(mean="mean", std="std", n="count", low="min", high="max").reset_index()


def _grid(looks: int, keys: int, narrow: bool) -> tuple[Figure, list[Axes]]:
    """A column for each kind of network, training above test; for a phone all in one column."""
    legend = 0.17 * (keys if keys > FEW else 0)
    if narrow:
        size, shape = (NARROW, 2 * 2.1 * looks + 1 + legend / 2), (2 * looks, 1)
    else:
        size, shape = (9 if looks > 1 else 6, max(5.2, 1.4 + legend)), (2, looks)
    figure = Figure(figsize=size)
    return figure, list(figure.subplots(*shape, sharex=True, sharey=True, squeeze=False).flat)


def _handles(
    colours: dict[Key, Colour], runs: pd.DataFrame, rows: list[str], published: bool
) -> list[Artist]:
    """A line for each row, and what thick, thin, grey and shaded mean."""
    handles: list[Artist] = [
        Line2D([], [], color=colour, label=", ".join(map(str, key)))
        for key, colour in colours.items()
    ]
    handles += [
        Line2D([], [], color="black", linewidth=2, marker=".", label="clean pass, or test"),
        Line2D([], [], color="black", linewidth=0.8, label="running mean"),
    ]
    if (runs["status"] == Status.DIVERGED).any():
        handles.append(Line2D([], [], **CROSS, color="black", label="a seed diverged"))
    if published:
        handles.append(Line2D([], [], color=PUBLISHED, label="the paper's curve"))
    if (seeds := seeds_of(runs, rows)) != "1 seed":
        handles.append(Patch(color="black", alpha=BAND, linewidth=0, label=f"range of {seeds}"))
    return handles


def _draw_band(
    axis: Axes, records: pd.DataFrame, colour: Colour, width: float, marker: str, label: str
) -> None:
    """The mean over seeds, and from the lowest to the highest of them."""
    if records.empty:
        return
    by_step = 100 * records.groupby("step")["error"].agg(["mean", "min", "max"])
    marker = marker if len(by_step) <= 20 else ""  # so that a single record is seen
    style: dict[str, Any] = {"color": colour, "linewidth": width, "marker": marker}
    axis.plot(by_step.index, by_step["mean"], label=label, **style)
    if records["directory"].nunique() > 1:
        low, high = by_step["min"], by_step["max"]
        axis.fill_between(by_step.index, low, high, color=colour, alpha=BAND, linewidth=0)


def _mark_ends(axis: Axes, records: pd.DataFrame, diverged: pd.Index, colour: Colour) -> None:
    """Where the curves of diverged seeds end."""
    ends = records[records["directory"].isin(diverged)].groupby("directory").last()
    if not ends.empty:
        axis.plot(ends["step"], 100 * ends["error"], **CROSS, color=colour)


def _draw_published(axis: Axes, reference: str, depth: int, look: Look, split: str) -> bool:
    curve = published_curve(protocols()[reference].curves, depth, look.residual, split)
    if curve.empty:
        return False
    label = f"{depth} the paper's"
    axis.plot(curve["step"], 100 * curve["error"], color=PUBLISHED, label=label, zorder=0)
    return True
