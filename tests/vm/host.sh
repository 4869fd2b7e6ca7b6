# --host: the same verbs on this machine itself. Sourced after chroot.sh, build.sh and guest.sh, whose words
# it redefines: there is no tree, so the machine is its own "tree".
# shellcheck shell=bash disable=SC2034 # the other parts read what this sets

# What a run here needs, all of it named at once.
check_host() {
    local -a missing=()
    local tool release nodes=(/dev/dri/renderD*)
    for tool in meson ninja c++ pkg-config python3; do
        command -v "$tool" >/dev/null || missing+=("the program $tool")
    done
    release=$(uname -r)
    ((${release%%.*} >= 6)) || missing+=("Linux 6.0 or newer for the dma-buf sync_file ioctls (this is $release)")
    if [[ ! -e ${nodes[0]} && ! -e /dev/nvidia0 ]]; then
        local no_gpu="a GPU (no DRM render node under /dev/dri, no /dev/nvidia0)"
        case $FB_VERB in
        demo | bench) missing+=("$no_gpu") ;;
        *) say "--host: this machine lacks $no_gpu: tests that need it will be skipped" ;;
        esac
    fi
    if ((${#missing[@]})); then
        local list
        list=$(printf '%s; ' "${missing[@]}")
        die "--host: this machine lacks: ${list%; }"
    fi
    # What only some tests need: they skip themselves and say so.
    [[ -e /dev/udmabuf ]] || say "--host: no /dev/udmabuf in this kernel: tests that need it will be skipped"
    [[ -d /sys/module/vgem ]] || modprobe vgem 2>/dev/null ||
        say "--host: no vgem module in this kernel: tests that need its fences will be skipped"
}

enter_host() {
    local checkout
    check_host
    checkout=$(printf '%s' "$FB_SRC" | sha256sum | cut -c1-12)
    FB_ROOT=''
    FB_HERE=$FB_SRC/tests/vm FB_JOB=$FB_WORK/job FB_BUILDS=$FB_CACHE/builds/$checkout-host FB_SOURCE=$FB_SRC
    mkdir -p "$FB_JOB" "$FB_BUILDS"
}

# The machine's own environment is kept: its drivers may need more of it than we know.
in_tree() { env "$@"; }

run_command() {
    # shellcheck source=guest-env.sh
    (
        export FENCEBRIDGE_JOB=$FB_JOB FENCEBRIDGE_BUILD=$FB_BUILDS/plain
        . "$FB_HERE/guest-env.sh" host
        cd "$FB_SRC" || exit
        exec timeout --foreground "$FB_TIMEOUT" "$@"
    )
}
