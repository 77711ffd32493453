"""What came of a check, as data, in words, as a snippet to paste and as a page.

- `verdict`: the report itself, plain data;
- `words`: its lines on a terminal;
- `pictures`: arrays drawn side by side, with the wrong number marked;
- `snippet`: Python that makes the call again;
- `data`: the report as JSON has it;
- `page`: the report as HTML.
"""
