"""Lists of case names: the mustpass, or deqp-vk's own list, and what of it a run takes."""

import hashlib
import os
import pathlib
import re
import subprocess
import tempfile

from .errors import InputError, RunError

MUSTPASS_ROOT = "vk-default.txt"
CASE = re.compile(r"dEQP-VK(\.[A-Za-z0-9_-]+)+")
LIST_PATIENCE = 600


def load_mustpass(path):
    """The cases of a mustpass, in its order: a folder with vk-default.txt, that file, or a list of cases.

    vk-default.txt names further files, relative to itself. InputError where a file is missing or is no list.
    """
    path = pathlib.Path(path)
    if path.is_dir():
        inside = [path / MUSTPASS_ROOT, path / "main" / MUSTPASS_ROOT,
                  path / "external/vulkancts/mustpass/main" / MUSTPASS_ROOT]
        path = next((file for file in inside if file.is_file()), None) or _give_up(
            f"no {MUSTPASS_ROOT} in {path}: --mustpass is the folder that has it")
    cases = list(dict.fromkeys(_lines_of(path)))
    return cases or _give_up(f"no cases in {path}")


def _give_up(text):
    raise InputError(text)


def _lines_of(path, within=()):
    if path in within:
        raise InputError(f"the case list {path} names itself")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read the case list {path}: {getattr(error, 'strerror', None) or error}") from error
    for number, line in enumerate(text.splitlines(), 1):
        line = line.split("#")[0].strip()
        if not line:
            continue
        if line.endswith(".txt"):
            yield from _lines_of(path.parent / line, (*within, path))
        elif CASE.fullmatch(line):
            yield line
        else:
            raise InputError(f"{path}:{number}: neither a case nor a file of cases: {line[:80]}")


def ask_deqp_vk(command, environment):
    """Every case that the binary has, by --deqp-runmode=txt-caselist. command: the binary and its own options.

    RunError where it writes no list.
    """
    binary = pathlib.Path(command[0])
    with tempfile.TemporaryDirectory(prefix="vkcts-cases-") as folder:
        command = [*command, "--deqp-runmode=txt-caselist",
                   f"--deqp-caselist-export-file={folder}/${{packageName}}-cases.${{typeExtension}}",
                   f"--deqp-archive-dir={binary.parent}", f"--deqp-log-filename={folder}/list.qpa"]
        try:
            # In a folder of its own: where the option is not known, the list is written there.
            done = subprocess.run(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, check=False,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIST_PATIENCE)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise RunError(f"{binary} does not list its cases: {error}") from error
        lists = sorted(pathlib.Path(folder).glob("*.txt"))
        cases = [line.removeprefix("TEST:").strip() for file in lists
                 for line in file.read_text(errors="replace").splitlines() if line.startswith("TEST:")]
    cases = [case for case in cases if CASE.fullmatch(case)]
    if not cases:
        last = done.stdout.decode(errors="replace").strip().splitlines()[-1:] or ["nothing"]
        raise RunError(f"{binary} lists no cases (exit status {done.returncode}); it said: {last[0]}")
    return list(dict.fromkeys(cases))


def parse_fraction(text):
    """(index, count) of `I,N`: every Nth case from the Ith on, counted from 0."""
    found = re.fullmatch(r"(\d+),(\d+)", text)
    if not found or int(found.group(1)) >= int(found.group(2)):
        raise InputError(f"--fraction is I,N with I from 0 to N-1, not '{text}'")
    return int(found.group(1)), int(found.group(2))


def cases_of_group(group, cases, fraction, skips):
    """The group's cases, in their order. skips: compiled patterns of cases that are not to run.

    The fraction is taken here and not by deqp-vk: its own counts what one process is given, and here a crash
    gives the rest to another process.
    """
    own = [case for case in cases if group.has(case) and not any(skip.search(case) for skip in skips)]
    index, count = fraction
    return own[index::count]


def fingerprint(cases):
    """A hash of the list: the same cases in the same order."""
    return hashlib.sha256("".join(case + "\n" for case in cases).encode()).hexdigest()


def file_sha256(path):
    """The hash of a file's content. InputError where it cannot be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"cannot read {os.fspath(path)}: {error.strerror}") from error
