"""Do a report's verdicts depend on which seeds were drawn? The answers of every subset of k seeds.

python scripts/seed_subsets.py 'outputs/runs/digits/**' 3
"""

import sys
from collections import Counter
from itertools import combinations

from resx.config.schema import StudyConfig
from resx.report.collect import collect, find_runs
from resx.report.verdicts import verdicts
from resx.report.yardstick import yardstick_of


def main(pattern: str, size: int) -> None:
    collected = collect(find_runs(pattern))
    runs, yardstick = yardstick_of(collected.runs, collected.curves, StudyConfig(name="subsets"))
    answers: Counter[str] = Counter()
    for seeds in combinations(sorted(runs["seed"].unique()), size):
        for verdict in verdicts(runs[runs["seed"].isin(seeds)], yardstick):
            depths = ", ".join(map(str, verdict.depths))
            answers[f"{verdict.question} {verdict.answer} ({depths} layers)"] += 1
    for answer, count in sorted(answers.items()):
        print(f"{count:4} {answer}")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
