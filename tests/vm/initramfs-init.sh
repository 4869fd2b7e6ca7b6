#!/bin/busybox sh
# The guest's first process, from the initramfs that lies in the tree: mounts the tree (9p, read-only,
# with a tmpfs over it) and goes on with guest-init.sh from the checkout. It does no more than that,
# because a change here means a new tree, while guest-init.sh may change with every commit.
B=/bin/busybox
$B mount -t devtmpfs dev /dev
$B mount -t proc proc /proc
for module in $($B cat /modules/order); do
    $B insmod "/modules/$module" || echo "fencebridge: cannot load $module"
done
$B mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,cache=loose,ro root /lower &&
    $B mount -t tmpfs -o size=75% upper /upper &&
    $B mkdir /upper/data /upper/work &&
    $B mount -t overlay -o lowerdir=/lower,upperdir=/upper/data,workdir=/upper/work root /root &&
    $B mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,cache=none job /root/job ||
    echo "fencebridge: cannot mount the tree"
$B mount --move /dev /root/dev
$B mount --move /proc /root/proc
exec $B switch_root /root /bin/sh /src/tests/vm/guest-init.sh
