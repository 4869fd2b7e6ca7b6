"""Repetitions of the cases that differ, on both sides: what tells a flake from a regression.

Each repetition of a case is a process of its own, so that no case before it plays a part.
"""

import dataclasses

from .comparison import SAME, compare
from .expectations import Expectations
from .own_runner import OwnRunner

MOST_CASES = 500


def run(results, plan, how, rounds, progress):
    """results, how: {side: ...}. Adds the rounds 1 to `rounds` to both results; those that are there stay."""
    first, second = results.values()
    differing = {row.case for row in compare(first, second, Expectations()).rows if row.verdict != SAME}
    # What an earlier call has begun to repeat is repeated to the end.
    differing |= {case for result in results.values() for number in result.rounds() for case in result.cases(number)}
    if not differing:
        return
    if len(differing) > MOST_CASES:
        progress.say(f"{len(differing)} cases differ: too many to run each of them again")
        return
    work = []
    for number in range(1, rounds + 1):
        for group in plan.groups:
            for side, result in results.items():
                known = result.cases(number)
                cases = [case for case in plan.cases[group.name] if case in differing and case not in known]
                if cases:
                    work.append((number, group, side, result, cases))
    progress.total += sum(len(cases) for *_, cases in work)
    for number, group, side, result, cases in work:
        progress.part(f"{group.name}, repetition {number} of {rounds}", side, len(cases))
        with plan.sessions.make(group.session, result.logs) as session:
            one_each = dataclasses.replace(how[side], batch=1)
            OwnRunner(result, side, group, one_each, session, progress, number).run(cases)
