# Running things in the guest. Sourced, never run.
# shellcheck shell=bash

# bench_part NAME OBJECT [OPTION...]: compiles tests/vm/NAME.c. By hand and not by Meson: the bench has to work
# before the project builds.
bench_part() {
    local source=/src/tests/vm/$1.c object=/build/$2
    [[ ! $FB_ROOT$object -nt $FB_ROOT$source ]] || return 0
    in_tree gcc -O2 -Wall -Wextra -Werror "${@:3}" -o "$object.new" "$source" || die "cannot compile tests/vm/$1.c"
    mv "$FB_ROOT$object.new" "$FB_ROOT$object"
}

# preloads NAME...: what is preloaded into QEMU (see qemu_command.py) and sanitized tests.
preloads() {
    local part
    for part in "$@"; do bench_part "$part" "$part.so" -shared -fPIC; done
}

# A /dev/kvm without the processor's help is a trap: the guest starts and never gets past its firmware.
accelerator() {
    if [[ -w /dev/kvm ]] && grep -qwE 'vmx|svm' /proc/cpuinfo; then echo kvm; else echo tcg; fi
}

# boot_guest [OPTION...]: runs the bash script /job/command in the guest. Its status is the script's; 124:
# ended at the time limit; 125: the guest died twice.
boot_guest() {
    preloads host-display-camera host-ring-waker host-udmabuf-stand-in
    bench_part host-tsc host-tsc
    in_tree python3 -B /src/tests/vm/supervise.py --timeout "$FB_TIMEOUT" --accelerator "$(accelerator)" "$@"
}

# guest_script DRIVER WORD...: makes /job/command: the words as one command, in /src, with the
# environment for DRIVER.
guest_script() {
    local driver=$1
    shift
    {
        echo ". /src/tests/vm/guest-env.sh $driver"
        echo "cd /src"
        printf '%q ' "$@"
        echo
    } >"$FB_WORK/job/command"
}

# run_command CMD...: CMD in the guest with the one chosen driver.
run_command() {
    guest_script "$FB_DRIVERS" "$@"
    boot_guest
}

verb_exec() {
    local status=0
    run_command "$@" || status=$?
    one_result exec "$FB_DRIVERS/$*" "$status"
    return "$status"
}

# The guest's console is a real terminal, told its size and kind.
verb_shell() {
    local status=0 size
    [[ -t 0 && -t 1 ]] || die "shell needs a terminal; for one command: ./run exec -- CMD"
    if [[ -n $FB_HOST ]]; then
        run_command "${SHELL:-bash}" || status=$?
    else
        size=$(stty size)
        printf 'stty sane rows %s columns %s\nexport TERM=%q\n' "${size% *}" "${size#* }" "${TERM:-linux}" >"$FB_WORK/job/terminal"
        guest_script "$FB_DRIVERS" bash -i
        say "a shell in the guest ($FB_DRIVERS); exit or Ctrl-D ends it"
        boot_guest --shell || status=$?
    fi
    one_result shell "$FB_DRIVERS/shell" "$status"
    return "$status"
}

# one_result SUITE NAME STATUS: the --json list of a verb that is one command.
one_result() {
    local verdict=pass note=
    case $3 in
    0) ;;
    124) verdict=fail note="ended at the time limit of $FB_TIMEOUT s" ;;
    125) verdict=fail note="the guest died twice without an exit code" ;;
    *) verdict=fail note="exit status $3" ;;
    esac
    json_one "$FB_WORK/job/results.json" "$1" "$2" "$verdict" "$note"
}
