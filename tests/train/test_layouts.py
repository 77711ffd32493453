"""Folders and tables of pictures as people have them: read rightly, or refused in one line."""

from pathlib import Path

import numpy as np
import pytest

from stepconv.errors import DataError
from stepconv.train import data
from stepconv.train.data import decoded, known

image = pytest.importorskip("PIL.Image")
SHADES = {"cat": 40, "dog": 140, "owl": 240}


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path_factory):
    """Keep decoded pictures apart from those of whoever runs the tests."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setattr(known, "cache_folder", lambda: folder)
    return folder / "pictures"


def draw(folder: Path, classes="cat dog owl", count=6, suffix=".png", size=(12, 10), mode="RGB"):
    """Put pictures of one shade for each class into class folders."""
    for name in classes.split():
        (folder / name).mkdir(parents=True)
        for number in range(count):
            shade = SHADES[name] + number
            colour = shade if mode == "L" else (shade,) * 3
            image.new(mode, size, colour).save(folder / name / f"{number}{suffix}")
    return folder


def refused(path, **options):
    with pytest.raises(DataError) as caught:
        data.load(str(path), **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def assert_right(samples, classes):
    """Check that each picture has the label of its shade."""
    assert len(samples)
    for picture, label in zip(samples.pictures, samples.labels, strict=True):
        assert abs(int(picture[0, 0, 0]) - SHADES[classes[label]]) < 20


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".JPEG", ".webp", ".bmp", ".tif", ".gif"])
def test_every_suffix_is_read(tmp_path, suffix):
    found = data.load(str(draw(tmp_path, suffix=suffix)))
    assert (len(found.train), len(found.test)) == (15, 3)
    assert_right(found.train, found.classes)
    assert np.bincount(found.test.labels).tolist() == [1, 1, 1]


def test_pictures_keep_their_own_size_and_colours(tmp_path):
    assert data.load(str(draw(tmp_path / "a"))).shape == (3, 10, 12)
    assert data.load(str(draw(tmp_path / "b", mode="L"))).shape == (1, 10, 12)
    assert data.load(str(draw(tmp_path / "c", size=(400, 300)))).shape == (3, 64, 64)
    assert data.load(str(tmp_path / "a"), shape=(1, 5, 6)).shape == (1, 5, 6)


def test_names_follow_pictures(tmp_path):
    found = data.load(str(draw(tmp_path)), validation=0.2)
    for samples in (found.train, found.validation, found.test):
        for name, label in zip(samples.names, samples.labels, strict=True):
            assert Path(name).parent.name == found.classes[label]
    assert len({*found.train.names, *found.validation.names, *found.test.names}) == 18


def test_parts_are_what_they_are_called(tmp_path):
    draw(tmp_path / "train", count=5)
    draw(tmp_path / "val", count=2)
    draw(tmp_path / "test", count=3)
    found = data.load(str(tmp_path))
    assert [len(part) for part in (found.train, found.validation, found.test)] == [15, 6, 9]
    for part in (found.train, found.validation, found.test):
        assert_right(part, found.classes)
    assert not found.notes


def test_a_validation_part_alone_is_the_test(tmp_path):
    draw(tmp_path / "train", count=5)
    draw(tmp_path / "valid", count=2)
    found = data.load(str(tmp_path))
    assert [len(part) for part in (found.train, found.validation, found.test)] == [15, 0, 6]
    assert "the validation part is taken for it" in found.notes[0]


def test_a_folder_too_many_and_what_systems_leave_behind(tmp_path):
    draw(tmp_path / "pictures" / "photos")
    (tmp_path / "__MACOSX" / "photos").mkdir(parents=True)
    (tmp_path / ".git").mkdir()
    (tmp_path / "pictures" / "photos" / "cat" / "._0.png").write_bytes(b"resource")
    found = data.load(str(tmp_path))
    assert found.classes == ("cat", "dog", "owl")
    assert len(found.train) + len(found.test) == 18


def test_folders_inside_class_folders_are_read(tmp_path):
    draw(tmp_path)
    (tmp_path / "cat" / "more").mkdir()
    image.new("RGB", (12, 10), (45,) * 3).save(tmp_path / "cat" / "more" / "7.png")
    found = data.load(str(tmp_path))
    assert len(found.train) + len(found.test) == 19


def test_what_is_skipped_is_counted(tmp_path):
    draw(tmp_path)
    for number in range(3):
        (tmp_path / "cat" / f"{number}.heic").write_text("?")
    (tmp_path / "readme.txt").write_text("?")
    [note, _] = data.load(str(tmp_path)).notes
    assert "3 .heic, 1 .txt" in note


def test_one_class_an_empty_one_and_none(tmp_path):
    assert "holds no class folders" in refused(tmp_path)
    draw(tmp_path, "cat")
    assert "holds one class folder, cat" in refused(tmp_path)
    (tmp_path / "dog").mkdir()
    assert "dog holds no pictures: .png" in refused(tmp_path)
    (tmp_path / "dog" / "1.heic").write_text("?")
    assert "dog holds no pictures but .heic: .png" in refused(tmp_path)


def test_parts_with_other_classes_are_named(tmp_path):
    draw(tmp_path / "train")
    draw(tmp_path / "test", "cat dog")
    assert "has other class folders" in refused(tmp_path)
    assert "owl" in refused(tmp_path)


def test_a_limit_is_a_share_of_each_class(tmp_path):
    draw(tmp_path / "train", count=20)
    draw(tmp_path / "test", count=1)
    for count, shares in ((9, [3, 3, 3]), (10, [4, 3, 3]), (3, [1, 1, 1])):
        found = data.load(str(tmp_path), limit=count)
        assert sorted(np.bincount(found.train.labels).tolist(), reverse=True) == shares


def test_a_limit_keeps_rare_classes():
    labels = np.array([0] * 1000 + [1] * 10 + [2])
    for count in (3, 10, 100):
        chosen = data.samples.of_each(labels, count)
        assert len(chosen) == count
        assert set(labels[chosen]) == {0, 1, 2}
    assert data.samples.of_each(labels, 2).tolist() == [0, 1]


def test_a_table_of_paths_and_labels(tmp_path):
    draw(tmp_path / "all")
    lines = [f"all/{name}/{i}.png,{name}" for name in SHADES for i in range(6)]
    (tmp_path / "plain.csv").write_text("\n".join(lines))
    found = data.load(str(tmp_path / "plain.csv"))
    assert found.classes == ("cat", "dog", "owl")
    assert_right(found.train, found.classes)
    parts = ["train"] * 4 + ["val", "test"]
    pairs = [line.split(",") for line in lines]
    rows = [f"{label},{path},{parts[i % 6]}" for i, (path, label) in enumerate(pairs)]
    (tmp_path / "named.csv").write_text("\n".join(["Label,Image,Split", *rows]))
    found = data.load(str(tmp_path / "named.csv"))
    assert [len(part) for part in (found.train, found.validation, found.test)] == [12, 3, 3]
    assert_right(found.test, found.classes)


def test_a_table_that_cannot_be(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("")
    assert "lists no pictures" in refused(path)
    path.write_text("a.png\nb.png\n")
    assert "lists no pictures" in refused(path)
    path.write_text("a.png,cat\nb.png,dog\n")
    assert "a.png, which is no file" in refused(path)
    path.write_bytes(b"\xff\xfe\x00")
    assert "is no table" in refused(path)


def test_decoded_pictures_are_kept(tmp_path, cache, monkeypatch):
    first = data.load(str(draw(tmp_path)))
    assert len(list(cache.iterdir())) == 2  # one for training, one for testing
    with monkeypatch.context() as patched:
        patched.setattr(decoded.pictures, "read", None)  # nobody decodes again
        again = data.load(str(tmp_path))
    assert np.array_equal(first.train.pictures, again.train.pictures)
    assert first.fingerprint == again.fingerprint
    whole = first.train.pictures.copy()
    for path in cache.iterdir():
        content = bytearray(path.read_bytes())
        content[5] ^= 1
        path.write_bytes(content)
    mended = data.load(str(tmp_path))
    assert np.array_equal(whole, mended.train.pictures)


def test_a_changed_picture_is_decoded_anew(tmp_path):
    first = data.load(str(draw(tmp_path)))
    image.new("RGB", (12, 10), (59,) * 3).save(tmp_path / "cat" / "0.png")
    again = data.load(str(tmp_path))
    assert first.fingerprint != again.fingerprint


def test_letting_go_changes_nothing(tmp_path):
    found = data.load(str(draw(tmp_path)))
    before = found.train.pictures.copy()
    found.train.release()
    assert np.array_equal(found.train.pictures, before)


def test_several_folders_are_one_set(tmp_path):
    draw(tmp_path / "a", "cat dog")
    draw(tmp_path / "b", "dog owl", count=9)
    draw(tmp_path / "c", "owl")
    found = data.load(":".join(str(tmp_path / name) for name in "abc"))
    assert found.classes == ("cat", "dog", "owl")
    labels = np.concatenate([found.train.labels, found.test.labels])
    assert np.bincount(labels).tolist() == [6, 15, 15]
    assert_right(found.train, found.classes)


def test_several_folders_keep_their_parts(tmp_path):
    draw(tmp_path / "a" / "train", "cat dog")
    draw(tmp_path / "a" / "test", "cat dog", count=2)
    draw(tmp_path / "b" / "train", "owl")
    draw(tmp_path / "b" / "test", "owl", count=3)
    found = data.load(f"{tmp_path / 'a'}:{tmp_path / 'b'}")
    assert np.bincount(found.train.labels).tolist() == [6, 6, 6]
    assert np.bincount(found.test.labels).tolist() == [2, 2, 3]
    assert_right(found.test, found.classes)


def test_several_that_are_no_folders(tmp_path):
    draw(tmp_path / "a", "cat dog")
    (tmp_path / "t.csv").write_text("a,b")
    assert "only folders of pictures" in refused(f"{tmp_path / 'a'}:{tmp_path / 't.csv'}")
    draw(tmp_path / "c", "owl")
    draw(tmp_path / "d", "owl")
    assert "hold one class, owl" in refused(f"{tmp_path / 'c'}:{tmp_path / 'd'}")
