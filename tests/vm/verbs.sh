# The verbs that run tests: test, bench, demo. Sourced, never run.
# shellcheck shell=bash

# run_tests SUITES: builds what the suites need, plans, runs the part that needs no guest and then the
# guest's. Sets missing_note: why a test of the plan may not have run.
run_tests() {
    local suites=$1 flavours=plain problem status=0
    missing_note="the run ended before it"
    build plain
    if [[ -z $FB_HOST ]] && in_tree python3 -B /src/tests/vm/plan.py --sanitized --suites "$suites"; then
        build asan
        build tsan
        preloads keep-libraries
        flavours="plain asan tsan"
    fi
    problem=$(in_tree python3 -B "$FB_HERE/plan.py" --build "$FB_BUILDS" --drivers "$FB_DRIVERS" --suites "$suites" \
        --flavours "$flavours" "$FB_JOB") || die "${problem:-the tests could not be listed}"

    if [[ -s $FB_WORK/job/plan-here.tsv ]]; then
        in_tree FENCEBRIDGE_JOB="$FB_JOB" FENCEBRIDGE_BUILDS="$FB_BUILDS" \
            timeout --foreground "$FB_TIMEOUT" bash "$FB_HERE/run-plan.sh" "$FB_JOB/plan-here.tsv" || status=$?
        if ((status == 124)); then missing_note="the time limit of $FB_TIMEOUT s came first"; fi
    fi
    if [[ -s $FB_WORK/job/plan-guest.tsv ]]; then
        status=0
        say "starting the guest for $(wc -l <"$FB_WORK/job/plan-guest.tsv") test programs (time limit $FB_TIMEOUT s)"
        guest_plan || status=$?
        explain_missing "$status"
    fi
}

explain_missing() {
    case $1 in
    124) missing_note="the guest was ended at its time limit of $FB_TIMEOUT s" ;;
    125) missing_note="the guest died twice" ;;
    esac
}

# A run-plan.sh of its own writes the environment of each test, so this one needs no driver.
guest_plan() {
    echo "bash /src/tests/vm/run-plan.sh /job/plan-guest.tsv" >"$FB_WORK/job/command"
    boot_guest
}

verb_test() {
    run_tests "$FB_SUITES"
    in_tree python3 -B "$FB_HERE/report.py" --missing "$missing_note" "$FB_JOB"
}

verb_bench() {
    local status=0
    run_tests bench
    in_tree python3 -B "$FB_HERE/report.py" --missing "$missing_note" --values "$FB_JOB" || status=$?
    mkdir -p "$FB_WORK/job/out"
    in_tree python3 -B "$FB_SOURCE/tests/bench/performance.py" "$FB_SOURCE/docs/performance.md" \
        "$FB_JOB/results.json" "$FB_JOB/out" || say "no page of the figures"
    return "$status"
}

# The demo is one program that prints its own table; its cases have no driver in their names.
verb_demo() {
    local program=$FB_BUILDS/plain/tests/apps/fencebridge-demo status=0
    build plain
    [[ -e $FB_ROOT$program ]] || die "the build made no $program"
    mkdir -p "$FB_WORK/job/results" "$FB_WORK/job/out" "$FB_WORK/job/logs"
    printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' demo demo - "$FB_TIMEOUT" plain "$FB_DRIVERS" demo >"$FB_WORK/job/plan-demo.tsv"
    run_command env FENCEBRIDGE_RESULTS="$FB_JOB/results/demo.jsonl" "$program" || status=$?
    missing_note="the demo did not end"
    explain_missing "$status"
    case $status in
    124 | 125) ;;
    *) printf 'demo\t%s\t\n' "$status" >"$FB_WORK/job/finished.tsv" ;;
    esac
    : >"$FB_WORK/job/logs/demo.log"
    in_tree python3 -B "$FB_HERE/report.py" --missing "$missing_note" --quiet "$FB_JOB" || true
    say "pictures and logs: $FB_OUT"
    return "$status"
}
