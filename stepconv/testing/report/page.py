"""A report as HTML: a fragment for a notebook, and a page of its own."""

from __future__ import annotations

from html import escape

from stepconv.testing.report.verdict import Report
from stepconv.testing.report.words import lines

_PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>{title}</title>
<body style="font-family: sans-serif; max-width: 60em; margin: 2em auto">
{fragment}
</body>
</html>
"""


def fragment(report: Report, *, answers: bool = True) -> str:
    """Return the report as a piece of a page; whatever a student wrote is text there."""
    first, *others = lines(report, answers=answers)
    colour = "#1b7837" if report.right else "#b35806"
    rest = escape("\n".join(others))
    return (
        f'<div><p style="color: {colour}; font-weight: bold">{escape(first)}</p>'
        f"<pre>{rest}</pre></div>"
    )


def page(report: Report, *, answers: bool = True) -> str:
    """Return the report as a page."""
    title = escape(f"{report.name}: {'right' if report.right else 'wrong'}")
    return _PAGE.format(title=title, fragment=fragment(report, answers=answers))
