"""`stepconv doctor`: what this machine has, to be pasted into a report of trouble."""

from pathlib import Path
from typing import Annotated, Any

import typer

from stepconv.errors import StepconvError

# What is installed in any case, and for the rest the extra that brings it.
CORE = ("numpy", "numba", "llvmlite", "rich", "typer", "textual", "platformdirs")
OPTIONAL = {
    "pillow": "images",
    "numba-cuda": "cuda",
    "onnx": "onnx",
    "onnxruntime": "onnx",
    "distributed": "sweep",
    "pytest": "dev",
    "hypothesis": "dev",
    "scipy": "dev",
    "ruff": "dev",
    "mypy": "dev",
}


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    clear_cache: Annotated[
        bool, typer.Option("--clear-cache", help="First delete the compiled kernels.")
    ] = False,
    data_dir: Annotated[
        Path | None, typer.Option("--data-dir", help="Look for data sets here first.")
    ] = None,
) -> None:
    """Show versions, cores, threads, caches, GPU and data sets.

    Examples:

        stepconv doctor
        stepconv doctor --json
        stepconv doctor --clear-cache
    """
    from stepconv.cli import terminal

    findings = examine(data_dir, clear_cache)
    if as_json:
        terminal.print_json(findings, indent=2)
        return
    console = terminal.stdout()
    for heading, lines in _sections(findings):
        console.print(f"[bold]{heading}[/bold]")
        for label, text in lines:
            console.print(
                terminal.hanging(label, text, 15, console.width), markup=False, soft_wrap=True
            )


def examine(data_dir: Path | None = None, clear_cache: bool = False) -> dict[str, Any]:
    """Collect everything that doctor reports, as plain data."""
    import platform

    import stepconv

    return {
        "stepconv": stepconv.__version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "packages": {name: _version(name) for name in CORE},
        "optional": {
            name: {"version": _version(name), "extra": extra} for name, extra in OPTIONAL.items()
        },
        "processor": _processor(),
        "kernels": _kernels(clear_cache),
        "gpu": stepconv.backends()["cuda"],
        "data": find_data(data_dir),
    }


def find_data(data_dir: Path | None = None) -> dict[str, Any]:
    """Tell for each data set the first folder that holds all its files, and where was looked."""
    from stepconv.train.data import known

    found = {name: known.find(name, data_dir) for name in known.HASHES}
    return {
        "folders": [str(folder) for folder in known.folders(data_dir)],
        "found": {name: str(folder) if folder else None for name, folder in found.items()},
    }


def _version(name: str) -> str | None:
    from importlib import metadata

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _processor() -> dict[str, Any]:
    import os

    from llvmlite import binding

    from stepconv.bench.driver import usable_cores

    features = binding.get_host_cpu_features()
    wide = {"avx512f": 512, "avx": 256}  # without either: SSE2 on x86, NEON on ARM
    return {
        "name": _processor_name(),
        "compiled_for": binding.get_host_cpu_name(),
        "vector_bits": next((bits for name, bits in wide.items() if features.get(name)), 128),
        "cores": os.cpu_count(),
        "usable_cores": usable_cores(),
    }


def _processor_name() -> str:
    import platform

    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    except OSError:
        lines = []  # not Linux
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _kernels(clear_cache: bool) -> dict[str, Any]:
    from stepconv.kernels import environment

    # A Numba that refuses to start is what a doctor is called for: report it and go on.
    try:
        environment.check("cpu")
        from stepconv.kernels import compile as compiling
    except (ImportError, StepconvError) as error:
        return {"trouble": str(error), "threads": None, "cache": None}
    removed = compiling.clear_cache() if clear_cache else None
    return {
        "trouble": None,
        "threads": compiling.threading_status(),
        "cache": {**compiling.cache_status(), "removed": removed},
    }


def _sections(findings: dict[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Turn the findings into headings with lines of (label, text)."""
    processor, data = findings["processor"], findings["data"]
    optional = {
        name: entry["version"] or f"not installed: pip install 'stepconv[{entry['extra']}]'"
        for name, entry in findings["optional"].items()
    }
    missing = f"missing; looked in {' and '.join(data['folders'])}"
    return [
        ("stepconv", [(name, findings[name]) for name in ("stepconv", "python", "system")]),
        ("packages", [(name, found or "missing") for name, found in findings["packages"].items()]),
        ("optional packages", [*optional.items()]),
        (
            "processor",
            [
                ("name", f"{processor['name']}, compiled for as {processor['compiled_for']}"),
                ("cores", f"{processor['cores']}, usable {processor['usable_cores']}"),
                ("vectors", f"{processor['vector_bits']} bits"),
            ],
        ),
        ("kernels", _kernel_lines(findings["kernels"])),
        ("GPU", [("cuda", findings["gpu"])]),
        ("data sets", [(name, folder or missing) for name, folder in data["found"].items()]),
    ]


def _kernel_lines(kernels: dict[str, Any]) -> list[tuple[str, str]]:
    if kernels["trouble"]:
        return [("numba", f"cannot be used: {kernels['trouble']}")]
    threads, cache = kernels["threads"], kernels["cache"]
    size = f"{cache['files']} files, {cache['bytes'] / 1e6:.1f} MB"
    if cache["removed"] is not None:
        size += f"; {cache['removed']} removed just now"
    return [
        ("threading layer", threads["layer"]),
        ("threads", f"{threads['threads']} of {threads['max_threads']}"),
        ("cache", cache["folder"] or "none"),
        ("writable", "yes" if cache["writable"] else f"no: {cache['reason']}"),
        ("size", size),
    ]
