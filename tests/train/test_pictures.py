"""Picture files of any mode are read alike, by training and by questions: judged by their mean."""

import numpy as np
import pytest

from stepconv.errors import DataError
from stepconv.train.data import pictures

image = pytest.importorskip("PIL.Image")

# A ramp of gray from 40 to 200: its mean is 120, its left side darker than its right.
RAMP = np.linspace(40, 200, 32, dtype=np.float64)[np.newaxis].repeat(8, axis=0)
GRAY = np.rint(RAMP).astype(np.uint8)
RGB = np.stack([GRAY, GRAY // 2, 255 - GRAY], axis=-1)


def saved(tmp_path, picture, name="a.png", **options):
    path = tmp_path / name
    picture.save(path, **options)
    return path


@pytest.mark.parametrize(
    ("values", "name"),
    [
        (GRAY, "a.png"),
        (np.rint(RAMP * 257).astype(np.uint16), "a.png"),
        (np.rint(RAMP * 257).astype(np.uint16), "a.tif"),
        (np.rint(RAMP * 257).astype(np.int32), "a.tif"),
        (np.rint(RAMP).astype(np.int32), "a.tif"),
        ((RAMP / 255).astype(np.float32), "a.tif"),
        (RAMP.astype(np.float32), "a.tif"),
        (GRAY, "a.bmp"),
        (GRAY, "a.gif"),
    ],
    ids=["8", "16", "16 tif", "16 in 32", "8 in 32", "0 to 1", "0 to 255", "bmp", "gif"],
)
def test_gray_of_any_depth_has_its_mean(tmp_path, values, name):
    read = pictures.read(saved(tmp_path, image.fromarray(values), name))
    assert read.shape == (1, 8, 32)
    assert abs(read.mean() - 120) < 1
    assert np.abs(read[0].astype(int) - GRAY).max() <= 1


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "CMYK", "P", "YCbCr"])
def test_colours_of_any_mode_have_their_means(tmp_path, mode):
    picture = image.fromarray(RGB)
    if mode == "P":
        picture = picture.quantize(256)
    elif mode != "RGB":
        picture = picture.convert(mode)
    name = "a.tif" if mode in ("CMYK", "YCbCr") else "a.png"
    read = pictures.read(saved(tmp_path, picture, name))
    assert read.shape == (3, 8, 32)
    assert np.abs(read.mean(axis=(1, 2)) - RGB.mean(axis=(0, 1))).max() < 3


@pytest.mark.parametrize("name", ["a.jpg", "a.webp"])
def test_lossy_files_come_near(tmp_path, name):
    read = pictures.read(saved(tmp_path, image.fromarray(RGB), name, quality=95))
    assert np.abs(read.mean(axis=(1, 2)) - RGB.mean(axis=(0, 1))).max() < 3


def test_one_bit_is_black_and_white(tmp_path):
    bits = image.fromarray(np.where(GRAY > 120, 255, 0).astype(np.uint8)).convert("1")
    assert np.unique(pictures.read(saved(tmp_path, bits))).tolist() == [0, 255]


def test_what_is_clear_shows_white_paper(tmp_path):
    clear = np.dstack([RGB, np.zeros((8, 32), np.uint8)])
    assert (pictures.read(saved(tmp_path, image.fromarray(clear))) == 255).all()
    gray = np.dstack([GRAY, np.where(np.arange(32) < 16, 0, 255)[None].repeat(8, 0)])
    read = pictures.read(saved(tmp_path, image.fromarray(gray.astype(np.uint8), "LA")))
    assert (read[0, :, :16] == 255).all()
    assert (read[0, :, 16:] == GRAY[:, 16:]).all()


def test_a_turn_that_exif_tells_is_made(tmp_path):
    exif = image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    path = saved(tmp_path, image.fromarray(RGB), "a.jpg", exif=exif, quality=95)
    read = pictures.read(path)
    assert read.shape == (3, 32, 8)
    assert read[0, 0].mean() < read[0, -1].mean()  # the dark left side is on top now
    assert pictures.size(path) == (32, 8, 3)
    assert pictures.read(path, (1, 16, 4)).shape == (1, 16, 4)


def test_stretched_pictures_keep_their_mean(tmp_path):
    large = image.fromarray(np.kron(RGB, np.ones((9, 9, 1), np.uint8)))
    for name in ("a.png", "a.jpg"):
        read = pictures.read(saved(tmp_path, large, name), (3, 4, 16))
        assert np.abs(read.mean(axis=(1, 2)) - RGB.mean(axis=(0, 1))).max() < 3
    assert np.array_equal(
        pictures.fit(pictures.read(saved(tmp_path, large)), (3, 8, 32)), np.moveaxis(RGB, 2, 0)
    )


def test_what_is_no_picture_is_named(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"<html>")
    with pytest.raises(DataError, match=r"a\.png is no picture"):
        pictures.read(path)
    whole = saved(tmp_path, image.fromarray(RGB), "b.jpg").read_bytes()
    (tmp_path / "b.jpg").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"b\.jpg is no picture, or damaged"):
        pictures.read(tmp_path / "b.jpg")


def test_too_large_a_picture_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "MOST_PIXELS", 100)
    with pytest.raises(DataError, match="at most 100 pixels"):
        pictures.read(saved(tmp_path, image.fromarray(RGB)))
