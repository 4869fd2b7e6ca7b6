# Where the Debian tree lies, and how it comes to be there whole or not at all. Sourced, never run.
#
# The key is a hash of what the tree is made from (the package list and the two scripts that make it),
# so a change of either makes a new tree and an old checkout goes on finding its own. A tree gets its
# final name by one rename after its last step; whatever lies under making.* while the lock is held is
# the leftover of a run that died.
# shellcheck shell=bash

readonly tree_space_mb=6000

tree_key() {
    cat "$FB_SRC"/tests/vm/{packages.txt,make-tree.sh,finish-tree.sh,initramfs-init.sh} | sha256sum | cut -c1-16
}

# ensure_tree: sets FB_TREE. Runs inside the private namespace, so mmdebstrap's mounts and processes
# go away with it.
ensure_tree() {
    local trees=$FB_CACHE/trees key
    key=$(tree_key)
    FB_TREE=$trees/$key
    export FB_TREE FB_TREE_KEY=$key
    if [[ -d $FB_TREE ]]; then
        touch "$FB_TREE/.last-used"
        return
    fi
    mkdir -p "$trees" || die "cannot make the cache folder $trees"
    exec 8>"$trees/lock"
    if ! flock --nonblock 8; then
        progress_begin "waiting for another ./run that is making the tree"
        flock 8
        progress_end
    fi
    if [[ ! -d $FB_TREE ]]; then make_tree "$trees"; fi
    exec 8>&-
    touch "$FB_TREE/.last-used"
}

make_tree() {
    local trees=$1 temp free_mb
    rm -rf --one-file-system "$trees"/making.*
    drop_old_trees "$trees"
    free_mb=$(df --output=avail --block-size=M "$trees" | tail -n 1 | tr -dc 0-9)
    ((free_mb >= tree_space_mb)) ||
        die "no disk: the Debian tree needs about $((tree_space_mb / 1000)) GB free under $trees, there are $free_mb MB"
    temp=$trees/making.$key
    local log=$trees/making.log
    say "making the Debian tree, once: $FB_TREE (log: $log)"
    progress_begin "Debian tree" tree_progress "$log" "$temp"
    if ! bash "$FB_SRC/tests/vm/make-tree.sh" "$temp" >"$log" 2>&1; then
        progress_end
        tail -n 25 "$log" >&2
        rm -rf --one-file-system "$temp"
        die "making the Debian tree failed: $(grep -aE '^(E|make-tree): ' "$log" | tail -n 1 | cut -d' ' -f2- || true)"
    fi
    mv "$temp" "$FB_TREE"
    progress_end
}

# A tree that no checkout has used for two weeks is 2 GB nobody will miss; nor what was built in it.
drop_old_trees() {
    local old builds
    while IFS= read -r old; do
        say "removing a tree that was last used over two weeks ago: ${old%/.last-used}"
        rm -rf --one-file-system "${old%/.last-used}"
    done < <(find "$1" -mindepth 2 -maxdepth 2 -name .last-used -mtime +14)
    for builds in "$FB_CACHE"/builds/*-????????????????; do
        if [[ -d $builds && ! -d $1/${builds##*-} ]]; then rm -rf --one-file-system "$builds"; fi
    done
}

tree_progress() {
    local log=$1 temp=$2 all unpacked ready
    # The essential packages and the others come in two goes, each with its number.
    all=$(sed -n 's/.* \([0-9]*\) newly installed.*/\1/p' "$log" | paste -sd+)
    unpacked=$(grep -c '^Unpacking ' "$log" || true)
    ready=$(grep -c '^Setting up ' "$log" || true)
    printf '%s; %d packages unpacked, %d set up, of %s; %s MB' \
        "$(grep -E '^(I: [a-z]|make-tree: )' "$log" | tail -n 1 | cut -d' ' -f2- | cut -c1-50)" \
        "$unpacked" "$ready" "$((all))" "$(du -sm "$temp" | cut -f1)"
}
