#!/usr/bin/env bash
# A study as one Slurm job a run, through Hydra's submitit launcher (pip install hydra-submitit-launcher).
#   scripts/slurm_study.sh imagenet_table2 data.root=/datasets/imagenet
# Run it on the login node: it submits, waits and reports. The run directories must be on a disk
# that all nodes share.
set -euo pipefail
resx study "$@" hydra/launcher=submitit_slurm device=cuda \
  hydra.launcher.gpus_per_node=1 hydra.launcher.cpus_per_task=12 hydra.launcher.mem_gb=64 \
  hydra.launcher.timeout_min=2880
