#!/bin/busybox sh
# shellcheck shell=dash
# The guest's first process, from the initramfs that lies in the tree: mounts the tree (9p, read-only,
# with a tmpfs over it), loads the displays' modules and goes on with guest-init.sh from the checkout. It
# does no more than that, because a change here means a new tree, while guest-init.sh may change
# with every commit.
B=/bin/busybox
$B mount -t devtmpfs dev /dev
$B mount -t proc proc /proc
$B mount -t sysfs sys /sys

load() {
    while read -r module; do
        # A console on the displays would take them before a test can, and costs half a second.
        case $module in drm_client_lib.ko) parameters=active=none ;; *) parameters= ;; esac
        $B insmod "/modules/$1/$module" $parameters || echo "fencebridge: cannot load $module"
    done <"/modules/$1/order"
}

load root
# Beside the mounts: probing virtio-gpu waits for the host.
load display &
$B mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,cache=loose,ro root /lower &&
    $B mount -t tmpfs -o size=75% upper /upper &&
    $B mkdir /upper/data /upper/work &&
    $B mount -t overlay -o lowerdir=/lower,upperdir=/upper/data,workdir=/upper/work root /root &&
    $B mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,cache=none job /root/job ||
    echo "fencebridge: cannot mount the tree"
wait
$B mount --move /dev /root/dev
$B mount --move /proc /root/proc
$B mount --move /sys /root/sys
exec $B switch_root /root /bin/busybox sh /src/tests/vm/guest-init.sh
