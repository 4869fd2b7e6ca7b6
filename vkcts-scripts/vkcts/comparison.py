"""Two results held against each other, case by case.

A case may have run more than once on a side (round 0 is the run, the others tell flakes). Intermittent is a
regression too: a case that always passes without the layer and now and then fails with it is what a mistake
in synchronisation looks like. A flake is one that has both verdicts in the first result already.
"""

import dataclasses

from . import evidence as evidence_of
from .deqp_process import DIED, TIMED_OUT
from .errors import InputError
from .verdicts import BAD, GOOD, MIXED, UNSUPPORTED, kind_of

SAME = "same"
REGRESSION = "regression"            # good before, always bad now; or unsupported before, bad now
INTERMITTENT = "intermittent"        # good before, in each of its runs; bad in some now
LOST = "lost support"                # good before, unsupported now
FIX = "fix"                          # bad before, good or unsupported now
GAINED = "gained support"            # unsupported before, good now
FLAKE = "flake"                      # both verdicts before, or known as one
CHANGED = "changed"                  # another verdict of the same worth: Fail and Crash, Pass and a warning
EXPECTED = "expected failure"        # the verdict that the expectations have

CLASSES = (REGRESSION, INTERMITTENT, LOST, FIX, GAINED, FLAKE, CHANGED, EXPECTED, SAME)
# What a process's end is worth where no case can be blamed for it.
STATUS_OF_END = {DIED: "Crash", TIMED_OUT: "Timeout"}

REGRESSIONS = (REGRESSION, INTERMITTENT, LOST)


@dataclasses.dataclass
class Row:
    """A case. first, second: its verdicts on either side, the run's first; detail: of the second."""

    group: str
    case: str
    first: list
    second: list
    verdict: str
    detail: str


@dataclasses.dataclass
class Comparison:
    first: dict                # what the results say of themselves: result.json
    second: dict
    rows: list
    hand_offs: dict            # {group: hand-offs seen in the second result}
    counters: dict             # {group: the layer's counters in the second result}
    proves_nothing: dict       # {group: why}
    left_out: dict             # {group: why it did not run}
    improved: list             # cases whose expected failure did not come
    only_in_part: int = 0      # cases that only one of two unfinished results has

    def of(self, *verdicts):
        return [row for row in self.rows if row.verdict in verdicts]

    @property
    def regressions(self):
        return self.of(*REGRESSIONS)


def check_comparable(first, second, partial=False):
    """InputError where the two results say nothing about each other."""
    one, other = first.about, second.about
    if one["deqp_vk"]["sha256"] != other["deqp_vk"]["sha256"]:
        raise InputError(f"two different deqp-vk: {first.folder} and {second.folder} cannot be compared")
    parts = sorted(part for part in {*one["driver"], *other["driver"]}
                   if one["driver"].get(part) != other["driver"].get(part))
    if parts:
        raise InputError("two different drivers: " + "; ".join(
            f"{part} is {one['driver'].get(part)} in {first.folder}, {other['driver'].get(part)} in {second.folder}"
            for part in parts))
    groups = sorted(group for group in {*one["case_lists"], *other["case_lists"]}
                    if one["case_lists"].get(group) != other["case_lists"].get(group))
    if groups:
        raise InputError(f"two different case lists: {', '.join(groups)}")
    for result in (first, second):
        if not result.about["complete"] and not partial:
            raise InputError(f"{result.folder} is not complete: run goes on with it; --partial compares what is there")
        check_evidence(result)


def check_evidence(result):
    """InputError where a result has cases and does not show on which side of the layer they ran."""
    # In a complete result the cases of such a process ran again.
    bad = [] if result.about["complete"] else [one for one in result.processes.values() if one["problem"]]
    if bad:
        raise InputError(f"{result.folder}: {bad[0]['process']}: {bad[0]['problem']}")
    recorded = result.processes
    for record in result.cases().values():
        if record["process"] not in recorded:
            raise InputError(f"{result.folder}: nothing shows whether the layer was {result.about['side']} "
                             f"in {record['process']}")


def compare(first, second, expectations, partial=False):
    """The Comparison of two results. The second's case lists give the order."""
    check_comparable(first, second, partial)
    befores, nows = _verdicts(first), _verdicts(second)
    details = second.cases()
    rows, improved, apart = [], [], 0
    for case, (group, _) in {**befores, **nows}.items():
        if expectations.is_skipped(case):
            continue
        if case not in befores or case not in nows:
            apart += 1
            continue
        before, now = befores[case][1], nows[case][1]
        verdict = classify(before, now)
        if case in expectations.fails and verdict in (*REGRESSIONS, SAME, CHANGED):
            if expectations.fails[case] in now:
                verdict = EXPECTED
        if case in expectations.fails and all(kind_of(status) != BAD for status in now):
            improved.append(case)
        if verdict != SAME and verdict != EXPECTED and expectations.is_flake(case):
            verdict = FLAKE
        rows.append(Row(group, case, before, now, verdict, details[case]["detail"]))
    rows += _ends_of_processes(first, second)
    counters = counters_of(second)
    hand_offs = {group: evidence_of.hand_offs(found) for group, found in counters.items()}
    left_out = {**first.about.get("left_out", {}), **second.about.get("left_out", {})}
    return Comparison(first.about, second.about, rows, hand_offs,
                      {group: found["counters"] for group, found in counters.items()},
                      _proves_nothing(rows, hand_offs, second.about), left_out, improved, apart)


def _ends_of_processes(first, second):
    """A row for each group in which processes died while no case ran: a crash at a device's end is nobody's."""
    ends = []
    for result in (first, second):
        statuses = {}
        for record in result.processes.values():
            if record["blamed"] is None and record["ending"] in STATUS_OF_END and not record["problem"]:
                statuses[record["group"]] = (STATUS_OF_END[record["ending"]], record["detail"])
        ends.append(statuses)
    for group in second.about["case_lists"]:
        if any(group in statuses for statuses in ends):
            (before, _), (now, detail) = (statuses.get(group, ("Pass", "")) for statuses in ends)
            yield Row(group, f"{group} (no case: a process's end)", [before], [now], classify([before], [now]), detail)


def _verdicts(result):
    """{case: (group, [verdict of the run, of its repetitions])}."""
    found = {case: (record["group"], [record["status"]]) for case, record in result.cases().items()}
    for number in result.rounds():
        for case, record in result.cases(number).items():
            if case in found:
                found[case][1].append(record["status"])
    return found


def classify(before, now):
    """One of CLASSES. before, now: a case's verdicts, the run's first."""
    was, is_now = {kind_of(status) for status in before}, {kind_of(status) for status in now}
    if MIXED in was or {GOOD, BAD} <= was:
        return FLAKE
    now_bad, now_good = BAD in is_now or MIXED in is_now, GOOD in is_now or MIXED in is_now
    if was == {GOOD}:
        if now_bad:
            return INTERMITTENT if now_good else REGRESSION
        return LOST if UNSUPPORTED in is_now else _same_or_changed(before, now)
    if was == {BAD}:
        if now_bad:
            return FLAKE if now_good else _same_or_changed(before, now)
        return FIX
    if was == {UNSUPPORTED}:
        if now_bad:
            return INTERMITTENT if now_good else REGRESSION
        return GAINED if now_good else SAME
    return FLAKE


def _same_or_changed(before, now):
    return SAME if set(before) & set(now) else CHANGED


def counters_of(result):
    """{group: evidence of all its processes}, of the run and its repetitions."""
    total = {group: evidence_of.empty() for group in result.about["case_lists"]}
    for record in result.processes.values():
        if record["group"] in total and not record["problem"]:
            total[record["group"]] = evidence_of.add(total[record["group"]], record["evidence"])
    return total


def _proves_nothing(rows, hand_offs, about):
    """{group: why its verdicts say nothing about the layer on this driver}."""
    reasons = {}
    for group, cases in about["case_lists"].items():
        verdicts = [row for row in rows if row.group == group]
        if not cases["cases"]:
            reasons[group] = "it has no case"
        elif verdicts and all(kind_of(status) == UNSUPPORTED for row in verdicts for status in row.first + row.second):
            reasons[group] = f"the driver supports none of its {len(verdicts)} cases"
        elif about["side"] == "on" and not hand_offs.get(group):
            reasons[group] = "the layer saw no hand-off in it"
    return reasons
