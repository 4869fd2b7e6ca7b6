#!/bin/bash
# with-drm-class.sh CMD...: runs CMD where /sys/class/drm exists. MangoHud ends a process where it does not, as on
# a machine without any display. Only root can mount an empty one, in a namespace of CMD's own; without it CMD runs
# as it is, and does without MangoHud.
set -uo pipefail

if [[ ! -e /sys/class/drm && -d /sys/class ]] &&
    unshare --mount sh -c 'mount -t tmpfs class /sys/class && mkdir /sys/class/drm' 2>/dev/null; then
    # shellcheck disable=SC2016 # the inner shell's
    exec unshare --mount sh -c 'mount -t tmpfs class /sys/class && mkdir /sys/class/drm && exec "$0" "$@"' "$@"
fi
exec "$@"
