#!/usr/bin/env bash
# A Slurm of two nodes with one core each on this machine, for tests (Debian: apt-get install slurm-wlm munge; as root).
#   export SLURM_CONF=$(scripts/slurm_local.sh start)      # then srun, squeue and resx find it
#   scripts/slurm_local.sh kill n1                         # as a power cut: its daemon and all that it runs
#   scripts/slurm_local.sh node n1                         # its daemon again
#   scripts/slurm_local.sh stop
# RESX_SLURM names the folder of configuration, state and logs (default /tmp/resx-slurm).
set -euo pipefail
FOLDER=${RESX_SLURM:-/tmp/resx-slurm}
export SLURM_CONF=$FOLDER/slurm.conf
PORT=${RESX_SLURM_PORT:-16817}

configure() {
  mkdir -p "$FOLDER"/{state,n1,n2}
  # Two partitions over the same nodes: a job in `urgent` preempts one in `normal`. No affinity: each of the nodes
  # would take the same core. A requeued job may start as soon as its credential has expired (cred_expire).
  cat > "$SLURM_CONF" <<CONF
ClusterName=resx
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmctldPort=$PORT
SlurmUser=root
AuthType=auth/munge
AuthInfo=cred_expire=5
StateSaveLocation=$FOLDER/state
SlurmdSpoolDir=$FOLDER/%n
SlurmctldPidFile=$FOLDER/slurmctld.pid
SlurmdPidFile=$FOLDER/%n.pid
SlurmctldLogFile=$FOLDER/slurmctld.log
SlurmdLogFile=$FOLDER/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=2,bf_interval=2
SlurmdParameters=config_overrides
ReturnToService=2
SlurmdTimeout=10
InactiveLimit=0
KillWait=20
MinJobAge=60
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
NodeName=n1 NodeHostname=$(hostname -s) NodeAddr=127.0.0.1 Port=$((PORT + 1)) CPUs=1 RealMemory=8000
NodeName=n2 NodeHostname=$(hostname -s) NodeAddr=127.0.0.1 Port=$((PORT + 2)) CPUs=1 RealMemory=8000
PartitionName=normal Nodes=n1,n2 Default=YES PriorityTier=1 GraceTime=20 MaxTime=INFINITE
PartitionName=urgent Nodes=n1,n2 PriorityTier=2 MaxTime=INFINITE
CONF
}

start_munge() {
  munge -n > /dev/null 2>&1 && return
  install -d -o munge -g munge -m 755 /run/munge
  setpriv --reuid=munge --regid=munge --clear-groups munged --force > "$FOLDER/munged.log" 2>&1
  touch "$FOLDER/munged.ours"
}

start_node() { slurmd -N "$1" > "$FOLDER/start-$1.log" 2>&1; }

start() {
  [[ -e $FOLDER/slurmctld.pid ]] && stop
  configure
  start_munge
  slurmctld -c > "$FOLDER/start.log" 2>&1
  start_node n1
  start_node n2
  for _ in $(seq 60); do
    [[ $(sinfo -h -t idle -o %D 2> /dev/null) == 2 ]] && break
    sleep 0.5
  done
  [[ $(sinfo -h -t idle -o %D) == 2 ]] || { echo "the nodes did not come up; see $FOLDER/*.log" >&2; exit 1; }
  echo "$SLURM_CONF"
}

# Processes that a node's daemon started: they have its name in their environment, and a slurmstepd above them.
steps_of() {
  local process parent
  for process in $(grep -lzsx "SLURMD_NODENAME=$1" /proc/[0-9]*/environ | cut -d/ -f3); do
    tr '\0' '\n' < "/proc/$process/environ" 2> /dev/null | grep -qx "SLURM_CONF=$SLURM_CONF" || continue
    echo "$process"
    parent=$(awk '/^PPid:/ {print $2}' "/proc/$process/status" 2> /dev/null) || continue
    [[ $(cat "/proc/$parent/comm" 2> /dev/null) == slurmstepd* ]] && echo "$parent"
  done | sort -u
}

kill_node() {
  local daemon
  daemon=$(cat "$FOLDER/$1.pid")
  kill -9 "$daemon" $(steps_of "$1") 2> /dev/null || true
  rm -f "$FOLDER/$1.pid"
}

ended() {  # wait until processes are gone, or kill them
  for _ in $(seq 50); do
    kill -0 "$@" 2> /dev/null || return 0
    sleep 0.2
  done
  kill -9 "$@" 2> /dev/null || true
}

stop() {
  local daemons=()
  for name in slurmctld n1 n2; do
    [[ -e $FOLDER/$name.pid ]] && daemons+=("$(cat "$FOLDER/$name.pid")")
  done
  [[ -e $FOLDER/munged.ours ]] && daemons+=("$(cat /run/munge/munged.pid)")
  kill -9 $(steps_of n1) $(steps_of n2) 2> /dev/null || true
  for daemon in "${daemons[@]}"; do
    kill "$daemon" 2> /dev/null && ended "$daemon"
  done
  rm -rf "$FOLDER"
}

case ${1:-} in
  start) start ;;
  stop) stop ;;
  kill) kill_node "$2" ;;
  node) start_node "$2" ;;
  *) sed -n '2,7s/^# //p' "$0"; exit 2 ;;
esac
