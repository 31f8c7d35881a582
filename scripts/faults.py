"""What damage, kills and full disks do to resx: writes docs/reliability.md.

python scripts/faults.py                    # 1,000 cases, 100 kills: about 20 minutes of one core
python scripts/faults.py --quick            # prints instead; exit code 1 if anything goes wrong
python scripts/faults.py --show 17          # what case 17 was, and what was answered
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path
from random import Random

os.environ.setdefault("OMP_NUM_THREADS", "1")

from faults_cases import Case, campaign, one
from faults_child import warm
from faults_disk import Full, full_afterwards, full_while_training
from faults_kills import LONG, STUDY, Kills, crowd, kill
from faults_page import is_good, page
from faults_store import FaultyStore

PAGE = Path(__file__).parents[1] / "docs" / "reliability.md"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=100, help="one in ten of a study")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--show", type=int, metavar="CASE")
    asked = parser.parse_args()
    warm()
    with tempfile.TemporaryDirectory(prefix="faults-") as name:
        folder = Path(name)
        if asked.show is not None:
            case = one(FaultyStore(folder), asked.show, Random(f"{asked.seed}-{asked.show}"))
            print(*case, sep="\n")
            return 0
        if asked.quick:
            cases = campaign(FaultyStore(folder / "store", (8,), 3), 40, asked.seed)
            kills, disks = strike(folder, 6), fill(folder, 16)
        else:
            cases = campaign(FaultyStore(folder / "store"), asked.cases, asked.seed)
            kills, disks = strike(folder, asked.kills), fill(folder, 2)
    text = page(" ".join(["python", "scripts/faults.py", *sys.argv[1:]]), cases, kills, disks)
    if asked.quick:
        print(text)
    else:
        PAGE.write_text(text)
    show_bad(cases, disks)
    return 0 if is_good(cases, kills, disks) else 1


def strike(folder: Path, count: int) -> list[Kills]:
    """Nine of ten signals hit a training, which is cheap, the others a study."""
    of_studies = count // 10
    kills = [kill("train", ("train", *LONG), folder / "kills", count - of_studies, 0)]
    if of_studies:
        kills.append(kill("study", STUDY, folder / "study-kills", of_studies, 1))
        kills.append(crowd(folder / "crowd", 3))
    return kills


def fill(folder: Path, step: int) -> list[Full]:
    """Full at every `step` pages; figures take longer and write more, so they get fewer sizes."""
    found = [full_while_training(folder / "full", step)]
    analyze = ("analyze", "responses")
    found.append(full_afterwards(folder / "full", "analyze", *analyze, step=4 * step))
    found.append(full_afterwards(folder / "full", "report", "report", step=8 * step))
    return [each for each in found if each is not None]


def show_bad(cases: list[Case], disks: list[Full]) -> None:
    for case in cases:
        if not case.is_good:
            print(f"case {case.number}: {case.damage} of {case.file}: {case.became}\n{case.text}\n")
    for disk in disks:
        for line in disk.bad:
            print(f"{disk.command} on a full disk: {line}")


if __name__ == "__main__":
    sys.exit(main())
