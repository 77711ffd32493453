"""One HTML file that holds its scripts, styles and bytes, and allows itself nothing more."""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent / "page"

# Scripts are written as modules, each of which names what it takes from the others. In the page
# they stand behind each other, in one module.
_IMPORT = re.compile(r"^import .*?;\n", re.MULTILINE | re.DOTALL)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const|class|let) )", re.MULTILINE)

_INCLUDED = re.compile(r"<!-- (\w+\.html) -->")


def page(
    title: str,
    body: str,
    *,
    styles: Sequence[str],
    scripts: Sequence[str],
    worker: Sequence[str] = (),
    told: Any = None,
    parts: Mapping[str, bytes] | None = None,
) -> str:
    """Return a page of files in page/: `body` is one of them, styles and scripts are several.

    Where the body names another file, as in <!-- controls.html -->, it is put there.

    The scripts find `told` as JSON in the element "told", each part packed in "part-<name>", and
    what a worker is made of in "worker". The page asks no address for anything.
    """
    style, script = "\n".join(map(text, styles)), bundle(scripts)
    data = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    blocks = [_block("told", "application/json", data)]
    blocks += [_block(f"part-{name}", "text/plain", packed(b)) for name, b in (parts or {}).items()]
    if worker:
        blocks.append(_block("worker", "text/plain", bundle(worker)))
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src '{_digest(script)}' 'wasm-unsafe-eval'",
            f"style-src '{_digest(style)}'",
            "worker-src blob:",
            "img-src data: blob:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    return "\n".join(
        (
            "<!doctype html>",
            '<html lang="en">',
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            f"<title>{html.escape(title)}</title>",
            f"<style>{style}</style>",
            _INCLUDED.sub(lambda found: text(found[1]), text(body)),
            *blocks,
            f'<script type="module">{script}</script>',
            "</html>",
            "",
        )
    )


def text(name: str) -> str:
    """Return a file of the folder page/."""
    return (_FOLDER / name).read_text("utf-8")


def bundle(names: Sequence[str]) -> str:
    """Return scripts as one, in this order."""
    whole = "\n".join(_EXPORT.sub("", _IMPORT.sub("", text(name))) for name in names)
    assert "</script" not in whole, "this would end the element that the script stands in"
    return whole


def packed(content: bytes) -> str:
    """Return bytes as text for a page; the same ones give the same text."""
    return base64.b64encode(gzip.compress(content, 9, mtime=0)).decode()


def _block(name: str, kind: str, content: str) -> str:
    """Return an element that holds data: nothing in it ends it."""
    safe = content.replace("<", "\\u003c") if kind.endswith("json") else content
    return f'<script id="{name}" type="{kind}">{safe}</script>'


def _digest(content: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}"
