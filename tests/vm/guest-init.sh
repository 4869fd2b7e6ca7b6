#!/bin/sh
# The guest's init, after the initramfs: the rest of the mounts, the graphics modules, then the command
# in /job/command. The exit code goes back as a file, and the guest leaves through QEMU's debug-exit
# port: an ordinary poweroff was seen to hang for minutes after KMS use on virtio-gpu.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp LANG=C.UTF-8
mount -t sysfs sys /sys
mkdir -p /dev/pts /dev/shm
mount -t devpts -o mode=620,ptmxmode=666 devpts /dev/pts
mount -t tmpfs -o mode=1777 shm /dev/shm
mount -t tmpfs -o mode=1777 tmp /tmp
mount -t tmpfs -o mode=755 run /run
ln -sf /proc/self/fd /dev/fd
mkdir -p /run/user
chmod 700 /run/user
export XDG_RUNTIME_DIR=/run/user
ip link set lo up
hostname fencebridge

say() {
    echo "fencebridge: $*" >/dev/kmsg
    echo "$*" >>/job/guest.log
}

for module in virtio_gpu vgem bochs udmabuf; do
    modprobe "$module" || say "no module $module"
done
for card in /sys/class/drm/card[0-9] /sys/class/drm/renderD*; do
    [ -e "$card" ] || continue
    driver=$(basename "$(readlink "$card/device/driver")")
    say "/dev/dri/$(basename "$card") is ${driver:-vgem}"
done
[ -e /dev/udmabuf ] || say "no /dev/udmabuf"
say "up after $(cut -d' ' -f1 /proc/uptime) s"

: >/job/started
if [ -e /job/shell ]; then
    . /job/shell
    setsid --ctty --wait bash /job/command </dev/hvc0 >/dev/hvc0 2>&1
else
    setsid --wait bash /job/command </dev/null >>/job/stdout 2>>/job/stderr
fi
status=$?
sync
echo "$status" >/job/exit-code.new
mv /job/exit-code.new /job/exit-code

printf '\0' | dd of=/dev/port bs=1 seek=244 2>/dev/null
echo o >/proc/sysrq-trigger
sleep 60
