#!/bin/bash
# run-there.sh LOGS: runs the hardware tests of the folder that it lies in (see pack.sh) on this machine.
# Writes LOGS/hardware.log (also to stdout) and LOGS/hardware.jsonl (results and figures). The exit status
# is the tests'; 77 where every one of them was skipped.
#
# Where the Vulkan driver's manifest is not in a usual place, VK_DRIVER_FILES names it; where libcuda.so.1
# or the Vulkan driver's library is not, LD_LIBRARY_PATH names its folder.
set -euo pipefail

(($# == 1)) || { echo "usage: $0 LOGS" >&2 && exit 2; }
here=$(dirname "$(realpath "$0")")
mkdir -p "$1"
logs=$(realpath "$1")
dynamic_loader=$(compgen -G "$here/lib/ld-linux*")

# The libraries that came along are for this one program: in the environment they would also be for the
# server's own programs that it may start, and those need the server's.
program() {
    local name=$1
    shift
    timeout --kill-after=5 300 "$dynamic_loader" \
        --library-path "$here/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" "$here/bin/$name" "$@"
}

machine() {
    echo "date: $(date -u +%Y-%m-%dT%H:%MZ)"
    echo "kernel: $(uname -sr)"
    if [[ -r /proc/driver/nvidia/version ]]; then
        echo "nvidia: $(head -n 1 /proc/driver/nvidia/version)"
    fi
    if command -v nvidia-smi >/dev/null; then
        nvidia-smi --query-gpu=name,driver_version --format=csv,noheader | sed 's/^/nvidia-smi: /' || true
    fi
    ls -d /dev/dri/* /dev/nvidia[0-9]* /dev/udmabuf 2>/dev/null | tr '\n' ' ' | sed 's/^/nodes: /; s/$/\n/' || true
}

tests() {
    export FENCEBRIDGE_RESULTS=$logs/hardware.jsonl VK_IMPLICIT_LAYER_PATH=$here/manifest
    rm -f "$FENCEBRIDGE_RESULTS"
    if [[ -e $here/bin/fencebridge ]]; then
        # Its status tells whether a device can be bridged: for the record, nothing to stop at.
        program fencebridge doctor || echo "fencebridge doctor: exit status $?"
    fi
    program hardware
}

status=0
{ machine && tests; } 2>&1 | tee "$logs/hardware.log" || status=$?
if ((status == 0)) && ! grep -q '^\[       OK \]' "$logs/hardware.log"; then
    echo "every test was skipped: see the reasons above" | tee -a "$logs/hardware.log"
    status=77
fi
exit "$status"
