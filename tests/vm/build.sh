# Building the project inside the tree. Sourced, never run.
# shellcheck shell=bash

# build FLAVOUR: plain, asan (with UBSan) or tsan, in /build/FLAVOUR. Its output is kept in a log and shown
# only when it fails. A folder that Meson no longer understands is wiped and set up once more.
build() {
    local flavour=$1 log=$FB_OUT/logs/build-$1.log
    local -a options
    # -g1: functions and lines, for a sanitizer's stacks. Variables, for a debugger, are a quarter of the time
    # to compile.
    options=("-Dcpp_args=-g1")
    case $flavour in
    plain) options+=(--buildtype=debugoptimized --werror) ;;
    # -O1: what the sanitizers' own manuals ask for, and half the time to compile.
    asan) options+=(--buildtype=debug --optimization=1 "-Db_sanitize=address,undefined" -Db_lundef=false) ;;
    tsan) options+=(--buildtype=debug --optimization=1 -Db_sanitize=thread -Db_lundef=false) ;;
    esac
    mkdir -p "$FB_OUT/logs"
    : >"$log"
    progress_begin "build ($flavour)" build_progress "$log"
    # Two Ninjas in one folder spoil it.
    exec 7>"$FB_ROOT$FB_BUILDS/$flavour.lock"
    flock 7
    if ! try_build "$flavour" "${options[@]}" >>"$log" 2>&1; then
        # A compiler's error will not go away by starting over; a broken or outdated folder will.
        if grep -q 'FAILED: \|error:' "$log" || ! { wipe_build "$flavour" && try_build "$flavour" "${options[@]}"; } >>"$log" 2>&1; then
            progress_end
            show_build_failure "$log"
            die "the $flavour build failed: $(grep -aEm 1 'error: |ERROR: ' "$log" || true) (whole log: $log)"
        fi
    fi
    exec 7>&-
    progress_end
}

try_build() {
    local flavour=$1
    shift
    if [[ ! -e $FB_ROOT$FB_BUILDS/$flavour/build.ninja ]]; then
        in_tree meson setup "$@" "$FB_BUILDS/$flavour" "$FB_SOURCE" || return
    fi
    in_tree meson compile -C "$FB_BUILDS/$flavour"
}

wipe_build() {
    echo "== wiping build folder $1 and starting over"
    rm -rf --one-file-system "$FB_ROOT${FB_BUILDS:?}/$1"
}

build_progress() {
    grep -oE '^\[[0-9]+/[0-9]+\]' "$1" | tail -n 1 | tr -d '[]'
}

show_build_failure() {
    if grep -qE '^FAILED: ' "$1"; then
        grep -E -A 30 '^FAILED: ' "$1" | head -n 60 >&2
    elif grep -q 'ERROR: ' "$1"; then
        grep 'ERROR: ' "$1" | sort -u >&2
    else
        tail -n 40 "$1" >&2
    fi
}

# For exec and shell: a checkout that has no meson.build yet can still look at the guest.
build_if_there_is_one() {
    if [[ -e $FB_SRC/meson.build ]]; then
        build "$1"
    else
        say "no meson.build: nothing to build"
    fi
}
