"""The groups of the CTS that meet what the layer does, and how a person names them.

Each group runs in processes of its own, so that the layer's counters are those of the group.
"""

import dataclasses
import fnmatch
import re

from .errors import InputError

NO_SESSION = "none"
WAYLAND = "wayland"
X11 = "x11"


@dataclasses.dataclass(frozen=True)
class Group:
    """name: what a person types. patterns: shell patterns of its cases' names. session: what must run beside it."""

    name: str
    patterns: tuple
    session: str = NO_SESSION

    @property
    def slug(self):
        """The name as part of a file's name."""
        return re.sub(r"[^A-Za-z0-9._-]", "_", self.name)

    def has(self, case):
        return any(fnmatch.fnmatchcase(case, pattern) for pattern in self.patterns)


def _group(name, session=NO_SESSION):
    return Group(name, (f"dEQP-VK.{name}.*",), session)


SYNCHRONIZATION_PARTS = ("cross_instance", "signal_order", "timeline_semaphore", "basic")

GROUPS = (
    _group("api.external.fence"),
    _group("api.external.semaphore"),
    _group("api.external.memory"),
    *(_group(f"{generation}.{part}") for generation in ("synchronization", "synchronization2")
      for part in SYNCHRONIZATION_PARTS),
    # What of it is about memory that others see; the rest of dEQP-VK.memory is the driver's alone.
    Group("memory", ("dEQP-VK.memory.external*", "dEQP-VK.memory.*dma_buf*")),
    _group("drm_format_modifiers"),
    _group("wsi.headless"),
    _group("wsi.wayland", WAYLAND),
    _group("wsi.xcb", X11),
    _group("wsi.xlib", X11),
    _group("api.device_init"),
)


def session_for(pattern):
    """The session for a pattern of a person's own."""
    for group in GROUPS:
        if group.session != NO_SESSION and pattern.startswith(f"dEQP-VK.{group.name}"):
            return group.session
    return NO_SESSION


def choose_groups(words):
    """The groups that the words name, in the order of GROUPS: a name, the front of some (`wsi`), or `all`.

    A pattern of case names (`dEQP-VK.api.smoke.*`) is a group of its own. InputError for a word that names none.
    """
    chosen = []
    for word in words:
        if word.startswith("dEQP-VK."):
            pattern = word if any(mark in word for mark in "*?[") else f"{word}*"
            found = [Group(word.removeprefix("dEQP-VK.").rstrip(".*") or "everything", (pattern,),
                           session_for(pattern))]
        else:
            found = [group for group in GROUPS
                     if word == "all" or group.name == word or group.name.startswith(word + ".")]
        if not found:
            names = " ".join(group.name for group in GROUPS)
            raise InputError(f"no such group: {word}; there are: all {names}, or a pattern dEQP-VK.*")
        chosen += [group for group in found if group not in chosen]
    known = [group for group in GROUPS if group in chosen]
    chosen = known + [group for group in chosen if group not in known]
    names = [group.name for group in chosen]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"two groups would be called {name}")
    return chosen
