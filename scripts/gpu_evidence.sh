#!/usr/bin/env bash
# All evidence that needs a GPU, most telling first, in bounded time; the same command goes on later.
#   scripts/gpu_evidence.sh PATH_TO_CIFAR10 [OUTPUTS=outputs] [MINUTES=60] [JOBS=4]
# With IMAGENETTE=PATH in the environment also what decoding by workers and by nvJPEG gives.
# Whatever has been reached lies in OUTPUTS/evidence: what each part said and how long it took, the
# GPU's use second by second, and all runs without their weights (runs.tar.gz).
set -uo pipefail # but not -e: a part that fails or runs out of time leaves the others theirs
images=${1:?usage: gpu_evidence.sh PATH_TO_CIFAR10 [OUTPUTS] [MINUTES] [JOBS]}
outputs=${2:-outputs} minutes=${3:-60} jobs=${4:-4}
python=${PYTHON:-python3} here=$(dirname "$0") evidence=$outputs/evidence
deadline=$((SECONDS + 60 * minutes))
cifar=(data.root="\"$images\"" device=cuda outputs="\"$outputs\"")
mkdir -p "$evidence"

collect() { # runs without what only training needs; a few megabytes
  [ -d "$outputs/runs" ] || return 0
  tar -C "$outputs" -czf "$evidence/runs.tar.gz" --exclude='*.pt' --exclude='*.tmp' --exclude='.lock' \
    --exclude='.claim' --exclude='events.out.tfevents.*' $(cd "$outputs" && ls -d runs reports analyses 2> /dev/null)
}
nvidia-smi --query-gpu=timestamp,name,utilization.gpu,memory.used,power.draw,clocks.sm \
  --format=csv -l 1 > "$evidence/nvidia-smi.csv" 2>&1 &
watching=$!
mps=
stop_mps() {
  [ -z "$mps" ] || echo quit | nvidia-cuda-mps-control
  mps=
}
trap 'kill $watching 2> /dev/null; stop_mps; collect' EXIT
command= # the part at work, which saves its runs before it ends
trap '[ -z "$command" ] || { kill -TERM $command; wait $command; }; exit 130' INT TERM

part() { # NAME MINUTES COMMAND..: its output goes to evidence/NAME.txt
  local name=$1 limit=$((60 * $2)) left=$((deadline - SECONDS)) began=$SECONDS
  shift 2
  if ((left < 30)); then
    echo "$name: no time is left" | tee -a "$evidence/parts.txt"
    return
  fi
  # A run that is told to end saves itself, and the same command goes on with it.
  timeout --kill-after=60 $((limit < left ? limit : left)) "$@" > >(tee "$evidence/$name.txt") 2>&1 &
  command=$!
  wait $command
  local code=$?
  command=
  echo "$name: exit code $code after $((SECONDS - began)) s" | tee -a "$evidence/parts.txt"
  collect
}
study() { # NAME MINUTES STUDY [SETTING..]
  local name=$1 limit=$2
  shift 2
  part "$name" "$limit" "$python" -m resx study "$@" "${cifar[@]}" jobs="$jobs"
}
nvidia-smi > "$evidence/gpu.txt" 2>&1
"$python" -c 'import torch; print(torch.__version__, torch.version.cuda, torch.cuda.get_device_name())' \
  | tee "$evidence/torch.txt"

# 1. Is it correct there?
"$python" -c 'import xdist' 2> /dev/null && workers=(-n 4) || workers=()
mapfile -t files < <(grep -rl --include='*.py' 'mark[.]gpu' "$here/../tests") # others need more packages
part tests 8 "$python" -m pytest -m gpu -W default "${workers[@]}" "${files[@]}"
# 2. How fast, beside the textbook loop and the GPU's own bound; how busy is the GPU?
for net in "20 true" "56 true" "20 false" "56 false"; do
  read -r depth residual <<< "$net"
  bench=(bench data=cifar10 "depth=$depth" "residual=$residual" recipe.batch_size=128 steps=100)
  part "bench-$depth-$residual" 2 "$python" -m resx "${bench[@]}" "${cifar[@]}"
done
part bench-ordinary 2 "$python" -m resx bench data=cifar10 depth=20 recipe.batch_size=128 steps=100 \
  cuda_graphs=false "${cifar[@]}"
for where in ${IMAGENETTE:+workers device}; do
  part "bench-decode-on-$where" 3 "$python" -m resx bench data=imagenet data.name=imagenette \
    data.root="\"$IMAGENETTE\"" data.decode_on="$where" data.image_size=128 data.workers=8 depth=18 \
    block=basic recipe.batch_size=128 steps=20 device=cuda outputs="\"$outputs\""
done
# Kernels of several processes run at a time only through MPS; else runs take turns.
if command -v nvidia-cuda-mps-control > /dev/null; then
  CUDA_MPS_PIPE_DIRECTORY=$(mktemp -d)
  export CUDA_MPS_PIPE_DIRECTORY CUDA_MPS_LOG_DIRECTORY=$CUDA_MPS_PIPE_DIRECTORY
  nvidia-cuda-mps-control -d && mps=1
  "$python" -c 'import torch; torch.zeros(1, device="cuda")' || {
    stop_mps
    unset CUDA_MPS_PIPE_DIRECTORY CUDA_MPS_LOG_DIRECTORY
  }
fi
# 3. The paper's study with the full recipe: one seed, its ends first; runs share the GPU.
study fig6-20-56 20 cifar10_fig6 depth=20,56 seed=0
study fig6-32-44-110 40 cifar10_fig6 depth=32,44,110 seed=0
# 4. Why: analyses of these nets
for analysis in convergence gradient_flow responses lesion identity refinement rank gradient_noise \
  curvature landscape; do
  part "analysis-$analysis" 5 "$python" -m resx analyze "$analysis" \
    runs="\"$outputs/runs/cifar10/resnet-?[06]-*/s0-*\"" device=cuda outputs="\"$outputs\""
done
# 5. The other seeds; with bf16; time and memory against depth, width and batch size
study fig6-seeds 120 cifar10_fig6 seed=1,2,3,4
study fig6-bf16 60 cifar10_fig6 depth=20,56 seed=0,1,2 precision=bf16
part growth 10 "$python" "$here/growth.py" --limit 60 device=cuda
# 6. Every architecture of the notes, and the claims
study families 600 cifar10_families
part claims 120 "$python" -m resx claims run=all device=cuda outputs="\"$outputs\""
