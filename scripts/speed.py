"""How fast resx is here, as a page: writes docs/speed.md from what `resx bench` prints.

python scripts/speed.py                                       # on the digits, 8 pixels
python scripts/speed.py --cifar10 PATH --imagenette PATH      # and on real images of 32 and 128
ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2 python scripts/speed.py ... --page PATH

The last shows on a processor with AVX-512 what one without it does.

About ten minutes on two cores. Nothing else should be at work meanwhile.
"""

import argparse
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

from resx.environment import environment

SCRIPTS = Path(__file__).parent
LIMITS = ("ONEDNN_MAX_CPU_ISA", "ATEN_CPU_CAPABILITY")  # of the processor's instructions
DEPTHS = "20,56,110,434,1202"
PAGE = SCRIPTS.parent / "docs" / "speed.md"
HEAD = """# Speed

Written by `{command}` on {day}: resx {resx}, commit {commit}, torch {torch},
{hardware} ({capability}, {cores} threads).

Loops take turns, so that whatever else the machine does meets all of them: ratios count, not times.
The textbook loop is contiguous tensors, PIL transforms, float32 and a loss that is read after every
step. The bound is what the network's convolutions and products take alone, and what must be moved
between them.
"""
GROWTH = """## How time and memory grow

ResNets on images of CIFAR-10's size.
"""


def rows(asked: argparse.Namespace) -> list[list[str]]:
    """The settings of each call of `resx bench`."""
    networks = [[f"depth={d}", f"residual={r}"] for d in (20, 56) for r in ("false", "true")]
    found = [networks[1]]
    if asked.cifar10:
        small = ["data=cifar10", f"data.root={asked.cifar10}"]
        found += [[*small, *network] for network in networks[:2]]
        found += [[*small, *network, "steps=10"] for network in networks[2:]]
    if asked.imagenette:
        large = ["data=imagenet", "data.name=imagenette", f"data.root={asked.imagenette}"]
        large += ["data.image_size=128", "data.workers=2", "recipe.batch_size=32", "steps=4"]
        found += [[*large, f"depth={depth}", "block=basic"] for depth in (18, 34)]
    return found


def bench(settings: list[str]) -> str:
    """What a person sees who types it, under the command; paths are left out."""
    done = subprocess.run(
        [sys.executable, "-m", "resx", "bench", *settings], capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    shown = ["data.root=PATH" if s.startswith("data.root=") else s for s in settings]
    return f"```\n$ resx bench {shlex.join(shown)}\n{done.stdout.rstrip()}\n```\n"


def growth() -> str:
    """The tables of scripts/growth.py."""
    command = [sys.executable, str(SCRIPTS / "growth.py"), "--depths", DEPTHS, "--limit", "90"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    return f"{GROWTH}\n{done.stdout}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cifar10", metavar="PATH")
    parser.add_argument("--imagenette", metavar="PATH")
    parser.add_argument("--page", type=Path, default=PAGE)
    asked = parser.parse_args()
    here = environment()
    within = [f"{name}={os.environ[name]}" for name in LIMITS if name in os.environ]
    typed = [f"--{name} PATH" for name in ("cifar10", "imagenette") if getattr(asked, name)]
    if asked.page != PAGE:
        typed.append(f"--page {asked.page}")
    head = HEAD.format(
        command=" ".join([*within, "python scripts/speed.py", *typed]),
        day=time.strftime("%Y-%m-%d"),
        resx=here.resx,
        commit=(here.git_commit or "unknown")[:12],
        torch=here.torch,
        hardware=here.hardware,
        capability=here.capability,
        cores=here.threads,
    )
    asked.page.write_text("\n".join([head, *map(bench, rows(asked)), growth()]))


if __name__ == "__main__":
    main()
