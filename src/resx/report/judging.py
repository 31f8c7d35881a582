"""The verdicts of a report: of all depths of a network and its twin, and among variants."""

import pandas as pd

from resx.report.convergence import slows_with_depth
from resx.report.labels import as_key, short
from resx.report.mixing import KINDS
from resx.report.ranking import ranking
from resx.report.selection import SelectedRuns
from resx.report.verdict import Verdict
from resx.report.verdicts import alone, verdicts
from resx.report.yardstick import Yardstick, yardstick_for, yardstick_of


def judge(selected: SelectedRuns, reached: pd.DataFrame) -> list[Verdict]:
    """The ranking of the variants, and the verdicts on depth for every one of them.

    Families are not ranked, as they differ in size, too, nor networks on unlike images. Raises
    `RequestError` for an `at_step` at which nothing was recorded.
    """
    study, variants = selected.selection.study, selected.variants
    runs, yardstick = yardstick_of(selected.judged, selected.curves, study)
    if not variants:
        return on_depth(runs, reached, yardstick) or [alone(runs, yardstick)]
    unlike = any(v in (*KINDS, "fingerprint") or v.startswith("data.") for v in variants)
    ranked = None if unlike else ranking(runs, variants, yardstick, study.control)
    found = [ranked] if ranked else []
    for key, group in runs.groupby(variants, dropna=False, sort=True):
        values = zip(map(short, variants), as_key(key))
        scope = ", ".join(f"{name} {value}" for name, value in values)
        own = yardstick_for(group, study)  # variants may be data sets, each with its own chance
        found += [verdict.within(scope) for verdict in on_depth(group, reached, own)]
    return found


def on_depth(runs: pd.DataFrame, reached: pd.DataFrame, yardstick: Yardstick) -> list[Verdict]:
    """Of one network and its twin at all depths: errors, and steps to an error."""
    rules = yardstick.rules
    steps = [slows_with_depth(runs, reached, kind, rules) for kind in (False, True)]
    return [*verdicts(runs, yardstick), *(each for each in steps if each)]
