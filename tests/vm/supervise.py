#!/usr/bin/env python3
"""Boots the guest, runs /job/command in it and stands by until it ends. Runs in the tree's chroot.

Everything goes through /job, which the guest writes over 9p: a write there has arrived when the guest's
write() returns, so nothing is lost when the guest leaves in one instruction. This program prints the
output as it comes, photographs displays on request, and ends a guest that takes too long.

Status: the command's own; 124 when the time limit ended it; 125 when the guest died, twice.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import time

from photograph import Photographer
from qemu_command import qemu_command, qemu_environment

JOB = pathlib.Path("/job")
BOOT_LIMIT = 120
HEARTBEAT_LIMIT = 120
KERNEL_LOG_LINES = 60
SHOW_STUCK = pathlib.Path(__file__).with_name("show-stuck.sh")


class Stream:
    """Copies what is appended to a file of the guest's to one of our own descriptors."""

    def __init__(self, path, descriptor):
        path.write_bytes(b"")
        self.file = path.open("rb")
        self.descriptor = descriptor

    def pump(self):
        while data := self.file.read(65536):
            while data:
                data = data[os.write(self.descriptor, data):]


class Heartbeat:
    """What guest-init.sh writes, every two seconds of the guest's time."""

    def __init__(self, now):
        self.last = b""
        self.changed_at = now

    def look(self, now):
        try:
            beat = (JOB / "heartbeat").read_bytes()
        except OSError:
            return
        if beat != self.last:
            self.last = beat
            self.changed_at = now


class HostStacks:
    """What QEMU and its render servers do outside, for a test that does not end: Venus waits for them.

    The guest makes /job/want-host-stacks and finds them in /job/host-stacks.
    """

    def __init__(self, qemu):
        self.qemu = qemu
        self.shower = None

    def serve(self):
        part = JOB / "part-of-host-stacks"
        if self.shower is not None:
            if self.shower.poll() is not None:
                self.shower = None
                part.rename(JOB / "host-stacks")
        elif (JOB / "want-host-stacks").exists():
            (JOB / "want-host-stacks").unlink()
            with part.open("wb") as file:
                self.shower = subprocess.Popen(["bash", SHOW_STUCK, str(self.qemu.pid)], stdin=subprocess.DEVNULL,
                                               stdout=file, stderr=subprocess.DEVNULL)


def say(text):
    print(f"run: {text}", file=sys.stderr, flush=True)


def show_kernel_log():
    log = JOB / "kernel.log"
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    say(f"the last {KERNEL_LOG_LINES} lines of the guest's kernel log:")
    for line in lines[-KERNEL_LOG_LINES:]:
        print("  | " + line, file=sys.stderr)
    sys.stderr.flush()


def run_guest(options, limit_at):
    """One guest from boot to end. Returns the command's status, 124, or None for a guest that died."""
    clear_job()
    streams = [Stream(JOB / "stdout", 1), Stream(JOB / "stderr", 2)]
    booted_at = time.monotonic()
    with (JOB / "qemu.log").open("wb") as log:
        # A shell's terminal is QEMU's own standard input and output; otherwise it has none.
        qemu = subprocess.Popen(qemu_command(options.shell, options.accelerator), env=qemu_environment(),
                                stdin=None if options.shell else subprocess.DEVNULL,
                                stdout=None if options.shell else log, stderr=log)
    photographer = Photographer(JOB)
    heartbeat = Heartbeat(booted_at)
    host_stacks = HostStacks(qemu)
    started = False
    why = None
    try:
        while qemu.poll() is None:
            for stream in streams:
                stream.pump()
            photographer.serve()
            host_stacks.serve()
            now = time.monotonic()
            if not started and (JOB / "started").exists():
                started = True
                if options.verbose:
                    say(f"guest up after {now - booted_at:.1f} s")
            heartbeat.look(now)
            if started and now - heartbeat.changed_at > HEARTBEAT_LIMIT:
                why = f"its clock has stood still for {HEARTBEAT_LIMIT} s"
                break
            if now > limit_at:
                why = "the time limit"
                break
            if not started and now - booted_at > BOOT_LIMIT:
                why = f"not up after {BOOT_LIMIT} s"
                break
            time.sleep(0.03)
    finally:
        if qemu.poll() is None:
            qemu.kill()
        qemu.wait()
        for stream in streams:
            stream.pump()
    if (JOB / "exit-code").exists():
        return int((JOB / "exit-code").read_text())
    if why == "the time limit":
        say(f"the guest was ended at the time limit of {options.timeout} s")
        show_kernel_log()
        return 124
    say(f"the guest died without an exit code ({why or f'QEMU ended with status {qemu.returncode}'})")
    show_kernel_log()
    for line in (JOB / "qemu.log").read_text(errors="replace").splitlines()[-10:]:
        say("qemu: " + line)
    return None


def clear_job():
    for name in ("started", "heartbeat", "exit-code", "kernel.log", "guest.log", "want-host-stacks", "host-stacks"):
        (JOB / name).unlink(missing_ok=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--timeout", type=int, required=True)
    parser.add_argument("--shell", action="store_true", help="a console on the terminal instead of streams")
    parser.add_argument("--accelerator", default="tcg")
    parser.add_argument("--verbose", action="store_true", help="say how long the boot took")
    options = parser.parse_args()
    limit_at = time.monotonic() + options.timeout
    status = run_guest(options, limit_at)
    if status is None:
        say("trying once more, with a new guest")
        options.accelerator = "tcg"
        status = run_guest(options, limit_at)
    return 125 if status is None else status


if __name__ == "__main__":
    sys.exit(main())
