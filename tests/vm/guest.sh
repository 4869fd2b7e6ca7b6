# Running things in the guest. Sourced, never run.
# shellcheck shell=bash

# The guest's host side needs /dev/udmabuf; where this machine has none, a stand-in is compiled.
guest_host_parts() {
    local stand_in=/build/host-udmabuf-stand-in.so source=/src/tests/vm/host-udmabuf-stand-in.c
    [[ ! -e /dev/udmabuf ]] || return 0
    if [[ ! $FB_ROOT$stand_in -nt $FB_ROOT$source ]]; then
        in_tree gcc -O2 -Wall -Wextra -shared -fPIC -o "$stand_in.new" "$source" ||
            die "cannot compile the stand-in for this machine's missing /dev/udmabuf"
        mv "$FB_ROOT$stand_in.new" "$FB_ROOT$stand_in"
    fi
}

# boot_guest COMMAND-FILE [OPTION...]: runs the bash script COMMAND-FILE (a path in the chroot) in the guest.
# Its status is the command's; 124: ended at the time limit; 125: the guest died twice.
boot_guest() {
    guest_host_parts
    in_tree python3 /src/tests/vm/supervise.py ${FB_VERBOSE:+--verbose} --timeout "$FB_TIMEOUT" "$@"
}

# guest_command CMD...: CMD in /src of the guest, with the environment of the one chosen driver.
guest_command() {
    local status=0
    {
        echo "cd /src"
        echo ". /src/tests/vm/guest-env.sh $FB_DRIVERS"
        printf '%q ' "$@"
        echo
    } >"$FB_WORK/job/command"
    boot_guest || status=$?
    local verdict=pass note=
    if ((status)); then verdict=fail note="exit status $status"; fi
    json_one "$FB_WORK/results.json" exec "$FB_DRIVERS/$*" "$verdict" "$note"
    return "$status"
}
