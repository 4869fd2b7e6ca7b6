#!/bin/bash
# show-stuck.sh PID: what every thread of a process and of its children does, for a test that does not end.
# Seen from the kernel; and where eu-stack is, and in the time that it gets, from the program too.
set -uo pipefail

family() {
    local child
    echo "$1"
    for child in $(pgrep -P "$1"); do family "$child"; done
}

for process in $(family "$1"); do
    echo "stuck: process $process: $(tr '\0' ' ' <"/proc/$process/cmdline")"
    for thread in "/proc/$process/task/"*; do
        read -r _ _ _ _ _ _ _ _ _ _ _ _ _ user system _ < <(sed 's/(.*)/name/' "$thread/stat")
        echo "stuck: thread ${thread##*/} $(<"$thread/comm"): in $(<"$thread/wchan"), ran $user + $system ticks"
        sed 's/^/stuck:     /' "$thread/stack"
    done
    if command -v eu-stack >/dev/null; then timeout 30 eu-stack --module -p "$process" | sed 's/^/stuck:   /'; fi
done 2>/dev/null
