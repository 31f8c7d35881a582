"""What was measured, small enough to be kept here: docs/results from a run store.

python scripts/results.py OUTPUTS degradation:5 families ...   # keep these, of so many seeds
python scripts/results.py                                      # make reports and page again

'cifar10_cpu recipe.steps=2000' keeps a study as it was typed. A study is kept when all of its runs
have ended: configuration, records and summary of each, without weights. Its report is then made
from what was kept, and docs/results/README.md from the verdicts.
"""

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
from PIL import Image

from resx.config.settings import to_dict
from resx.experiment import StoredRun, open_run
from resx.store.files import RECORDS
from resx.store.run import Run

DOCS = Path(__file__).parents[1] / "docs"
RESULTS = Path("results")  # below DOCS, so that its reports name no place outside it
KEPT, PAGE = RESULTS / "kept.json", RESULTS / "README.md"
TEMPLATE = Path(__file__).with_name("results_page.md")
LARGEST = 20e6  # bytes of all of it
REPORT_FILES = ("index.html", "report.md", "verdicts.json", "reproductions.json", "*.csv")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("outputs", nargs="?", type=Path, help="the store to keep runs of")
    parser.add_argument("studies", nargs="*", metavar="STUDY[:SEEDS]")
    asked = parser.parse_args()
    outputs = asked.outputs and asked.outputs.resolve()
    os.chdir(DOCS)
    RESULTS.mkdir(exist_ok=True)
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    for words in map(shlex.split, asked.studies):
        study, _, seeds = words[0].partition(":")
        kept[study] = [f"seed=range({seeds})"] * bool(seeds) + words[1:]
        keep(report(study, kept[study], outputs) / "runs.csv", outputs)
    KEPT.write_text(json.dumps(kept, indent=1) + "\n")
    folders = {study: make(study, typed) for study, typed in kept.items()}
    names = {folder.name for folder in folders.values()}
    for folder in (RESULTS / "reports").iterdir():
        if folder.is_dir() and folder.name not in names:  # of fewer seeds
            shutil.rmtree(folder)
    PAGE.write_text(filled(TEMPLATE.read_text(), folders))
    size = sum(path.stat().st_size for path in RESULTS.rglob("*") if path.is_file())
    print(f"{DOCS / RESULTS}: {len(kept)} studies, {size / 1e6:.1f} MB")
    return int(size > LARGEST)


def report(study: str, typed: list[str], outputs: Path) -> Path:
    """The folder of a study's report, made anew."""
    command = ["report", f"study={study}", *typed, f'outputs="{outputs}"']
    done = subprocess.run([sys.executable, "-m", "resx", *command], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    return Path(done.stdout.strip().splitlines()[-1].removeprefix("page: ")).parent


def keep(table: Path, outputs: Path) -> None:
    """Every run of a report, if all have ended."""
    runs = pd.read_csv(table)
    if len(others := runs[~runs["status"].isin(["finished", "diverged"])]):
        raise SystemExit(f"{table}: {len(others)} of {len(runs)} runs have not ended")
    for directory in map(Path, runs["directory"]):
        keep_run(open_run(directory), RESULTS / directory.relative_to(outputs))


def keep_run(run: StoredRun, target: Path) -> None:
    """Without weights, and without where its images lay; once, as it was then."""
    records = (run.directory / RECORDS).read_bytes()
    copy = Run(target, RESULTS)
    if copy.status.is_final and (target / RECORDS).read_bytes() == records:
        return
    target.mkdir(parents=True, exist_ok=True)
    config = run.config
    copy.write_config(
        to_dict(replace(config, outputs="outputs", data=replace(config.data, root=None)))
    )
    (target / RECORDS).write_bytes(records)
    copy.write_summary(run.read_summary().but(data_root=None))  # last: with it a run is whole


def make(study: str, typed: list[str]) -> Path:
    """The report of what was kept; its figures lie as PNG beside those of the other studies."""
    folder = report(study, typed, RESULTS)
    kept = {path for pattern in REPORT_FILES for path in folder.glob(pattern)}
    figures = RESULTS / "figures"
    figures.mkdir(exist_ok=True)
    pages = [folder / name for name in ("report.md", "index.html")]
    texts = [re.sub(r' <a href="\w+\.(pdf|svg)".*?</a>', "", page.read_text()) for page in pages]
    for path in sorted(folder.iterdir()):
        if path.suffix == ".png":
            moved = figures / f"{study}-{path.name}"
            Image.open(path).quantize(256).save(moved, optimize=True)  # a third of the bytes
            path.unlink()
            link = os.path.relpath(moved, folder)
            for before, after in ((f"({path.name})", f"({link})"), (f'"{path.name}"', f'"{link}"')):
                texts = [text.replace(before, after) for text in texts]
        elif path not in kept:
            path.unlink()
    for page, text in zip(pages, texts):
        page.write_text(text)
    shutil.rmtree(RESULTS / "aggregates")
    (RESULTS / "reports" / "history.jsonl").unlink(missing_ok=True)
    return folder


def filled(template: str, folders: dict[str, Path]) -> str:
    """`{{study/verdict}}` is a sentence as it was computed, `{{study/report}}` a folder.

    `{{study/errors}}` are final errors, `{{studies}}` lists all. Raises KeyError for what was not
    kept.
    """
    sentences = {}
    for study, folder in folders.items():
        sentences[f"{study}/report"] = str(folder.relative_to(RESULTS))
        sentences[f"{study}/errors"] = errors(folder)
        for verdict in json.loads((folder / "verdicts.json").read_text()):
            scope = f"{verdict['scope']}/" if verdict["scope"] else ""
            sentences[f"{study}/{scope}{verdict['id']}"] = verdict["text"]
    rows = [
        f"| [{study}]({folder.relative_to(RESULTS)}/report.md) | {described(folder)} |"
        for study, folder in sorted(folders.items())
    ]
    sentences["studies"] = "\n".join(rows)
    return re.sub(r"\{\{(.+?)\}\}", lambda found: sentences[found[1]], template)


def errors(folder: Path) -> str:
    """`plain-20 41.6 %, ...`: clean training error, the mean of each network's runs."""
    runs = pd.read_csv(folder / "runs.csv")
    names = runs["network"].str.split(" ").str[0]
    means = runs["train_clean_error"].groupby(names, sort=False).mean()
    return ", ".join(f"{name} {100 * error:.1f} %" for name, error in means.items())


def described(folder: Path) -> str:
    runs = pd.read_csv(folder / "runs.csv")
    made = runs.groupby(["hardware", "capability"])["seed"].unique()
    machines = "; ".join(
        f"{hardware} ({capability}): {', '.join(map(str, sorted(seeds)))}"
        for (hardware, capability), seeds in made.items()
    )
    return f"{len(runs)} | {runs['seed'].nunique()} | {machines}"


if __name__ == "__main__":
    sys.exit(main())
