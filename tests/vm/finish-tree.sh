#!/bin/bash
# finish-tree.sh DIR ARCHIVE: what the bench needs in a fresh tree beside packages: mount points, the
# guest's kernel and initramfs, and Debian 12's Vulkan loader. Its text is part of the tree's cache key.
set -euo pipefail

dir=$1 archive=$2
here=$(dirname "$(realpath "$0")")
version=$(basename "$(echo "$dir"/lib/modules/*)")

fail() {
    echo "make-tree: $*"
    exit 1
}

# An emulated CPU takes seconds to unpack a kernel. QEMU starts an unpacked one directly (PVH), so it is
# taken out of the packed image here: the image holds it as one zstd stream.
unpack_kernel() {
    local packed=$dir/boot/vmlinuz-$version unpacked=$dir/boot/fencebridge-kernel offset
    offset=$(LC_ALL=C grep -obUaP --max-count=1 '\x28\xb5\x2f\xfd' "$packed" | head -n 1 | cut -d: -f1) || true
    [[ -n $offset ]] || fail "no zstd stream in $packed"
    # What follows the stream in the image is not zstd: the complaint about it is expected.
    tail -c "+$((offset + 1))" "$packed" | chroot "$dir" zstd -dcf 2>/dev/null >"$unpacked" || true
    chroot "$dir" readelf --file-header --notes /boot/fencebridge-kernel >/dev/null || fail "the unpacked kernel is no ELF file"
}

# The initramfs: busybox, and unpacked modules for the 9p root and the displays. The displays' are here too
# because the guest loads them from memory in a tenth of the time it takes through modprobe and 9p.
make_initramfs() {
    local stage=$dir/tmp/initramfs module path name
    rm -rf "$stage"
    mkdir -p "$stage"/{bin,dev,proc,sys,lower,upper,root,modules/root,modules/display}
    cp "$dir/bin/busybox" "$stage/bin/busybox"
    cp "$here/initramfs-init.sh" "$stage/init"
    chmod +x "$stage/init"
    stage_modules root 9pnet_virtio 9p overlay
    stage_modules display virtio_gpu vgem bochs
    chroot "$dir" sh -ec 'cd /tmp/initramfs && find . | cpio --quiet -o -H newc >/boot/fencebridge-initramfs'
    rm -rf "$stage"
}

stage_modules() {
    local group=$1 path name
    shift
    for module in "$@"; do
        chroot "$dir" modprobe --set-version "$version" --show-depends "$module"
    done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | while IFS= read -r path; do
        name=$(basename "$path" .xz)
        [[ ! -e $dir/tmp/initramfs/modules/root/$name ]] || continue
        xz -dc "$dir$path" >"$dir/tmp/initramfs/modules/$group/$name"
        echo "$name" >>"$dir/tmp/initramfs/modules/$group/order"
    done
}

# Debian 12's loader, unpacked beside the installed one: tests of the layer's switches run with both
# (LD_LIBRARY_PATH). apt gets a state of its own, or it would mix the suites.
add_bookworm_loader() {
    local stage=$dir/tmp/loader
    mkdir -p "$stage"/{state/lists/partial,cache/archives/partial} "$dir/opt/loaders/bookworm"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $archive bookworm main" >"$stage/sources.list"
    cp -L /etc/resolv.conf "$dir/etc/resolv.conf"
    # shellcheck disable=SC2016 # the chroot's bash is to expand it
    chroot "$dir" bash -euo pipefail -c '
        cd /tmp/loader
        apt=(-q -o Dir::State=/tmp/loader/state -o Dir::State::status=/dev/null -o Dir::Cache=/tmp/loader/cache
            -o Dir::Etc::SourceList=/tmp/loader/sources.list -o Dir::Etc::SourceParts=/dev/null
            -o APT::Sandbox::User=root)
        apt-get "${apt[@]}" update
        apt-get "${apt[@]}" download libvulkan1
        dpkg-deb --extract libvulkan1_*.deb /opt/loaders/bookworm'
    rm -rf "$stage"
    [[ -e $dir/opt/loaders/bookworm/usr/lib/x86_64-linux-gnu/libvulkan.so.1 ]] || fail "Debian 12's loader did not arrive"
}

mkdir -p "$dir"/{src,build,job,ccache}
unpack_kernel
make_initramfs
add_bookworm_loader
echo "make-tree: done"
