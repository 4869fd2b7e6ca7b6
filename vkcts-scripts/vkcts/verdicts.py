"""deqp-vk's verdicts of a case, and what each is worth.

    good         a conformance run may have it
    unsupported  the driver lacks what the case needs: allowed, and shows nothing
    bad          a conformance run must not have it
    mixed        deqp-runner saw both good and bad
"""

GOOD = "good"
UNSUPPORTED = "unsupported"
BAD = "bad"
MIXED = "mixed"

# Missing: the process ended its session and had not run the case, so the binary does not know it.
KINDS = {
    "Pass": GOOD,
    "QualityWarning": GOOD,
    "CompatibilityWarning": GOOD,
    "Waiver": GOOD,
    "NotSupported": UNSUPPORTED,
    "Fail": BAD,
    "Crash": BAD,
    "Timeout": BAD,
    "InternalError": BAD,
    "ResourceError": BAD,
    "Missing": BAD,
    "Flake": MIXED,
}


def kind_of(status):
    """A verdict that nobody knows is not taken for a good one."""
    return KINDS.get(status, BAD)
