"""Programs that we start: each in a process group of its own, which dies with us, however we die."""

import ctypes
import os
import signal
import subprocess

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def die_with(parent):
    """For a new child: the kernel kills it when `parent`, its parent, is gone."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def start(command, *, environment, stdout, stderr, folder=None, pass_fds=()):
    """Starts a program without standard input. OSError where it cannot be started."""
    parent = os.getpid()
    # One thread is all that we have, so code between fork and exec meets no lock that another holds.
    return subprocess.Popen(command, env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=stdout,
                            stderr=stderr, start_new_session=True, pass_fds=pass_fds,
                            preexec_fn=lambda: die_with(parent))


def kill_group(process):
    """Ends the program and what it has started, and collects it."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def stop(process, patience=5.0):
    """Asks the program to end, waits `patience` seconds, then kills it."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            pass
    kill_group(process)


def how_it_ended(status):
    """Popen's return code in words."""
    if status < 0:
        try:
            return f"killed by {signal.Signals(-status).name}"
        except ValueError:
            return f"killed by signal {-status}"
    return f"exit status {status}"
