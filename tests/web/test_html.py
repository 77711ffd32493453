"""What goes into a page: one file, one policy, scripts that are good JavaScript."""

import base64
import gzip
import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from stepconv.export import stepped_page
from stepconv.web import html, network, record

PAGE = Path(html.__file__).parent / "page"
SCRIPTS = sorted(path.name for path in PAGE.glob("*.mjs"))
BUNDLES = {
    "page": network._SCRIPTS,
    "worker": network._WORKER,
    "record": record._SCRIPTS,
    "stepped": stepped_page._SCRIPTS,
}
NODE, TYPES = shutil.which("node"), shutil.which("tsc")


def made(**more: object) -> str:
    parts = {"some": b"bytes" * 100}
    told = {"text": "</script> & ü"}
    return html.page(
        "A <title>", "network.html", styles=["common.css"], scripts=["parts.mjs"], told=told,
        parts=parts, worker=["engine.mjs"],
    )  # fmt: skip


def test_the_policy_names_the_scripts_and_styles_that_are_there() -> None:
    page = made()
    [policy] = re.findall(r'Content-Security-Policy" content="(.*?)">', page)
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    assert "'unsafe-eval'" not in policy
    for tag in ("style>", 'script type="module">'):
        content = page.partition(f"<{tag}")[2].partition(f"</{tag.partition(' ')[0].strip('>')}>")[
            0
        ]
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy


def test_nothing_in_a_page_names_an_address() -> None:
    scripts = "".join(path.read_text("utf-8") for path in PAGE.iterdir())
    assert not re.findall(r"https?://|//[a-z]+\.|\bfetch\(|XMLHttp|import\(|@import|url\(", scripts)


def test_data_does_not_end_its_element() -> None:
    page = made()
    [told] = re.findall(r'<script id="told" type="application/json">(.*?)</script>', page)
    assert json.loads(told) == {"text": "</script> & ü"}
    assert "A &lt;title&gt;" in page


def test_parts_are_packed_alike_every_time() -> None:
    content = b"bytes" * 100
    assert html.packed(content) == html.packed(content)
    assert gzip.decompress(base64.b64decode(html.packed(content))) == content


def test_every_script_is_in_the_page_of_a_network() -> None:
    assert {*network._SCRIPTS, *network._WORKER} <= {*SCRIPTS}


def test_what_one_script_takes_stands_before_it() -> None:
    for bundle in BUNDLES.values():
        seen: set[str] = set()
        for name in bundle:
            taken = re.findall(r'from "\./(.*?)"', html.text(name))
            assert {*taken} <= seen, f"{name} takes {taken}"
            seen.add(name)


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_opens_with_a_sentence(name: str) -> None:
    comment = re.match(r"(?:/\*\*[\s*]*|// )(.*?)(?: \*/)?\n", html.text(name))
    assert comment
    assert len(comment[1].split()) >= 4
    assert max(map(len, html.text(name).splitlines())) <= 100


def test_the_engine_is_short() -> None:
    lines = html.text("engine.mjs").partition("export async")[2].splitlines()
    assert len(lines) <= 65


@pytest.mark.skipif(NODE is None, reason="there is no node")
def test_scripts_are_good_javascript(tmp_path: Path) -> None:
    for name, scripts in BUNDLES.items():
        file = tmp_path / f"{name}.mjs"
        file.write_text(html.bundle(scripts), "utf-8")
        done = subprocess.run([NODE, "--check", file], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


@pytest.mark.skipif(TYPES is None, reason="there is no TypeScript")
def test_scripts_have_right_types() -> None:
    command = [TYPES, "--allowJs", "--checkJs", "--noEmit", "--strict", "false"]
    command += ["--target", "es2022", "--module", "es2022", "--moduleResolution", "bundler"]
    command += [
        "--lib",
        "es2022,dom,dom.iterable",
        *(PAGE / name for name in {*network._SCRIPTS, *network._WORKER}),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
