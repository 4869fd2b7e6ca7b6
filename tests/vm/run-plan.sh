#!/bin/bash
# run-plan.sh PLAN: runs the tests of a plan (see plan.py): in the guest, in the tree's chroot or on the machine
# itself. Those that look at the guest's timing go first, one after the other; then two lanes side by side, one of
# each of the guest's drivers, for a test waits more than it works. What needs no driver goes to the lane that is
# free first.
#
# What failed in a lane, by an assertion of its own (not by a crash or a sanitizer's report), is run again alone,
# if no more than AGAIN_AT_MOST programs failed so: the one thing that lanes can change is time. So is what did not
# end while none of its threads was in the layer: that is the guest's. Both results are kept, and the report says
# which cases were unsteady.
#
# Each is under its own time limit and has its own log and its own file of results; what of it still runs
# shortly before that limit is looked at (see show-stuck.sh). A line in finished.tsv is written when a test has
# ended, so that a second guest goes on where the first one died.
set -uo pipefail

plan=$1
here=$(dirname "$(realpath "$0")")
job=${FENCEBRIDGE_JOB:-/job}
export FENCEBRIDGE_JOB=$job
mkdir -p "$job/logs" "$job/results" "$job/out"
touch "$job/finished.tsv"

AGAIN_AT_MOST=2

seconds() { echo "${EPOCHREALTIME/[.,]/}"; }

# What the sanitizers need: no leak reports for drivers, no address randomisation under TSan.
sanitizer_environment() {
    [[ $1 == plain ]] || export LD_PRELOAD=${FENCEBRIDGE_BUILDS:-/build}/keep-libraries.so
    case $1 in
    asan)
        # A preloaded library comes before ASan's own, which does no harm here.
        export ASAN_OPTIONS=detect_leaks=1:verify_asan_link_order=0:exitcode=99
        export LSAN_OPTIONS=suppressions=$here/lsan.supp:print_suppressions=0
        export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
        ;;
    tsan) export TSAN_OPTIONS=suppressions=$here/tsan.supp:exitcode=99 ;;
    esac
}

# run_test TIMEOUT FLAVOUR DRIVER COMMAND, in a subshell of its own environment.
run_test() {
    # shellcheck source=guest-env.sh
    FENCEBRIDGE_BUILD=${FENCEBRIDGE_BUILDS:-/build}/$2
    . "$here/guest-env.sh" "$3"
    local -a wrapper=(timeout --kill-after=5 "$1")
    [[ $2 != tsan ]] || wrapper+=(setarch --addr-no-randomize)
    sanitizer_environment "$2"
    exec "${wrapper[@]}" bash -c "$4"
}

slug_of() { echo "${1//\//--}"; }
# ended_with SLUG STATUS_PATTERN
ended_with() { grep -q "^$1"$'\t'"$2"$'\t' "$job/finished.tsv"; }

# show_stuck PID: and in the guest what its machine does outside, which Venus waits for.
show_stuck() {
    bash "$here/show-stuck.sh" "$1"
    [[ -e $job/heartbeat ]] || return 0
    rm -f "$job/host-stacks"
    : >"$job/want-host-stacks"
    for _ in {1..25}; do
        sleep 1
        if [[ -e $job/host-stacks ]]; then
            echo "stuck: the guest's machine, seen from outside:"
            sed 's/^stuck:/outside:/' "$job/host-stacks"
            return
        fi
    done
    echo "stuck: no answer from outside the guest"
}

# hung_elsewhere LOG: whether the stacks of a test that did not end were seen, and the layer is in none of them:
# neither its library, nor a function of it in a program that is linked with its parts.
hung_elsewhere() {
    grep -q '^stuck:   #' "$1" &&
        ! grep -qP '^stuck:   #.*/libVkLayer_FENCEBRIDGE|^stuck:   #[^(]* fencebridge::(?!test::)' "$1"
}

# run_row FLAVOUR SUITE NAME LIMIT DRIVER COMMAND: one test of the plan.
run_row() {
    local flavour=$1 suite=$2 name=$3 limit=$4 driver=$5 command=$6
    local slug began status took verdict tail="" test notice ended
    slug=$(slug_of "$name")
    if ended_with "$slug" '[0-9a-z]*'; then return; fi
    if [[ $limit == - ]]; then
        printf '%s\t%s\t%s\n' "$slug" skip "$command" >>"$job/finished.tsv"
        return
    fi
    export FENCEBRIDGE_RESULTS=$job/results/$slug.jsonl
    rm -f "$FENCEBRIDGE_RESULTS"
    began=$(seconds)
    (run_test "$limit" "$flavour" "$driver" "$command") >"$job/logs/$slug.log" 2>&1 </dev/null 3<&- &
    test=$!
    sleep "$((limit - limit / 10))" 3<&- &
    notice=$!
    wait -n -p ended "$test" "$notice"
    status=$?
    if [[ $ended == "$notice" ]]; then
        show_stuck "$test" >>"$job/logs/$slug.log" 3<&-
        wait "$test"
        status=$?
    else
        { kill "$notice" && wait "$notice"; } 2>/dev/null
    fi
    took=$((($(seconds) - began) / 1000))
    took=$((took / 1000)).$(((took % 1000) / 100))
    case $status in
    0) verdict=pass ;;
    77) verdict=skip ;;
    *) verdict=fail ;;
    esac
    if [[ $verdict == fail ]]; then
        tail=$(tail -n 200 "$job/logs/$slug.log" | sed 's/^/      | /')$'\n'
    fi
    # In one piece: another lane may be writing too.
    printf '%-4s  %-10s %s  (%s s)\n%s' "$verdict" "$suite" "$name" "$took" "$tail"
    printf '%s\t%s\t%s\n' "$slug" "$status" "$took" >>"$job/finished.tsv"
}

# run_lane ALONE_OR_DRIVER: the tests that are to run alone; or the others of a driver; or the rest, which several
# lanes may share. Each in the plan's order, an idle one beside those that follow it.
run_lane() {
    local suite name limit flavour driver command company lane
    while IFS=$'\t' read -r suite name _ limit flavour driver command company <&3; do
        case $driver in
        venus | lavapipe) lane=$driver ;;
        *) lane=rest ;;
        esac
        [[ $company != alone ]] || lane=alone
        [[ $lane == "$1" ]] || continue
        [[ $lane != rest ]] || mkdir "$taken/$(slug_of "$name")" 2>/dev/null || continue
        if [[ $company == idle ]]; then
            run_row "$flavour" "$suite" "$name" "$limit" "$driver" "$command" &
        else
            run_row "$flavour" "$suite" "$name" "$limit" "$driver" "$command"
        fi
    done 3<"$plan"
    wait
}

# run_failed_again: see above. A lane's failures only: alone, nothing could be different.
run_failed_again() {
    local suite name limit flavour driver command company slug row failed=()
    while IFS= read -r row; do
        IFS=$'\t' read -r _ name _ _ _ _ _ company <<<"$row"
        slug=$(slug_of "$name")
        # Without results it does not tell its cases; with a first file it has had its second run.
        [[ $company != alone && -e $job/results/$slug.jsonl && ! -e $job/results/$slug.first.jsonl ]] || continue
        if ended_with "$slug" 1 || { ended_with "$slug" 124 && hung_elsewhere "$job/logs/$slug.log"; }; then
            failed+=("$row")
        fi
    done <"$plan"
    ((${#failed[@]} <= AGAIN_AT_MOST)) || return 0
    for row in "${failed[@]}"; do
        IFS=$'\t' read -r suite name _ limit flavour driver command _ <<<"$row"
        slug=$(slug_of "$name")
        echo "again, alone: $name"
        mv "$job/results/$slug.jsonl" "$job/results/$slug.first.jsonl"
        mv "$job/logs/$slug.log" "$job/logs/$slug.first.log"
        sed -i "\\|^$slug\t|d" "$job/finished.tsv"
        run_row "$flavour" "$suite" "$name" "$limit" "$driver" "$command"
    done
}

taken=$(mktemp -d)
trap 'rm -rf "$taken"' EXIT
run_lane alone
for driver in venus lavapipe; do
    (run_lane "$driver" && run_lane rest) &
done
wait
run_failed_again
