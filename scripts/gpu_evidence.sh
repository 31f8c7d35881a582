#!/usr/bin/env bash
# All evidence that needs a GPU, most telling first; stop it at any time, the same command goes on.
#   scripts/gpu_evidence.sh PATH_TO_CIFAR10 [OUTPUTS]
set -euo pipefail
images=${1:?usage: gpu_evidence.sh PATH_TO_CIFAR10 [OUTPUTS]}
outputs=${2:-outputs}
resx() { python -m resx "$@" device=cuda outputs="\"$outputs\""; }
cifar=(data.root="\"$images\"")

python -m pytest -m gpu                                               # 1. correct there too
python "$(dirname "$0")/textbook_baseline.py" data=cifar10 device=cuda "${cifar[@]}"  # 2. fast
for depths in 20,56 32,44,110; do                                     # 3. the paper's study
  resx study cifar10_fig6 "${cifar[@]}" depth="$depths" seed=0 hydra/launcher=basic
done
resx study cifar10_fig6 "${cifar[@]}" hydra/launcher=basic            # 4. the other seeds
resx study cifar10_families "${cifar[@]}" hydra/launcher=basic        # 5. every architecture
# What to keep: docs/results/ has room for reports and for runs without their checkpoints.
