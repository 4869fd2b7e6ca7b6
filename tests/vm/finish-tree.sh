#!/bin/bash
# finish-tree.sh DIR ARCHIVE: what the bench needs in a fresh tree beside packages: mount points, the
# guest's initramfs, and Debian 12's Vulkan loader. Its text is part of the tree's cache key.
set -euo pipefail

dir=$1 archive=$2
here=$(dirname "$(realpath "$0")")

mkdir -p "$dir"/{src,build,job}

# The initramfs: busybox and the modules that mounting a 9p root takes, unpacked and uncompressed,
# because an emulated CPU is slow at both.
stage=$dir/tmp/initramfs
rm -rf "$stage"
mkdir -p "$stage"/{bin,dev,proc,modules,lower,upper,root}
cp "$dir/bin/busybox" "$stage/bin/busybox"
cp "$here/initramfs-init.sh" "$stage/init"
chmod +x "$stage/init"
version=$(basename "$(echo "$dir"/lib/modules/*)")
for module in 9pnet_virtio 9p overlay; do
    chroot "$dir" modprobe --set-version "$version" --show-depends "$module"
done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | while IFS= read -r path; do
    name=$(basename "$path" .xz)
    xz -dc "$dir$path" >"$stage/modules/$name"
    echo "$name" >>"$stage/modules/order"
done
chroot "$dir" sh -ec 'cd /tmp/initramfs && find . | cpio --quiet -o -H newc >/boot/fencebridge-initramfs'
rm -rf "$stage"
ln -sf "vmlinuz-$version" "$dir/boot/fencebridge-kernel"

# Debian 12's loader, unpacked beside the installed one: tests of the layer's switches run with both
# (LD_LIBRARY_PATH). apt gets a state of its own, or it would mix the suites.
loader=$dir/tmp/loader
mkdir -p "$loader"/{state/lists/partial,cache/archives/partial} "$dir/opt/loaders/bookworm"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $archive bookworm main" >"$loader/sources.list"
cp -L /etc/resolv.conf "$dir/etc/resolv.conf"
chroot "$dir" bash -euo pipefail -c '
    cd /tmp/loader
    apt=(-q -o Dir::State=/tmp/loader/state -o Dir::State::status=/dev/null -o Dir::Cache=/tmp/loader/cache
        -o Dir::Etc::SourceList=/tmp/loader/sources.list -o Dir::Etc::SourceParts=/dev/null
        -o APT::Sandbox::User=root)
    apt-get "${apt[@]}" update
    apt-get "${apt[@]}" download libvulkan1
    dpkg-deb --extract libvulkan1_*.deb /opt/loaders/bookworm
'
rm -rf "$loader"
[[ -e $dir/opt/loaders/bookworm/usr/lib/x86_64-linux-gnu/libvulkan.so.1 ]] || {
    echo "make-tree: Debian 12's loader did not arrive"
    exit 1
}
