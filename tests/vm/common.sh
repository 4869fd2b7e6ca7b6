# Words, errors and progress shared by every part of ./run. Sourced, never run.
#
# Everything said to the person goes to stderr, so that stdout carries only what the command in the
# guest printed. A step that fails leaves its reason in $FB_WORK/reason: the outermost script turns
# that into the --json entry, because by then the process that knew the reason is gone.
# shellcheck shell=bash

say() { printf 'run: %s\n' "$*" >&2; }

die() {
    progress_end
    say "error: $*"
    [[ -z ${FB_WORK:-} || ! -d ${FB_WORK:-} ]] || printf '%s\n' "$*" >"$FB_WORK/reason"
    exit "${FB_DIE_STATUS:-1}"
}

# progress_begin WHAT [HOW-FAR-COMMAND...]: says WHAT until progress_end. On a terminal it is one line
# rewritten every second, elsewhere a plain line now and then (logs of CI must not grow by the second).
# The command prints how far the step is, usually read off the step's own log.
progress_pid=
progress_what=
progress_since=0
progress_begin() {
    progress_end
    progress_what=$1
    progress_since=$SECONDS
    shift
    if [[ ! -t 2 ]]; then say "$progress_what ..."; fi
    progress_loop "$@" &
    progress_pid=$!
}

progress_loop() {
    local far seconds pause=1
    [[ -t 2 ]] || pause=15
    while :; do
        [[ -t 2 ]] || sleep "$pause"
        far=
        if (($#)); then far=$("$@" 2>/dev/null) || far=; fi
        seconds=$((SECONDS - progress_since))
        if [[ -t 2 ]]; then
            printf '\r\033[Krun: %s%s (%d s)' "$progress_what" "${far:+: $far}" "$seconds" >&2
            sleep "$pause"
        else
            say "$progress_what${far:+: $far} ($seconds s)"
        fi
    done
}

progress_end() {
    [[ -n $progress_pid ]] || return 0
    kill "$progress_pid" 2>/dev/null || true
    wait "$progress_pid" 2>/dev/null || true
    progress_pid=
    if [[ -t 2 ]]; then printf '\r\033[K' >&2; fi
    say "$progress_what: took $((SECONDS - progress_since)) s"
}

# json_string TEXT: TEXT as a JSON string. In bash, because the machine itself need not have python.
json_string() {
    local text=$1
    text=${text//\\/\\\\}
    text=${text//\"/\\\"}
    text=${text//$'\n'/\\n}
    text=${text//$'\t'/\\t}
    text=$(printf '%s' "$text" | tr -d '\000-\037')
    printf '"%s"' "$text"
}

# json_one FILE SUITE NAME STATUS NOTE: a result list of one entry.
json_one() {
    printf '[{"suite": %s, "name": %s, "status": %s, "value": null, "unit": null, "bar": null, "note": %s}]\n' \
        "$(json_string "$2")" "$(json_string "$3")" "$(json_string "$4")" "$(json_string "$5")" >"$1"
}
