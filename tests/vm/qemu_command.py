"""The guest's machine: QEMU's command line and its environment, and why each part is in it."""

import os
import subprocess

QMP_SOCKET = "/tmp/qmp.sock"
UDMABUF_STAND_IN = "/build/host-udmabuf-stand-in.so"
CAMERA = "/build/host-display-camera.so"
RING_WAKER = "/build/host-ring-waker.so"

# console=: the serial line carries the kernel log and nothing else. panic=-1 with -no-reboot: a panic
# ends QEMU at once. The rest makes an emulated boot quick.
KERNEL_ARGUMENTS = ("console=ttyS0 loglevel=5 panic=-1 oops=panic mitigations=off nokaslr audit=0 "
                    "selinux=0 apparmor=0 nowatchdog random.trust_cpu=on 8250.nr_uarts=1 "
                    "cryptomgr.notests rodata=off init_on_alloc=0")


def clock(accelerator):
    """The guest's clock. The emulated TSC is the host's, the same on each processor: the guest reads it in one
    instruction. Any other clock is a device's register, some three times as slow, and Venus polls its ring by
    the clock. host-tsc.c says why the guest is told its frequency. With KVM there is its own clock."""
    if accelerator == "kvm":
        return "tsc=unstable"
    khz = subprocess.run(["/build/host-tsc"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    return f"tsc=reliable clocksource=tsc tsc_early_khz={khz}"


def share(name, path, more=""):
    """A folder of ours as a 9p share. remap: the root share crosses mounts, whose inodes may collide."""
    return ["-fsdev", f"local,id={name},path={path},security_model=none,multidevs=remap{more}",
            "-device", f"virtio-9p-pci,fsdev={name},mount_tag={name}"]


def qemu_command(shell, accelerator):
    processors = max(2, min(4, os.cpu_count() or 2))
    command = ["qemu-system-x86_64",
               "-accel", "kvm" if accelerator == "kvm" else "tcg,thread=multi,tb-size=512",
               "-cpu", "host" if accelerator == "kvm" else "max,la57=off", "-smp", str(processors), "-m", "4G",
               # Blob resources are pages of the guest's memory: it has to be shareable.
               "-object", "memory-backend-memfd,id=memory,size=4G,share=on",
               "-bios", "/usr/share/qemu/qboot.rom", "-machine", "q35,memory-backend=memory,vmport=off,smm=off,hpet=off",
               "-nodefaults", "-no-user-config", "-no-reboot",
               "-kernel", "/boot/fencebridge-kernel", "-initrd", "/boot/fencebridge-initramfs",
               "-append", f"{KERNEL_ARGUMENTS} {clock(accelerator)}",
               # Of QEMU's displays with GL only SDL does without a render node of the machine's.
               "-display", "sdl,gl=on",
               "-device", "virtio-gpu-gl-pci,id=virtio,blob=on,venus=on,hostmem=4G",
               "-device", "bochs-display,id=bochs",
               "-serial", "file:/job/kernel.log",
               "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
               "-qmp", f"unix:{QMP_SOCKET},server=on,wait=off"]
    command += share("root", "/", ",readonly=on") + share("job", "/job")
    if shell:
        # signal=off: Ctrl-C is the guest's.
        command += ["-chardev", "stdio,id=terminal,signal=off", "-device", "virtio-serial-pci",
                    "-device", "virtconsole,chardev=terminal"]
    return command


def qemu_environment():
    preload = [CAMERA, RING_WAKER]
    if not os.path.exists("/dev/udmabuf"):
        preload.append(UDMABUF_STAND_IN)
    return {"PATH": os.environ["PATH"], "HOME": "/tmp", "XDG_RUNTIME_DIR": "/run",
            "SDL_VIDEODRIVER": "offscreen", "SDL_VIDEO_DRIVER": "offscreen",
            "LIBGL_ALWAYS_SOFTWARE": "1", "LD_PRELOAD": ":".join(preload)}
