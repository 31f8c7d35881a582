"""From the claims that were asked for to what has to be trained and computed for them."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from resx.config.composing import Setting, Typed, parse
from resx.config.refusals import one_line
from resx.config.requests import BESIDE_RUNS, AnalyzeConfig, ClaimsRequest, StudyRequest
from resx.config.run_hash import logistics_names
from resx.config.schema import TrainConfig
from resx.config.within import asked, overridden
from resx.reference.claims import Claim, Measurement
from resx.study.grid import Grid, Job, expand, own_name
from resx.study.outlook import outlook
from resx.study.running import run_all
from resx.study.status import key_of

OWN = ("run", "only", "preview", "file", "sweeps", "force")


@dataclass(frozen=True)
class Plan:
    """One measurement of a claim: the grid of its runs, if it has any; its analysis, if it is one.

    `name` is that of what was typed beside the command, empty where that is nothing. `failure` says
    why it cannot be measured.
    """

    claim: Claim
    measurement: Measurement
    name: str
    grid: Grid | None = None
    request: StudyRequest | None = None
    analysis: tuple[AnalyzeConfig, Typed] | None = None
    failure: str = ""

    @property
    def jobs(self) -> list[Job]:
        return self.grid.jobs if self.grid is not None else []

    @property
    def study_line(self) -> str:
        """The command that trains its runs."""
        assert self.grid is not None
        study = self.measurement.study or self.measurement.runs_of
        return shlex.join(["resx", "study", study, *self.grid.typed])


class Missing(NamedTuple):
    """A run that is to be trained, and the request of the study that it belongs to."""

    job: Job
    request: StudyRequest


def plans(claims: Sequence[Claim], config: ClaimsRequest, typed: Typed) -> list[Plan]:
    """Every measurement of the claims; what was typed holds for all their networks and runs."""
    passed = [s for s in typed.settings if s.key not in OWN] + list(parse(config.sweeps))
    logistics = logistics_names(TrainConfig)
    changes = [s for s in passed if s.key not in logistics]
    name = own_name("", changes).lstrip("+")
    found = []
    for claim in claims:
        for measurement in claim.measurements:
            try:
                found.append(_plan(claim, measurement, name, passed, config, typed))
            except Exception as error:
                line = one_line(error, "claims")
                if line is None:
                    raise
                found.append(Plan(claim, measurement, name, failure=line))
    return found


def _plan(
    claim: Claim,
    measurement: Measurement,
    name: str,
    passed: list[Setting],
    config: ClaimsRequest,
    typed: Typed,
) -> Plan:
    grid = request = analysis = None
    free = [s for s in passed if s.key in BESIDE_RUNS]
    if study := measurement.study or measurement.runs_of:
        own = measurement.settings if measurement.study else measurement.networks
        request, as_typed = asked("study", [f"study={study}", *overridden(own, passed)], typed)
        grid = expand(request, as_typed)
    if measurement.analysis:
        networks = measurement.networks if not measurement.runs_of else ()
        lines = overridden(networks, free if measurement.runs_of else passed)
        lines = [f"analysis={measurement.analysis}", *measurement.options, *lines]
        analysis = asked("analyze", [*lines, f"force={str(config.force).lower()}"], typed)
    return Plan(claim, measurement, name, grid, request, analysis)


def open_jobs(plan: Plan) -> list[Job]:
    """Runs of a measurement that have not ended: missing ones, interrupted ones, failed ones."""
    return [job for job in plan.jobs if not job.run.status.is_final]


def missing(planned: Sequence[Plan], run: str) -> list[Missing]:
    """The runs to train: those that analyses look at, and with `run=all` those of the studies."""
    kinds = {"none": (), "analyses": (True,), "all": (True, False)}[run]
    found: dict[str, Missing] = {}  # by directory
    for plan in planned:
        if plan.request is not None and (plan.analysis is not None) in kinds:
            for job in open_jobs(plan):
                found.setdefault(str(job.run.directory), Missing(job, plan.request))
    return list(found.values())


def train(runs: Sequence[Missing], typed: Typed) -> dict[str, str]:
    """As one sweep, whichever studies they belong to; why runs failed here, by directory."""
    if not runs:
        return {}
    jobs, request = [each.job for each in runs], runs[0].request
    grid = Grid("claims", ["model.name", "depth"], jobs, [])
    foreseen = outlook(request, jobs, jobs, typed)
    print(foreseen.line, flush=True)
    seconds = dict(zip(map(key_of, jobs), foreseen.seconds))
    notes = run_all(grid, request, foreseen, typed, seconds)
    return {
        key_of(job): str(job.run.summary.failure or notes.get(key_of(job)) or job.run.status)
        for job in jobs
        if not job.run.status.is_final
    }


def failed_here(plan: Plan, failures: Mapping[str, str]) -> str:
    """Which of a measurement's runs failed, and why the first did; empty if none."""
    failed = [(key, failures[key]) for key in map(key_of, plan.jobs) if key in failures]
    if not failed:
        return ""
    (first, why), count = failed[0], len(failed)
    return f"{count} of {len(plan.jobs)} runs failed: {first}: {next(iter(why.splitlines()), '')}"
