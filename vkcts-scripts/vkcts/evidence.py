"""What a process's stderr shows about the layer: whether it was there, and what it did.

Two speak there. The Vulkan loader (VK_LOADER_DEBUG=layer) says which layers it puts into an instance and a
device; the layer says what it chose for a device, and what it did when the device ends. A crash loses the
latter, so a process that crashed need not have it.
"""

import re

LAYER = "VK_LAYER_FENCEBRIDGE"
# "[Vulkan Loader] INFO | LAYER:   ..."; before 1.3.25x without the bracket.
LOADER_LINE = re.compile(r"^(\[Vulkan Loader\] |((ERROR|WARNING|INFO|DEBUG|PERF|DRIVER) \| )*(LAYER|DRIVER): )")
LAYER_LINE = re.compile(r"^fencebridge: (error|warning|info|debug): ")
COUNTERS = re.compile(r"^fencebridge: info: .*: (releases \d+ .*)$")
COUNTER = re.compile(r"([a-z][A-Za-z ]*?) (\d+)")
CHOICE = re.compile(r"^fencebridge: info: (.*) \[.*\]: policy ")
MOST_LINES = 200

COUNTS = ("loader_lines", "instances", "instances_with_layer", "devices", "devices_with_layer", "libraries_loaded",
          "choices", "counter_lines")


def empty():
    """Evidence of nothing: the neutral element of add()."""
    return {**{name: 0 for name in COUNTS}, "counters": {}, "lines": {}}


def read_evidence(lines):
    """(evidence, lines worth keeping) of stderr's lines.

    evidence: COUNTS; `counters`, the sum over all devices; `lines`, how often the layer said each other line.
    Kept is all that the loader did not say, and what it said about the layer.
    """
    evidence = empty()
    kept = []
    for line in lines:
        line = line.rstrip("\n")
        if LOADER_LINE.match(line):
            evidence["loader_lines"] += 1
            if _loader_said(evidence, line):
                kept.append(line)
            continue
        kept.append(line)
        if LAYER_LINE.match(line):
            _layer_said(evidence, line)
    return evidence, kept


def _loader_said(evidence, line):
    ours = LAYER in line
    if "vkCreateInstance layer callstack" in line:
        evidence["instances"] += 1
    elif "vkCreateDevice layer callstack" in line:
        evidence["devices"] += 1
    elif ours and "Insert instance layer" in line:
        evidence["instances_with_layer"] += 1
    elif ours and "Inserted device layer" in line:
        evidence["devices_with_layer"] += 1
    elif "FENCEBRIDGE" in line and re.search(r": +Loading layer library", line):
        evidence["libraries_loaded"] += 1
    else:
        return False
    return True


def _layer_said(evidence, line):
    if found := COUNTERS.match(line):
        evidence["counter_lines"] += 1
        for name, value in COUNTER.findall(found.group(1)):
            evidence["counters"][name] = evidence["counters"].get(name, 0) + int(value)
        return
    if CHOICE.match(line):
        evidence["choices"] += 1
    if line in evidence["lines"] or len(evidence["lines"]) < MOST_LINES:
        evidence["lines"][line] = evidence["lines"].get(line, 0) + 1


def add(first, second):
    """The evidence of both."""
    total = {name: first[name] + second[name] for name in COUNTS}
    for part in ("counters", "lines"):
        total[part] = dict(first[part])
        for name, value in second[part].items():
            total[part][name] = total[part].get(name, 0) + value
    return total


def hand_offs(evidence):
    """How many releases and acquires the layer saw."""
    return evidence["counters"].get("releases", 0) + evidence["counters"].get("acquires", 0)


def problem(evidence, side, ended):
    """Why a process says nothing about its side ("off" or "on"), in one line; or None.

    ended: it ran to its end by itself. The layer need not be in every instance (a case may ask for a version of
    the API that the loader then keeps layers out of), but in some of them.
    """
    if side == "off":
        return _problem_of_off(evidence, ended)
    if evidence["instances"] and not evidence["instances_with_layer"]:
        return "the layer was not loaded: the loader put it into no instance"
    if evidence["devices"] and not evidence["devices_with_layer"]:
        return "the layer was not loaded: the loader put it into no device"
    if not ended:
        return None
    if not evidence["instances"]:
        return "the Vulkan loader said nothing: it is not known whether the layer was loaded"
    if evidence["devices"] and not (evidence["choices"] or evidence["counter_lines"]):
        return ("the layer was loaded, and said nothing: no device of this driver gave it anything to do, or its log "
                "was silenced")
    return None


def _problem_of_off(evidence, ended):
    if (evidence["instances_with_layer"] or evidence["devices_with_layer"] or evidence["libraries_loaded"]
            or evidence["choices"] or evidence["counter_lines"] or evidence["lines"]):
        return "the layer was loaded, though it was to be off"
    if ended and not evidence["instances"]:
        return "the Vulkan loader said nothing: it is not known whether the layer was off"
    return None
