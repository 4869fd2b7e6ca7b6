# The tree as a chroot: where the project is built, where unit tests run and where QEMU itself runs.
# Sourced, never run. Every mount is made inside the private mount namespace of inside.sh and ends
# with it, so nothing here unmounts anything.
# shellcheck shell=bash disable=SC2034 # the other parts read what this sets

# enter_tree: mounts the tree read-only, so that no build or test can spoil the cached copy, with the
# same /src, /build and /job that the guest sees.
enter_tree() {
    FB_ROOT=$FB_WORK/root
    local builds checkout
    checkout=$(printf '%s' "$FB_SRC" | sha256sum | cut -c1-12)
    builds=$FB_CACHE/builds/$checkout-$FB_TREE_KEY
    FB_HERE=/src/tests/vm FB_JOB=/job FB_BUILDS=/build FB_SOURCE=/src
    mkdir -p "$FB_ROOT" "$FB_WORK/job" "$builds" "$FB_CACHE/ccache" || die "cannot make the build folder $builds"

    mount_tree "$builds" || die "cannot mount the tree $FB_TREE at $FB_ROOT"
}

mount_tree() {
    mount --bind "$FB_TREE" "$FB_ROOT" &&
        mount -o remount,bind,ro "$FB_ROOT" &&
        mount -t proc proc "$FB_ROOT/proc" &&
        mount --rbind /sys "$FB_ROOT/sys" &&
        mount --rbind /dev "$FB_ROOT/dev" &&
        mount -t tmpfs -o mode=1777 tmp "$FB_ROOT/tmp" &&
        mount -t tmpfs -o mode=755 run "$FB_ROOT/run" &&
        mount --bind "$FB_SRC" "$FB_ROOT/src" &&
        mount -o remount,bind,ro "$FB_ROOT/src" &&
        mount --bind "$1" "$FB_ROOT/build" &&
        mount --bind "$FB_CACHE/ccache" "$FB_ROOT/ccache" &&
        mount --bind "$FB_WORK/job" "$FB_ROOT/job"
}

# in_tree CMD...: runs CMD in the chroot, with an environment that owes nothing to the caller's. Every
# checkout is /src in there, so that a new clone finds in the compiler's cache what another has built. The
# cache goes by the compiler's own list of headers: else it would run the preprocessor for what it lacks.
in_tree() {
    chroot "$FB_ROOT" /usr/bin/env -i --default-signal=INT,QUIT \
        PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp XDG_RUNTIME_DIR=/run LANG=C.UTF-8 TERM="${TERM:-dumb}" \
        CCACHE_DIR=/ccache CCACHE_MAXSIZE=2G CCACHE_DEPEND=1 \
        "$@"
}
