"""`stepconv apply` filters files exactly, writes them whole, and refuses in one clear line."""

import io
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

import stepconv
from stepconv import files
from stepconv.cli import main
from stepconv.cli.reading import picture_files
from stepconv.cli.showing import preview as previews
from stepconv.player import render
from stepconv.player.text.lines import Piece
from stepconv.player.text.picture import half_blocks
from stepconv.trace import named_kernels, pictures

Capture = pytest.CaptureFixture[str]
Array = Any

SOBEL = [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]
RAMP = np.arange(1, 13).reshape(3, 4)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every test read and write in a folder of its own."""
    monkeypatch.chdir(tmp_path)


def apply(capsys: Capture, *arguments: object, out: str = "out.npy") -> Array:
    """Run the command on the textbook, which needs no compiling; return what was written."""
    status = main(["apply", *map(str, arguments), "-o", out, "--backend", "textbook"])
    printed, complaint = capsys.readouterr()
    assert (status, printed, complaint) == (0, "", "")
    return read(out)


def read(out: str) -> Array:
    if out.endswith(".npy"):
        return np.load(out)
    if out.endswith(".csv"):
        return np.loadtxt(out, delimiter=",", ndmin=2)
    with Image.open(out) as image:
        return np.asarray(image)


def refusal(capsys: Capture, *arguments: object) -> str:
    """Run the command, which must refuse in one line; return the line."""
    before = set(os.listdir())
    status = main(["apply", *map(str, arguments)])
    printed, complaint = capsys.readouterr()
    assert (status, printed) == (2, "")
    assert complaint.startswith("stepconv: ")
    assert complaint.count("\n") == 1
    assert set(os.listdir()) == before, "something was left behind"
    return complaint


def photo(channels: int, rows: int = 6, columns: int = 8) -> Array:
    """Return noise as an 8-bit picture."""
    shape = (rows, columns, channels) if channels > 1 else (rows, columns)
    return np.random.default_rng(7).integers(0, 256, shape, dtype=np.uint8)


# What comes out


def test_a_picture_of_the_gallery_and_a_named_kernel(capsys: Capture) -> None:
    result = apply(capsys, "eight-22x16", "sobel-x")
    expected = stepconv.correlate(
        pictures()["eight-22x16"], SOBEL, padding="same", backend="textbook"
    )
    np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("backend", ["textbook", "cpu"])
def test_backends_agree(backend: str) -> None:
    assert main(["apply", "letter-a-15x14", "ridge-8", "-o", "out.npy", "--backend", backend]) == 0
    expected = stepconv.correlate(
        pictures()["letter-a-15x14"],
        named_kernels()["ridge-8"].kernel,
        padding="same",
        backend="textbook",
    )
    np.testing.assert_allclose(np.load("out.npy"), expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize(
    ("extra", "options"),
    [
        ([], {"padding": "same"}),
        (["--padding", "valid"], {"padding": "valid"}),
        (["--padding", "full"], {"padding": "full"}),
        (["--padding", "2"], {"padding": 2}),
        (["--padding", "0,1"], {"padding": (0, 1)}),
        (["--stride", "2"], {"padding": "same", "stride": 2}),
        (["--mode", "reflect"], {"padding": "same", "mode": "reflect"}),
        (["--mode", "replicate"], {"padding": "same", "mode": "replicate"}),
        (["--mode", "circular"], {"padding": "same", "mode": "circular"}),
    ],
)
def test_options_are_those_of_the_engine(
    extra: list[str], options: dict[str, Any], capsys: Capture
) -> None:
    np.save("x.npy", RAMP)
    result = apply(capsys, "x.npy", "1 0 -1; 2 0 -2; 1 0 -1", *extra)
    expected = stepconv.correlate(RAMP, np.negative(SOBEL), **options, backend="textbook")
    assert result.dtype == np.int64
    np.testing.assert_array_equal(result, expected)


def test_true_convolution_mirrors_the_kernel(capsys: Capture) -> None:
    np.save("x.npy", RAMP)
    slid = apply(capsys, "x.npy", "1 2; 3 4; 5 6")
    mirrored = apply(capsys, "x.npy", "6 5; 4 3; 2 1", "--true-convolution", out="b.npy")
    np.testing.assert_array_equal(slid, mirrored)
    plain = apply(capsys, "x.npy", "6 5; 4 3; 2 1", out="c.npy")
    assert not np.array_equal(slid, plain)


def test_a_kernel_that_begins_with_a_minus_stands_behind_two_dashes(capsys: Capture) -> None:
    np.save("x.npy", RAMP)
    assert main(["apply", "x.npy", "-1 0 1; -2 0 2; -1 0 1", "-o", "out.csv"]) == 0
    expected = stepconv.correlate(RAMP, SOBEL, padding="same")
    np.testing.assert_array_equal(read("out.csv"), expected)


@pytest.mark.parametrize("name", ["kernel.npy", "kernel.csv"])
def test_a_kernel_from_a_file(name: str, capsys: Capture) -> None:
    np.save("x.npy", RAMP)
    np.save("kernel.npy", SOBEL)
    Path("kernel.csv").write_text("-1,0,1\n-2,0,2\n-1,0,1\n")
    expected = stepconv.correlate(RAMP, SOBEL, padding="same", backend="textbook")
    np.testing.assert_array_equal(apply(capsys, "x.npy", name), expected)


def test_one_row_lies_along_the_rows_of_a_picture(capsys: Capture) -> None:
    np.save("x.npy", RAMP)
    np.testing.assert_array_equal(
        apply(capsys, "x.npy", "1 -1", "--padding", "valid"), np.full((3, 3), -1)
    )


@pytest.mark.parametrize("out", ["out.npy", "out.csv"])
def test_a_signal(out: str, capsys: Capture) -> None:
    Path("x.csv").write_text("10\n50\n60\n10\n20\n40\n30\n")
    result = apply(capsys, "x.csv", "moving-average-5", "--padding", "valid", out=out)
    np.testing.assert_allclose(np.ravel(result), [30, 36, 32], rtol=1e-15)


# Numbers in files


def test_csv_loses_no_digit(capsys: Capture) -> None:
    x = np.random.default_rng(1).normal(size=(4, 5)) * 10.0 ** np.arange(5)
    np.save("x.npy", x)
    apply(capsys, "x.npy", "box-blur-3", out="a.npy")
    apply(capsys, "x.npy", "box-blur-3", out="a.csv")
    np.testing.assert_array_equal(np.load("a.npy"), read("a.csv"))
    assert np.load("a.npy").dtype == np.float64
    apply(capsys, "a.csv", "identity", out="b.npy")
    np.testing.assert_array_equal(np.load("a.npy"), np.load("b.npy"))


@pytest.mark.parametrize("text", ["1,2\n3,4\n", "1 2\n3 4", "\ufeff1, 2\r\n3, 4\r\n\r\n"])
def test_csv_as_programs_write_it(text: str, capsys: Capture) -> None:
    Path("x.csv").write_bytes(text.encode())
    result = apply(capsys, "x.csv", "identity", out="out.csv")
    np.testing.assert_array_equal(result, [[1, 2], [3, 4]])


def test_nan_and_infinity_pass_through(capsys: Capture) -> None:
    np.save("x.npy", [[1.0, np.nan, 3.0], [4.0, 5.0, -np.inf]])
    for out in ("out.npy", "out.csv"):
        np.testing.assert_array_equal(apply(capsys, "x.npy", "1", out=out), np.load("x.npy"))


def test_unusual_layouts_and_types(capsys: Capture) -> None:
    np.save("fortran.npy", np.asfortranarray(RAMP))
    np.save("big.npy", RAMP.astype(">i4"))
    np.save("half.npy", RAMP.astype(np.float16))
    for name in ("fortran.npy", "big.npy", "half.npy"):
        np.testing.assert_array_equal(apply(capsys, name, "1", "--force"), RAMP)


def test_a_picture_array_keeps_its_axes(capsys: Capture) -> None:
    np.save("x.npy", photo(4))
    result = apply(capsys, "x.npy", "2")
    np.testing.assert_array_equal(result[..., :3], photo(4)[..., :3].astype(int) * 2)
    np.testing.assert_array_equal(result[..., 3], photo(4)[..., 3])


# Picture files


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA"])
def test_identity_leaves_a_png_as_it_is(mode: str, capsys: Capture) -> None:
    pixels = photo(len(mode)) if mode != "LA" else photo(2)
    Image.fromarray(pixels).save("x.png")
    np.testing.assert_array_equal(apply(capsys, "x.png", "identity", out="out.png"), pixels)


def test_each_colour_is_filtered_alone_and_alpha_kept(capsys: Capture) -> None:
    Image.fromarray(photo(4)).save("x.png")
    result = apply(capsys, "x.png", "box-blur-3", out="out.png")
    for channel in range(3):
        blurred = stepconv.correlate(
            photo(4)[..., channel], np.full((3, 3), 1 / 9), padding="same", backend="textbook"
        )
        np.testing.assert_array_equal(result[..., channel], np.rint(blurred))
    np.testing.assert_array_equal(result[..., 3], photo(4)[..., 3])


def test_alpha_follows_the_middle_of_the_windows(capsys: Capture) -> None:
    Image.fromarray(photo(4)).save("x.png")
    alpha = photo(4)[..., 3]
    valid = apply(capsys, "x.png", "box-blur-3", "--padding", "valid", out="a.png")
    np.testing.assert_array_equal(valid[..., 3], alpha[1:-1, 1:-1])
    every_second = apply(capsys, "x.png", "identity", "--stride", 2, out="b.png")
    np.testing.assert_array_equal(every_second[..., 3], alpha[1::2, 1::2])
    even = apply(capsys, "x.png", "1/4 1/4; 1/4 1/4", out="c.png")
    np.testing.assert_array_equal(even[..., 3], alpha)


def test_16_bits_come_down_to_0_to_255(capsys: Capture) -> None:
    values = np.array([[0, 257, 300], [65535, 1000, 128]], np.uint16)
    Image.fromarray(values).save("x.png")
    np.testing.assert_array_equal(apply(capsys, "x.png", "1"), values / 257)
    np.testing.assert_array_equal(
        apply(capsys, "x.png", "1", out="out.png"), np.rint(values / 257).astype(np.uint8)
    )


def test_palette_and_one_bit_pictures(capsys: Capture) -> None:
    paletted = Image.fromarray(photo(3)).convert("P", palette=Image.Palette.ADAPTIVE, colors=8)
    paletted.save("p.png")
    np.testing.assert_array_equal(
        apply(capsys, "p.png", "1", out="a.png"), np.asarray(paletted.convert("RGB"))
    )
    paletted.save("t.png", transparency=3)
    with Image.open("t.png") as image:
        clear = np.asarray(image.convert("RGBA"))
    assert clear[..., 3].min() == 0
    np.testing.assert_array_equal(apply(capsys, "t.png", "1", out="b.png"), clear)
    bits = Image.fromarray(photo(1)).convert("1")
    bits.save("1.png")
    np.testing.assert_array_equal(
        apply(capsys, "1.png", "1", out="c.png"), np.asarray(bits.convert("L"))
    )


def test_jpeg_in_its_colour_spaces(capsys: Capture) -> None:
    for mode, seen in (("RGB", "RGB"), ("L", "L"), ("CMYK", "RGB")):
        Image.fromarray(photo(3)).convert(mode).save("x.jpg")
        with Image.open("x.jpg") as image:
            expected = np.asarray(image.convert(seen))
        result = apply(capsys, "x.jpg", "1", "--force", out="out.png")
        np.testing.assert_array_equal(result, expected)


def test_webp_is_read_and_written_without_loss(capsys: Capture) -> None:
    for channels in (3, 4):
        Image.fromarray(photo(channels)).save("x.webp", lossless=True, exact=True)
        np.testing.assert_array_equal(
            apply(capsys, "x.webp", "1", "--force", out="out.webp"), photo(channels)
        )
    Path("x.webp").write_bytes(Path("x.webp").read_bytes()[:50])
    assert "x.webp" in refusal(capsys, "x.webp", "1", "-o", "a.png")


def test_exif_turns_a_picture_upright(capsys: Capture) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held on its side
    Image.fromarray(photo(3)).save("x.jpg", exif=exif)
    with Image.open("x.jpg") as image:
        expected = np.rot90(np.asarray(image), -1)
    np.testing.assert_array_equal(apply(capsys, "x.jpg", "1", out="out.png"), expected)


@pytest.mark.parametrize("out", ["out.jpg", "out.JPEG", "out.PNG"])
def test_the_suffix_says_the_format(out: str) -> None:
    assert main(["apply", "eight-22x16", "gaussian-3", "-o", out]) == 0
    with Image.open(out) as image:
        assert image.format == ("PNG" if out.endswith("PNG") else "JPEG")
        assert image.size == (16, 22)


def test_jpeg_says_that_it_drops_transparency(capsys: Capture) -> None:
    Image.fromarray(photo(4)).save("x.png")
    assert main(["apply", "x.png", "identity", "-o", "out.jpg"]) == 0
    assert "out.jpg: JPEG has no transparency" in capsys.readouterr().err
    assert read("out.jpg").shape == (6, 8, 3)


def test_clipping_is_said_in_one_line(capsys: Capture) -> None:
    np.save("x.npy", [[0, 100, 200, 255]])
    assert main(["apply", "x.npy", "1 1", "--padding", "valid", "-o", "out.png"]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "stepconv: out.png: 2 of 3 values clipped to 0..255 (--normalise stretches)\n"
    np.testing.assert_array_equal(read("out.png"), [[100, 255, 255]])


def test_values_are_rounded_before_they_are_clipped(capsys: Capture) -> None:
    np.save("x.npy", [[-0.4, 255.4, 0.6, 99.5]])
    np.testing.assert_array_equal(apply(capsys, "x.npy", "1", out="out.png"), [[0, 255, 1, 100]])


def test_normalise_stretches_from_black_to_white(capsys: Capture) -> None:
    np.save("x.npy", [[-100, 0, 100]])
    result = apply(capsys, "x.npy", "1", "--normalise", out="out.png")
    np.testing.assert_array_equal(result, [[0, 128, 255]])
    np.save("flat.npy", np.full((2, 2), 1000))
    result = apply(capsys, "flat.npy", "1", "--normalise", out="flat.png")
    np.testing.assert_array_equal(result, np.zeros((2, 2)))


def test_nan_is_drawn_black_and_said(capsys: Capture) -> None:
    np.save("x.npy", [[np.nan, 255.0, np.inf, -1e308, 1e308]])
    for extra in ([], ["--normalise"]):
        assert main(["apply", "x.npy", "1", "-o", "out.png", "--force", *extra]) == 0
        assert "1 of 5 values are NaN, drawn black" in capsys.readouterr().err
        assert read("out.png")[0, [0, 2]].tolist() == [0, 255]


def test_zero_to_one_counts_as_black_to_white(capsys: Capture) -> None:
    np.save("x.npy", [[0.0, 0.2, 1.0]])
    np.testing.assert_array_equal(apply(capsys, "x.npy", "1", out="out.png"), [[0, 51, 255]])
    letter = apply(capsys, "letter-a-15x14", "identity", out="letter.png")
    np.testing.assert_array_equal(letter, np.rint(pictures()["letter-a-15x14"] * 255))


# Files that appear whole or not at all


def test_an_existing_file_is_overwritten_only_with_force(capsys: Capture) -> None:
    Path("out.npy").write_text("precious")
    assert "--force" in refusal(capsys, "eight-22x16", "identity", "-o", "out.npy")
    assert Path("out.npy").read_text() == "precious"
    apply(capsys, "letter-a-15x14", "identity", "--force")


def test_a_picture_may_be_replaced_by_its_result(capsys: Capture) -> None:
    np.save("x.npy", RAMP)
    np.testing.assert_array_equal(apply(capsys, "x.npy", "2", "--force", out="x.npy"), RAMP * 2)


def test_a_failed_write_leaves_what_was_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    Path("out.npy").write_text("precious")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as caught:
        files.write(Path("out.npy"), b"half of it")
    assert caught.value.filename == "out.npy"
    assert os.listdir() == ["out.npy"]
    assert Path("out.npy").read_text() == "precious"


@pytest.mark.skipif(os.name == "nt", reason="links and permission bits are Unix's")
def test_links_stay_links_and_permissions_are_usual() -> None:
    Path("real.csv").touch()
    Path("link.csv").symlink_to("real.csv")
    assert main(["apply", "eight-22x16", "identity", "-o", "link.csv", "--force"]) == 0
    assert Path("link.csv").is_symlink()
    assert Path("real.csv").stat().st_size > 0
    mask = os.umask(0)
    os.umask(mask)
    assert Path("real.csv").stat().st_mode & 0o777 == 0o666 & ~mask


# Refusals


def png(columns: int, rows: int, data: bytes = b"") -> bytes:
    """Return a PNG whose header promises that size, whatever data it holds."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    header = struct.pack(">IIBBBBB", columns, rows, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def bad_files() -> dict[str, tuple[bytes, list[str]]]:
    """Return files by name with their bytes and what the complaint must say."""

    def saved(array: Array, **options: Any) -> bytes:
        file = io.BytesIO()
        np.save(file, array, **options)
        return file.getvalue()

    picture = io.BytesIO()
    Image.fromarray(photo(3, 64, 64)).save(picture, "PNG")
    jpeg = io.BytesIO()
    Image.fromarray(photo(3, 64, 64)).save(jpeg, "JPEG")
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": (10**7, 10**7)}
    )
    archive = io.BytesIO()
    np.savez(archive, x=RAMP)
    damaged = picture.getvalue()[:20] + b"\0\0\0\7" + picture.getvalue()[24:]
    return {
        "empty.png": (b"", ["is empty", "0 bytes"]),
        "empty.jpg": (b"", ["is empty"]),
        "empty.npy": (b"", ["is empty"]),
        "empty.csv": (b"", ["is empty"]),
        "blank.csv": (b"\n \n", ["is empty"]),
        "text.png": (b"not a picture at all\n", ["is not a PNG, JPEG or WebP picture"]),
        "gif.png": (b"GIF89a\x01\x00\x01\x00\x00\x00\x00;", ["is not a PNG, JPEG or WebP picture"]),
        "cut.png": (picture.getvalue()[:900], ["is damaged", "truncated"]),
        "cut.jpg": (jpeg.getvalue()[:900], ["is damaged", "truncated"]),
        "header.png": (damaged, ["is"]),
        "bomb.png": (png(30_000, 30_000), ["30,000x30,000", "50,000,000"]),
        "large.png": (png(10_000, 5_001), ["10,000x5,001", "50,000,000"]),
        "nothing.png": (png(8, 8), ["is damaged"]),
        "text.npy": (b"1 2 3 4 5 6 7 8 9", ["is not a readable .npy"]),
        "archive.npy": (archive.getvalue(), ["is not a readable .npy"]),
        "objects.npy": (
            saved(np.array([{}, 1], object), allow_pickle=True),
            ["Python objects"],
        ),
        "cut.npy": (saved(RAMP)[:-8], ["is not a readable .npy"]),
        "promise.npy": (header.getvalue(), ["is not a readable .npy"]),
        "words.npy": (saved(np.array([["a"]])), ["holds <U1"]),
        "complex.npy": (saved(np.ones((2, 2), complex)), ["holds complex128"]),
        "dates.npy": (saved(np.array([["2020-01-01"]], "M8[D]")), ["holds datetime64"]),
        "none.npy": (saved(np.ones((0, 3))), ["(0, 3)"]),
        "number.npy": (saved(np.float64(7)), ["shape ()"]),
        "planes.npy": (saved(np.ones((3, 8, 9))), ["(3, 8, 9)", "(rows, columns, 3 or 4)"]),
        "batch.npy": (saved(np.ones((2, 3, 4, 5))), ["(2, 3, 4, 5)"]),
        "ragged.csv": (b"1,2,3\n4,5\n", ["row 2 is 2 long, row 1 is 3"]),
        "gap.csv": (b"1,2,3\n\n4,5,6\n", ["row 2 is empty"]),
        "hole.csv": (b"1,,3\n", ["row 1, number 2, ''"]),
        "head.csv": (b"a,b\n1,2\n", ["row 1, number 1, 'a'"]),
        "binary.csv": (bytes(range(256)), ["is not a text file"]),
    }


@pytest.mark.parametrize("name", bad_files())
def test_a_file_that_cannot_be_used(name: str, capsys: Capture) -> None:
    content, words = bad_files()[name]
    Path(name).write_bytes(content)
    complaint = refusal(capsys, name, "identity", "-o", "out.npy")
    for word in [name, *words]:
        assert word in complaint


def test_a_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    def unpack(*arguments: object) -> None:
        raise AssertionError("unpacked")

    Path("bomb.png").write_bytes(png(30_000, 30_000))
    limit = Image.MAX_IMAGE_PIXELS
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", unpack)
    assert main(["apply", "bomb.png", "identity", "-o", "out.png"]) == 2
    assert limit == Image.MAX_IMAGE_PIXELS


def test_between_pillows_limits_and_ours_a_picture_passes(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    Image.fromarray(photo(1)).save("x.png")
    np.testing.assert_array_equal(apply(capsys, "x.png", "1"), photo(1))


def test_the_limit_holds_for_arrays(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_files, "MOST_PIXELS", 11)
    np.save("x.npy", RAMP)
    assert "3x4 pixels, at most 11 fit" in refusal(capsys, "x.npy", "1", "-o", "out.npy")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["missing.png", "identity", "-o", "o.npy"], ["missing.png: No such file"]),
        (["missing.npy", "identity", "-o", "o.npy"], ["missing.npy: No such file"]),
        (["missing.csv", "identity", "-o", "o.npy"], ["missing.csv: No such file"]),
        (["folder.png", "identity", "-o", "o.npy"], ["folder.png is a folder"]),
        (["folder", "identity", "-o", "o.npy"], ["folder is a folder"]),
        (["photo.bmp", "identity", "-o", "o.npy"], ["photo.bmp", ".png, .jpg, .jpeg, .webp, .npy"]),
        (["eight-22x61", "identity", "-o", "o.npy"], ["did you mean 'eight-22x16'?"]),
        (["zebra", "identity", "-o", "o.npy"], ["'zebra'", "stepconv examples"]),
        (["x.npy", "sobel", "-o", "o.npy"], ["'sobel'", "did you mean 'sobel-x'"]),
        (["x.npy", "1 2; 3", "-o", "o.npy"], ["row 2 is 1 long"]),
        (["x.npy", "", "-o", "o.npy"], ["''"]),
        (["x.npy", "missing.npy", "-o", "o.npy"], ["missing.npy: No such file"]),
        (["x.npy", "deep.npy", "-o", "o.npy"], ["deep.npy", "(1, 1, 3)", "one or two axes"]),
        (["x.npy", "gaussian-5", "--padding", "valid", "-o", "o.npy"], ["5x5", "3x4"]),
        (["x.npy", "gaussian-5", "--mode", "reflect", "--padding", "3", "-o", "o.npy"], ["by 3"]),
        (["x.npy", "identity", "--padding", "sum", "-o", "o.npy"], ["padding='sum'", "'same'"]),
        (["x.npy", "identity", "--padding", "-1", "-o", "o.npy"], ["padding=-1"]),
        (["x.npy", "identity", "--padding", "1,2,3", "-o", "o.npy"], ["padding=(1, 2, 3)"]),
        (["x.npy", "identity", "--mode", "mirror", "-o", "o.npy"], ["mode='mirror'"]),
        (["x.npy", "identity", "--stride", "0", "-o", "o.npy"], ["stride=0"]),
        (["x.npy", "identity", "--stride", "two", "-o", "o.npy"], ["--stride", "two"]),
        (["x.npy", "identity", "--backend", "gpu", "-o", "o.npy"], ["backend='gpu'", "'cuda'"]),
        (["x.npy", "identity", "--normalise", "-o", "o.npy"], ["--normalise", "o.npy"]),
        (["x.npy", "identity", "-o", "o.gif"], ["o.gif", ".png, .jpg"]),
        (["x.npy", "identity", "-o", "o"], ["o cannot be written", ".png"]),
        (["x.npy", "identity", "-o", "folder.png"], ["folder.png is a folder"]),
        (["x.npy", "identity", "-o", "no/o.npy"], ["there is no folder no"]),
        (["x.npy", "identity", "-o", "x.npy/o.npy"], ["there is no folder x.npy"]),
        (["signal.npy", "moving-average-5"], ["a signal is no picture for a preview"]),
        (["x.npy"], ["KERNEL"]),
        (["signal.npy", "moving-average-5", "-o", "o.png"], ["signal", "o.png"]),
        (["signal.npy", "sobel-x", "-o", "o.npy"], ["a 2-D kernel slides over an image"]),
        (["colour.npy", "identity", "-o", "o.csv"], [".csv", ".npy or .png"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_bad_argument(arguments: list[str], words: list[str], capsys: Capture) -> None:
    np.save("x.npy", RAMP)
    np.save("deep.npy", np.ones((1, 1, 3)))
    np.save("signal.npy", np.arange(7))
    np.save("colour.npy", photo(3))
    Path("folder").mkdir()
    Path("folder.png").mkdir()
    complaint = refusal(capsys, *arguments)
    for word in words:
        assert word in complaint


@pytest.mark.parametrize(
    "arguments",
    [["x.png", "identity", "-o", "o.npy"], ["eight-22x16", "identity", "-o", "o.png"]],
    ids=["reading", "writing"],
)
def test_without_pillow_it_says_what_to_install(
    arguments: list[str], capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.fromarray(photo(1)).save("x.png")
    monkeypatch.setitem(sys.modules, "PIL", None)
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    assert "pip install 'stepconv[images]'" in refusal(capsys, *arguments)
    apply(capsys, "eight-22x16", "identity", out="o.csv")  # arrays work without


def test_in_a_process_of_its_own() -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "stepconv", "apply", *arguments, "--backend", "textbook"],
            capture_output=True,
            text=True,
            timeout=60,
            cwd=Path(stepconv.__file__).parents[1],  # where it is found without being installed
        )

    out = str(Path("out.png").absolute())
    done = run("eight-22x16", "identity", "-o", out)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    np.testing.assert_array_equal(read("out.png"), pictures()["eight-22x16"])
    refused = run("eight-22x16", "identity", "-o", out)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == f"stepconv: {out} is there already: --force overwrites it\n"


# The preview


def test_without_a_file_to_write_it_shows_the_result(capsys: Capture) -> None:
    before = set(os.listdir())
    assert main(["apply", "eight-22x16", "sobel-x", "--padding", "valid"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "eight-22x16" in lines[0]
    assert "under sobel-x" in lines[0]
    assert len(lines) > 5
    assert set(os.listdir()) == before


def preview(images: dict[str, Array], **options: Any) -> list[str]:
    screen = io.StringIO()
    settings: dict[str, Any] = {"force_terminal": True, "color_system": "truecolor", "width": 60}
    previews.show(Console(file=screen, **{**settings, **options}), images)
    return screen.getvalue().splitlines()


def test_half_blocks_hold_two_pixels() -> None:
    first, last = half_blocks([[(1, 2, 3)], [(4, 5, 6)], [(7, 8, 9)]])
    assert first == (Piece("▀", "#010203 on #040506"),)
    assert last == (Piece("▀", "#070809"),)


@pytest.mark.parametrize("width", [60, 80, 200])
@pytest.mark.parametrize("shape", [(22, 16), (14, 15), (300, 400), (1, 900), (900, 1)])
def test_a_preview_keeps_to_the_screen(shape: tuple[int, int], width: int) -> None:
    image = np.full(shape, 200, np.uint8)
    lines = preview({"before.png": image, "x" * 99: image}, width=width, no_color=True)
    assert max(map(len, lines)) <= width
    assert 2 <= len(lines) <= 1 + previews.LINES
    assert lines[0].startswith("before.png")


def test_without_colour_shades_tell_dark_from_light() -> None:
    image = np.array([[0, 255], [0, 255]], np.uint8).repeat(4, axis=0)
    for options in ({"no_color": True}, {"color_system": "standard"}, {"color_system": None}):
        lines = preview({"a": image, "b": image[:, ::-1]}, **options)
        assert lines[1].rstrip() == "   ███" + " " * 25 + "███"
        assert "\x1b" not in "".join(lines)
    assert "\x1b[38;2;255;255;255" in preview({"a": image, "b": image})[1]


def test_shades_fall_back_to_ascii() -> None:
    line = half_blocks([[(gray,) * 3 for gray in (0, 60, 120, 180, 255)]])
    for shades in (render.SHADES, render.ASCII_SHADES):
        assert render.text(line, colour=False, shades=shades).plain == shades


def test_shrinking_averages() -> None:
    image = np.arange(64, dtype=np.uint8).reshape(8, 8)
    small = previews.resize(image, 4, 4)
    np.testing.assert_array_equal(small, np.rint(image.reshape(4, 2, 4, 2).mean(axis=(1, 3))))
    assert previews.resize(np.zeros((7, 5, 3), np.uint8), 4, 4).shape == (4, 2, 3)


def test_a_terminal_shows_before_and_after(capsys: Capture, monkeypatch: Any) -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, color_system="truecolor", width=60)
    monkeypatch.setattr("stepconv.cli.terminal.stdout", lambda: console)
    Image.fromarray(photo(4)).save("x.png")
    for out in ("out.png", "out.npy"):
        apply(capsys, "x.png", "identity", out=out)
    captions = [line.split() for line in screen.getvalue().splitlines() if "x.png" in line]
    assert captions == [["x.png", "out.png"], ["x.png", "out.npy"]]
    assert "▀" in screen.getvalue()
