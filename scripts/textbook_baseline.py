"""The speed table: plain and ResNet 20 and 56 against the loop most people write.

    python scripts/textbook_baseline.py data=cifar10 data.root=PATH

Every row is `resx bench` for one network; the overrides are passed on. The textbook loop itself is
`resx.training.textbook`.
"""

import subprocess
import sys


def main() -> int:
    for depth in (20, 56):
        for residual in ("false", "true"):
            settings = [f"depth={depth}", f"residual={residual}", "recipe.batch_size=128"]
            command = [sys.executable, "-m", "resx", "bench", *settings, *sys.argv[1:]]
            if code := subprocess.call(command):
                return code
            print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
