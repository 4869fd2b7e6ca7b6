"""A comparison for people, for spreadsheets and for CI."""

import collections
import csv
import io
import xml.etree.ElementTree as ElementTree

from .comparison import (CHANGED, CLASSES, EXPECTED, FIX, FLAKE, GAINED, INTERMITTENT, LOST, REGRESSION, REGRESSIONS,
                         SAME)
from .verdicts import BAD, GOOD, UNSUPPORTED, kind_of

TITLES = {
    REGRESSION: "regressions",
    INTERMITTENT: "now and then bad, which it never was before (regressions)",
    LOST: "support that is lost (regressions)",
    FIX: "fixes",
    GAINED: "gained support",
    FLAKE: "flakes",
    CHANGED: "other changes",
    EXPECTED: "expected failures",
}


def label(about):
    """How a result is called beside another: the layer's side, and what sets it apart."""
    settings = {name.removeprefix("VK_FENCEBRIDGE_").lower(): value for name, value in about["settings"].items()
                if name != "VK_FENCEBRIDGE_LOG_LEVEL"}
    words = [f"{name}={value}" for name, value in settings.items()] if about["side"] == "on" else []
    if about["side"] == "on" and about.get("layer_sha256"):
        words.append(f"(build {about['layer_sha256'][:12]})")
    return " ".join([f"layer {about['side']}", *words])


def history(verdicts):
    """A case's verdicts on one side: the run's, and those of its repetitions where there are any."""
    if len(verdicts) == 1:
        return verdicts[0]
    counted = collections.Counter(verdicts)
    return " ".join(f"{status}x{count}" for status, count in counted.most_common())


def driver_text(driver):
    ids = f"{driver.get('vendorID', '?')}:{driver.get('deviceID', '?')}"
    version = f", driver version {driver['driverVersion']}" if "driverVersion" in driver else ""
    return f"{driver.get('deviceName', 'unknown device')} ({ids}{version})"


def summary(comparison):
    """The whole comparison as text."""
    lines = [f"device   {driver_text(comparison.second['driver'])}",
             f"deqp-vk  {comparison.second['deqp_vk']['sha256'][:16]}, "
             f"CTS {comparison.second['driver'].get('releaseName', 'unknown')}",
             f"first    {label(comparison.first)}", f"second   {label(comparison.second)}", ""]
    lines += _table(comparison) + [""]
    for verdict in CLASSES:
        rows = [] if verdict == SAME else comparison.of(verdict)
        if rows:
            lines.append(f"{TITLES[verdict]}: {len(rows)}")
            lines += [f"  {row.case}: {history(row.first)} -> {history(row.second)}"
                      + (f": {row.detail}" if row.detail and verdict in REGRESSIONS else "") for row in rows]
    lines += _counters(comparison)
    for title, reasons in (("proves nothing on this driver", comparison.proves_nothing),
                           ("left out", comparison.left_out)):
        if reasons:
            lines.append(f"{title}: {len(reasons)}")
            lines += [f"  {group}: {why}" for group, why in reasons.items()]
    if comparison.improved:
        lines.append(f"expected to fail, and do not: {len(comparison.improved)}")
        lines += [f"  {case}" for case in comparison.improved]
    if comparison.only_in_part:
        lines.append(f"not compared, in one of the two results only: {comparison.only_in_part}")
    lines += ["", verdict_line(comparison)]
    return "\n".join(lines) + "\n"


def verdict_line(comparison):
    """The last line: what it comes to."""
    counted = collections.Counter(row.verdict for row in comparison.rows)
    regressions = sum(counted[verdict] for verdict in REGRESSIONS)
    return (f"{len(comparison.rows)} cases: {regressions} regressions, {counted[FIX] + counted[GAINED]} fixes, "
            f"{counted[FLAKE]} flakes, {counted[CHANGED]} other changes, {counted[EXPECTED]} expected failures, "
            f"{counted[SAME]} as before")


def _counters(comparison):
    """What the layer did in the groups in which it did something."""
    active = {group: counters for group, counters in comparison.counters.items() if any(counters.values())}
    if not active:
        return []
    return ["the layer's counters:", *(
        f"  {group}: " + ", ".join(f"{name} {value}" for name, value in counters.items() if value)
        for group, counters in active.items())]


def _table(comparison):
    rows = [("group", "cases", "good", "unsupported", "bad", "good", "unsupported", "bad", "hand-offs",
             "regressions")]
    for group in comparison.second["case_lists"]:
        own = [row for row in comparison.rows if row.group == group]
        cells = [group, str(len(own))]
        for side in ("first", "second"):
            kinds = collections.Counter(kind_of(getattr(row, side)[0]) for row in own)
            cells += [str(kinds[kind]) for kind in (GOOD, UNSUPPORTED, BAD)]
        cells.append(str(comparison.hand_offs.get(group, 0)) if comparison.second["side"] == "on" else "-")
        cells.append(str(sum(row.verdict in REGRESSIONS for row in own)))
        rows.append(cells)
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [f"{row[0]:<{widths[0]}}  " + "  ".join(f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:]))
            for row in rows]


def as_csv(comparison):
    """One line a case."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["group", "case", "first", "second", "first_all", "second_all", "verdict", "detail"])
    for row in comparison.rows:
        writer.writerow([row.group, row.case, row.first[0], row.second[0], " ".join(row.first), " ".join(row.second),
                         row.verdict, row.detail])
    return text.getvalue()


def _printable(text):
    """Without what XML 1.0 cannot hold."""
    return "".join(c if c in "\t\n" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff" else "?"
                   for c in text)


def as_junit(comparison):
    """A suite a group. Regressions are failures; what neither side supports is skipped; the rest passes."""
    root = ElementTree.Element("testsuites", name="vkcts")
    for group in comparison.second["case_lists"]:
        own = [row for row in comparison.rows if row.group == group]
        skipped = [row for row in own if {kind_of(status) for status in row.first + row.second} == {UNSUPPORTED}]
        failed = [row for row in own if row.verdict in REGRESSIONS]
        suite = ElementTree.SubElement(root, "testsuite", name=group, tests=str(len(own)), failures=str(len(failed)),
                                       skipped=str(len(skipped)), errors="0")
        properties = ElementTree.SubElement(suite, "properties")
        for name, value in comparison.counters.get(group, {}).items():
            ElementTree.SubElement(properties, "property", name=f"layer: {name}", value=str(value))
        if group in comparison.proves_nothing:
            ElementTree.SubElement(properties, "property", name="proves nothing",
                                   value=comparison.proves_nothing[group])
        for row in own:
            case = ElementTree.SubElement(suite, "testcase", classname=group, name=row.case)
            said = f"{history(row.first)} -> {history(row.second)}"
            if row.verdict in REGRESSIONS:
                failure = ElementTree.SubElement(case, "failure", message=f"{row.verdict}: {said}")
                failure.text = _printable(row.detail)
            elif {kind_of(status) for status in row.first + row.second} == {UNSUPPORTED}:
                ElementTree.SubElement(case, "skipped", message=_printable(row.detail))
            elif row.verdict != SAME:
                ElementTree.SubElement(case, "system-out").text = f"{row.verdict}: {said}"
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"
