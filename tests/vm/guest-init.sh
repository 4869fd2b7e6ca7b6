#!/bin/busybox sh
# shellcheck shell=dash
# The guest's init, after the initramfs: the rest of the mounts, then the command in /job/command. Its
# exit code goes back as a file, and the guest leaves through QEMU's debug-exit port: an ordinary
# poweroff was seen to hang for minutes after KMS use on virtio-gpu.
#
# busybox for everything: any other program is first read through 9p, and an emulated CPU feels that.
b=/bin/busybox

$b mkdir -p /dev/pts /dev/shm
$b mount -t devpts -o mode=620,ptmxmode=666 devpts /dev/pts
$b mount -t tmpfs -o mode=1777 shm /dev/shm
$b mount -t tmpfs -o mode=1777 tmp /tmp
$b mount -t tmpfs -o mode=755 run /run
$b mkdir -m 700 /run/user
$b ln -s /proc/self/fd /dev/fd
$b ip link set lo up
$b hostname fencebridge

say() {
    echo "fencebridge: $*" >/dev/kmsg
    echo "$*"
}

# A device's driver, off its link's last word; vgem's is the kernel's faux bus.
driver_of() {
    link=$($b readlink "$1/device/driver")
    case ${link##*/} in
    faux_driver | '') echo vgem ;;
    *) echo "${link##*/}" ;;
    esac
}

{
    for card in /sys/class/drm/card[0-9] /sys/class/drm/renderD*; do
        [ -e "$card" ] && say "/dev/dri/${card##*/} is $(driver_of "$card")"
    done
    [ -e /dev/udmabuf ] || say "no /dev/udmabuf"
    read -r seconds _ </proc/uptime
    say "up after $seconds s"
} >/job/guest.log

# An emulated machine was seen to lose a processor's timer: what sleeps there sleeps on until something else
# interrupts that processor. So each processor wakes the next one now and then. The supervisor outside looks at
# what the first one writes: where all of them have stopped, nothing in the guest ever times out, this neither.
processors=$($b nproc)
wake_next() {
    while :; do
        read -r before _ </proc/uptime
        [ "$1" != 0 ] || echo "$before" >/job/heartbeat
        $b taskset -c $((($1 + 1) % processors)) $b true
        $b sleep 2
        read -r after _ </proc/uptime
        [ $((${after%.*} - ${before%.*})) -lt 20 ] ||
            echo "run: the guest's processor $1 slept from its second $before to $after instead of for 2 s" >>/job/stderr
    done
}
processor=0
while [ $processor -lt "$processors" ]; do
    wake_next $processor &
    $b taskset -pc $processor $! >/dev/null
    processor=$((processor + 1))
done
: >/job/started
set -- $b env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp XDG_RUNTIME_DIR=/run/user LANG=C.UTF-8 TERM=linux
if [ -e /job/terminal ]; then
    $b cat /job/terminal /job/command >/tmp/command
    $b setsid -c "$@" bash /tmp/command </dev/hvc0 >/dev/hvc0 2>&1
else
    $b setsid "$@" bash /job/command </dev/null >>/job/stdout 2>>/job/stderr
fi
status=$?
echo "$status" >/job/exit-code.new
$b mv /job/exit-code.new /job/exit-code

$b printf '\0' | $b dd of=/dev/port bs=1 seek=244 2>/dev/null
echo o >/proc/sysrq-trigger
$b sleep 60
