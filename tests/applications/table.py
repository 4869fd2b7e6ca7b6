"""The matrix as a table: what the cases found, row by row, and the page that is made of it."""

import dataclasses
import json


@dataclasses.dataclass
class Row:
    name: str
    what: str
    exits: dict = dataclasses.field(default_factory=dict)      # of each set of layers: without, with
    hand_offs: dict = dataclasses.field(default_factory=dict)  # the layer's counters
    messages: dict = dataclasses.field(default_factory=dict)   # of each place: without, and added by the layer
    picture: tuple = ()                                        # how it was compared, and whether it was the same


def add(folder, driver, row):
    """Keeps a row and writes the table of all rows kept in `folder`."""
    rows_file = folder / f"applications-{driver}.json"
    rows = json.loads(rows_file.read_text()) if rows_file.exists() else {}
    rows[row.name] = dataclasses.asdict(row)
    rows_file.write_text(json.dumps(rows, indent=1) + "\n")
    (folder / f"applications-{driver}.md").write_text(page(rows.values()))


def page(rows):
    lines = ["| application | what it does | exit status off, on, owned | picture | validation off; added below, above "
             "| releases: fenced + done before | acquires |", "|---|---|---|---|---|---|---|"]
    for row in rows:
        lines.append("| " + " | ".join([row["name"], row["what"], exits(row), picture(row), messages(row),
                                        *hand_offs(row)]) + " |")
    return "\n".join(lines) + "\n"


def exits(row):
    on, owned = row["exits"].get("on"), row["exits"].get("owned")
    return ", ".join(str(status) for status in [*(on or ("?", "?")), owned[1] if owned else "?"])


def picture(row):
    if not row["picture"]:
        return "not compared"
    how, same = row["picture"]
    return f"{how}: {'the same' if same else 'DIFFERS'}"


def messages(row):
    if not row["messages"]:
        return "?"
    below, above = (row["messages"].get(place, ("?", "?")) for place in ("validation below", "validation above"))
    return f"{below[0]}; {below[1]}, {above[1]}"


def hand_offs(row):
    counts = row["hand_offs"]
    if not counts:
        return "?", "?"
    return (f"{counts['releases']}: {counts['fences attached']} + {counts['work already done']}",
            str(counts["acquires"]))
