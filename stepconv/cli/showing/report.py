"""What a network was judged to be worth: a table of who was taken for whom, and what it missed."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from stepconv.train.data import Samples
    from stepconv.train.judge import Score, Verdict

# A table of more classes than these is read by nobody.
MOST_CLASSES = 12
# Pictures shown side by side need so many columns each.
PICTURE_WIDTH = 19
MOST_LISTED = 5


def show(
    console: "Console", verdict: "Verdict", samples: "Samples", classes: "Sequence[str]"
) -> None:
    """Print the table and the worst mistakes; on a screen the pictures as well."""
    from rich.text import Text

    table = verdict.confusion(len(classes))
    lines = confusion(table, classes, console.width) if len(classes) <= MOST_CLASSES else []
    lines = lines or mistakes(table, classes)
    if len(classes) > MOST_CLASSES:
        lines.append(f"among the five likeliest: {verdict.within(5):.2%}")
    for line in [*lines, *weakest(verdict.scores(len(classes)), classes)]:
        console.print(Text(line), soft_wrap=True)
    wrong = verdict.wrong
    if not len(wrong):
        return
    count = min(len(wrong), MOST_LISTED)
    if console.is_terminal:
        count = max(1, min(count, console.width // PICTURE_WIDTH))
    print(f"\n{len(wrong)} of {len(samples)} wrong; where it was surest:")
    captions = {
        f"{classes[verdict.labels[i]]}, told {classes[verdict.told[i]]} #{i}": i
        for i in wrong[:count]
    }
    if console.is_terminal:
        from stepconv.cli.showing import preview

        preview.show(console, {text: samples.pictures[i] for text, i in captions.items()})
        if not samples.names:
            return
    for i in wrong[:count]:
        true, told = classes[verdict.labels[i]], classes[verdict.told[i]]
        print(f"  {samples.name(i)} is {true}, told as {told} ({verdict.sure[i]:.0%} sure)")


def weakest(scores: "Sequence[Score]", classes: "Sequence[str]") -> list[str]:
    """Return which class is missed most often, and which is told most often in error."""
    lines = []
    for what in ("recall", "precision"):
        found = {name: getattr(score, what) for name, score in zip(classes, scores, strict=True)}
        known = {name: value for name, value in found.items() if value is not None}
        if known and (value := min(known.values())) < 1:
            name = min(known, key=lambda name: known[name])
            lines.append(f"lowest {what}: {name}, {value:.1%}")
    return lines


def confusion(table: Any, classes: "Sequence[str]", width: int) -> list[str]:
    """Return the table as lines: a row for each true class; nothing if it is too wide."""
    label = min(10, max(map(len, classes)))
    cell = max(len(str(table.max())), min(4, max(map(len, classes)))) + 1
    if label + cell * len(classes) > width:
        return []
    names = [f"{name[: cell - 1]:>{cell}}" for name in classes]
    lines = ["rows: what it is; columns: what was told", " " * label + "".join(names)]
    for name, row in zip(classes, table.tolist(), strict=True):
        cells = (f"{count or '·':>{cell}}" for count in row)
        lines.append(f"{name[:label]:<{label}}" + "".join(cells))
    return lines


def mistakes(table: Any, classes: "Sequence[str]") -> list[str]:
    """Return the most frequent mistakes, a line each."""
    import numpy as np

    missed = table.copy()
    np.fill_diagonal(missed, 0)
    lines = ["most often taken for something else:"]
    for at in np.argsort(-missed, axis=None, kind="stable")[:MOST_LISTED]:
        true, told = (int(i) for i in np.unravel_index(at, missed.shape))
        if missed[true, told]:
            lines.append(f"  {classes[true]}, told as {classes[told]}: {missed[true, told]} times")
    return lines
