#!/usr/bin/env bash
# A Slurm of two nodes on this machine, of one core each, for tests: Debian's slurm-wlm and munge. No
# service of the system is touched: everything lies in DIR, munge has a socket of its own.
#
#   two_nodes.sh start DIR       then: export SLURM_CONF=DIR/slurm.conf
#   two_nodes.sh fail DIR n2     node n2 dies with everything that runs on it; nobody has noticed
#   two_nodes.sh notice DIR n2   the cluster notices, and puts back what ran there
#   two_nodes.sh node DIR n2     and it comes back
#   two_nodes.sh stop DIR
#
# "start" ends with 77 and a reason where this cannot be. On a machine that is busy with other things a
# daemon may not answer for many seconds, and none is taken for dead for that: time-outs are long, and it
# is said, not waited for, that a node is down.
set -eu
what=$1
dir=$(mkdir -p "$2" && cd "$2" && pwd)
host=$(hostname -s)
export SLURM_CONF=$dir/slurm.conf

skip() {
    echo "no Slurm here: $*"
    exit 77
}

a_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

configure() {
    cat >"$SLURM_CONF" <<CONF
ClusterName=eex
SlurmctldHost=$host(127.0.0.1)
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthType=auth/munge
AuthInfo=socket=$dir/munge.socket,cred_expire=120
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool/%n
SlurmctldPidFile=$dir/ctld.pid
SlurmdPidFile=$dir/%n.pid
SlurmctldLogFile=$dir/log/ctld.log
SlurmdLogFile=$dir/log/%n.log
SlurmctldPort=$(a_port)
SlurmdTimeout=600
MessageTimeout=100
TCPTimeout=60
BatchStartTimeout=300
KillWait=300
UnkillableStepTimeout=600
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
NodeName=n1 NodeHostname=$host NodeAddr=127.0.0.1 Port=$(a_port) CPUs=1 State=UNKNOWN
NodeName=n2 NodeHostname=$host NodeAddr=127.0.0.1 Port=$(a_port) CPUs=1 State=UNKNOWN
PartitionName=p Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
}

begin_munge() {
    dd if=/dev/urandom of="$dir/munge.key" bs=1024 count=1 2>/dev/null
    chmod 400 "$dir/munge.key"
    munged --force --key-file="$dir/munge.key" --socket="$dir/munge.socket" --num-threads=2 \
        --pid-file="$dir/munge.pid" --log-file="$dir/log/munge.log" --seed-file="$dir/munge.seed"
}

begin_node() {
    mkdir -p "$dir/spool/$1"
    slurmd -N "$1"
}

are_idle() {
    [ "$(sinfo -h -t idle -o %D 2>/dev/null)" = 2 ]
}

# With ports that somebody may have taken in between.
begin_all() {
    configure
    begin_munge && slurmctld && begin_node n1 && begin_node n2 || return
    for _ in $(seq 300); do
        are_idle && return
        sleep 0.1
    done
    return 1
}

# What runs on a node has its name in the environment; above that is Slurm's own daemon of the step.
on_node() {
    local file process parent
    for file in $(grep -lzsx "SLURMD_NODENAME=$1" /proc/[0-9]*/environ); do
        grep -qzsx "SLURM_CONF=$SLURM_CONF" "$file" || continue
        process=$(dirname "$file")
        parent=$(sed -n 's/^PPid:\t//p' "$process/status" 2>/dev/null) || continue
        grep -qs slurmstepd "/proc/$parent/comm" && echo "$parent"
        basename "$process"
    done
}

fail_node() {
    local pids
    kill -KILL "$(cat "$dir/$1.pid" 2>/dev/null)" 2>/dev/null || true
    pids=$(on_node "$1" | sort -u)
    # shellcheck disable=SC2086
    [ -z "$pids" ] || kill -KILL $pids 2>/dev/null || true
}

# Nothing of it is wanted any more, so nobody is asked.
end_all() {
    local name
    for name in n1 n2; do
        fail_node $name
    done
    for name in ctld munge; do
        kill -KILL "$(cat "$dir/$name.pid" 2>/dev/null)" 2>/dev/null || true
    done
    rm -f "$dir"/*.pid
}

case $what in
start)
    [ "$(id -u)" = 0 ] || skip "its daemons want to be root"
    for program in munged slurmctld slurmd sbatch squeue scontrol python3; do
        command -v $program >/dev/null || skip "$program is not installed"
    done
    mkdir -p "$dir/state" "$dir/log"
    chmod 755 "$dir"
    for _ in 1 2 3; do
        begin_all >"$dir/log/start.log" 2>&1 && exit 0
        end_all
    done
    tail -5 "$dir"/log/*.log
    skip "its daemons do not come up"
    ;;
node) begin_node "$3" ;;
fail) fail_node "$3" ;;
notice) scontrol update NodeName="$3" State=DOWN Reason=dead ;;
stop) end_all ;;
*)
    echo "two_nodes.sh: start, fail, notice, node or stop, not \"$what\"" >&2
    exit 2
    ;;
esac
