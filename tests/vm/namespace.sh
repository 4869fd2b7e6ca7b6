# Runs the whole of a call inside a private mount and process namespace. Sourced, never run.
#
# When the first process of that namespace dies, the kernel ends every other one and drops every
# mount: that is how Ctrl-C, kill and even kill -9 leave no guest and no mount behind. The chain is
#   run (traps signals) -> setpriv (dies with run) -> unshare --kill-child -> inside.sh
# shellcheck shell=bash

namespace_pid=
saved_tty=

run_in_namespace() {
    make_work_folder
    if [[ -t 0 ]]; then saved_tty=$(stty -g); fi
    trap 'stop_namespace 130' INT
    trap 'stop_namespace 143' TERM
    trap 'stop_namespace 129' HUP

    local -a namespace=(unshare --mount --pid --mount-proc --fork --kill-child)
    # Without root there is only --host, which mounts nothing; a user namespace then serves as well.
    if [[ $(id -u) != 0 ]]; then
        namespace+=(--user --map-current-user)
        "${namespace[@]}" true 2>/dev/null || namespace=()
    fi
    # In the background, because bash would put off a trap until a foreground child has ended.
    setpriv --pdeathsig KILL "${namespace[@]}" bash "$FB_SRC/tests/vm/inside.sh" "$@" <&0 &
    namespace_pid=$!
    local status=0
    wait "$namespace_pid" || status=$?
    leave "$status"
}

# The folder of this call, locked while the call lives: one of a call that was killed outright is swept up
# by the next. (A minute's age, because a new one is unlocked for a moment.)
make_work_folder() {
    local parent=${TMPDIR:-/tmp} stale
    find "$parent" -maxdepth 1 -type d -user "$(id -u)" -name 'fencebridge.??????' -mmin +1 2>/dev/null |
        while IFS= read -r stale; do
            flock --nonblock "$stale" rm -rf --one-file-system "$stale" || true
        done
    FB_WORK=$(mktemp -d "$parent/fencebridge.XXXXXX") || die "cannot make a temporary folder in $parent"
    export FB_WORK
    exec 9<"$FB_WORK"
    flock --shared 9
}

stop_namespace() {
    trap '' INT TERM HUP
    set +e
    kill -KILL "$namespace_pid" 2>/dev/null
    wait "$namespace_pid" 2>/dev/null
    [[ ! -t 2 ]] || printf '\n' >&2
    say "stopped by a signal"
    echo "stopped by a signal" >"$FB_WORK/reason"
    leave "$1"
}

# leave STATUS: whatever happened, the --json file says so.
leave() {
    local status=$1 reason
    keep_output
    [[ -z $saved_tty ]] || stty "$saved_tty" 2>/dev/null || true
    if [[ -n $FB_JSON ]]; then
        mkdir -p "$(dirname "$FB_JSON")"
        if [[ -s $FB_WORK/job/results.json ]]; then
            cp "$FB_WORK/job/results.json" "$FB_JSON"
        else
            reason=$(cat "$FB_WORK/reason" 2>/dev/null || echo "ended with status $status and no results")
            json_one "$FB_JSON" "$FB_VERB" "$FB_VERB" fail "$reason"
        fi
    fi
    # The mounts were private to the namespace: what is left under here is plain files.
    rm -rf --one-file-system "$FB_WORK"
    exit "$status"
}

# Logs, and what the command left in /job/out, outlive the call.
keep_output() {
    local job=$FB_WORK/job file
    [[ -d $job/logs || -d $job/out || -e $job/kernel.log ]] || return 0
    mkdir -p "$FB_OUT/logs"
    for file in kernel qemu guest; do
        [[ ! -e $job/$file.log ]] || cp "$job/$file.log" "$FB_OUT/logs/$file.log"
    done
    [[ ! -d $job/logs ]] || cp -r "$job/logs/." "$FB_OUT/logs"
    [[ ! -d $job/out ]] || cp -r "$job/out/." "$FB_OUT"
    if [[ -n $FB_DOCS && -e $job/out/performance.md ]]; then
        cp -r "$job/out/performance.md" "$job/out/performance" "$FB_SRC/docs/"
    fi
}

# give_up WHY: before there is anything to clean up.
give_up() {
    [[ -z $FB_JSON ]] || json_one "$FB_JSON" "$FB_VERB" "$FB_VERB" fail "$1"
    die "$1"
}
