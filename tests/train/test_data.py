"""Data sets are found, downloaded and read; what is damaged is refused with a reason."""

import gzip
import hashlib
import io
import os
import struct
import urllib.error
import zipfile
from pathlib import Path

import numpy as np
import pytest

from stepconv.errors import ArgumentError, DataError
from stepconv.train import data
from stepconv.train.data import idx, known

PICTURES = np.arange(4 * 28 * 28, dtype=np.uint8).reshape(4, 28, 28)
LABELS = np.array([3, 0, 2, 1], np.uint8)
ARRAYS = (PICTURES, LABELS, PICTURES[:2], LABELS[:2])


def spelled(array):
    """Return an array as the bytes of an idx file."""
    head = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return head + array.tobytes()


def packed(content):
    return gzip.compress(content, 1, mtime=0)


def lay(folder, arrays=ARRAYS, zipped=True):
    """Put the four files into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in zip(known.FILES, arrays, strict=True):
        content = spelled(array)
        target = folder / (name if zipped else name.removesuffix(".gz"))
        target.write_bytes(packed(content) if zipped else content)
    return folder


def refused(path, **options):
    with pytest.raises(DataError) as caught:
        data.load(str(path), **options)
    return str(caught.value)


@pytest.fixture(autouse=True)
def alone(monkeypatch, tmp_path):
    """Hide the data sets of whoever runs the tests, and the network."""
    monkeypatch.setattr(known, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.delenv("STEPCONV_DATA", raising=False)

    def no_network(request, timeout):
        raise urllib.error.URLError("Name or service not known")

    monkeypatch.setattr("urllib.request.urlopen", no_network)


@pytest.fixture
def small(monkeypatch):
    """Let `mnist` be four pictures."""
    right = tuple(hashlib.sha256(spelled(array)).hexdigest() for array in ARRAYS)
    monkeypatch.setitem(known.HASHES, "mnist", right)
    monkeypatch.setitem(known.MIRRORS, "mnist", ("https://one/", "https://two/"))


# --- idx files ----------------------------------------------------------------------------------


@pytest.mark.parametrize("pack", [packed, bytes], ids=["gzipped", "plain"])
@pytest.mark.parametrize("array", ARRAYS[:2], ids=["pictures", "labels"])
def test_idx_files_are_read(pack, array):
    content = spelled(array)
    read = idx.parse(pack(content), "file", hashlib.sha256(content).hexdigest())
    assert np.array_equal(read, array)
    assert read.dtype == np.uint8


@pytest.mark.parametrize("pack", [packed, bytes], ids=["gzipped", "plain"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "begins with nothing"),
        (b"\0\0\x08", "begins with 00 00 08"),
        (b"\0\0\x0d\x01" + bytes(8), "is no idx file of bytes: it begins with 00 00 0d 01"),
        (b"\x01\0\x08\x01" + bytes(8), "is no idx file"),
        (b"\0\0\x08\0", "is no idx file"),
        (b"<!DOCTYPE html><html>", "is a web page"),
        (b"\n <html>", "is a web page"),
        (spelled(PICTURES)[:9], "cut short: it ends in its header"),
        (spelled(PICTURES)[:-1], "cut short: its header promises 4x28x28"),
        (spelled(PICTURES) + b"\0", "too long"),
        (b"\0\0\x08\x03" + b"\xff" * 12, "too large"),
    ],
)
def test_damaged_idx_files_are_refused(pack, content, said):
    with pytest.raises(DataError, match=said):
        idx.parse(pack(content), "file")


@pytest.mark.parametrize("kept", [3, 15, 40, -9, -8, -4, -1])
def test_truncated_gzip_is_refused(kept):
    with pytest.raises(DataError):
        idx.parse(packed(spelled(PICTURES))[:kept], "file")


def test_every_flipped_byte_of_a_gzip_file_is_noticed_by_its_hash():
    whole, right = packed(spelled(LABELS)), hashlib.sha256(spelled(LABELS)).hexdigest()
    for at in range(len(whole)):
        broken = bytearray(whole)
        broken[at] ^= 0x10
        try:
            read = idx.parse(bytes(broken), "file", right)
        except DataError:
            continue
        assert np.array_equal(read, LABELS)  # a flip in the name or time that gzip keeps


def test_a_bomb_is_not_unpacked():
    """Its header promises a picture; behind it are hundreds of megabytes."""
    bomb = packed(spelled(PICTURES[:1]) + bytes(300_000_000))
    assert len(bomb) < 3_000_000
    with pytest.raises(DataError, match="too long"):
        idx.parse(bomb, "file")


def test_another_content_is_told_by_its_hash():
    with pytest.raises(DataError, match="SHA-256"):
        idx.parse(packed(spelled(PICTURES)), "file", "0" * 64)


# --- the sets that everybody knows --------------------------------------------------------------


@pytest.mark.usefixtures("small")
def test_known_sets_are_found_in_their_order(tmp_path, monkeypatch):
    given, environment = tmp_path / "given", tmp_path / "environment"
    monkeypatch.setenv("STEPCONV_DATA", str(environment))
    assert known.folders(given) == [given, environment, tmp_path / "cache"]
    assert known.find("mnist", given) is None
    for folder in (tmp_path / "cache", environment, given):
        lay(folder / "mnist")
        assert known.find("mnist", given) == folder / "mnist"
    (given / "mnist" / "t10k-labels-idx1-ubyte.gz").unlink()
    assert known.find("mnist", given) == environment / "mnist"


@pytest.mark.usefixtures("small")
def test_a_known_set_is_loaded(tmp_path):
    lay(tmp_path / "mnist")
    found = data.load("mnist", data_dir=tmp_path)
    assert np.array_equal(found.train.pictures[:, 0], PICTURES)
    assert np.array_equal(found.test.labels, LABELS[:2])
    assert (found.train.pictures.dtype, found.train.labels.dtype) == (np.uint8, np.int64)
    assert (found.shape, found.classes) == ((1, 28, 28), tuple("0123456789"))
    assert len(found.validation) == 0


@pytest.mark.usefixtures("small")
def test_a_known_set_with_another_content_is_refused(tmp_path):
    lay(tmp_path / "mnist", (PICTURES[::-1], *ARRAYS[1:]))
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte\.gz does not hold.*delete it"):
        data.load("mnist", data_dir=tmp_path)


class Answer(io.BytesIO):
    def __init__(self, content, length=None):
        super().__init__(content)
        self.headers = {} if length is None else {"Content-Length": length}


class Endless(Answer):
    """A server that never stops sending; whoever reads on and on is told so."""

    def __init__(self):
        super().__init__(b"")
        self.sent = 0

    def read(self, size=-1):
        self.sent += size
        assert self.sent < 2 * known.MOST_DOWNLOADED
        return bytes(size)


def serve(monkeypatch, mirrors):
    """Answer from folders instead of the network; return the addresses that are asked for."""
    asked = []

    def open_(request, timeout):
        address = request.full_url
        asked.append(address)
        host, _, file = address.removeprefix("https://").partition("/")
        content = mirrors[host](file)
        if isinstance(content, Exception):
            raise content
        if isinstance(content, Answer):
            return content
        return Answer(content, str(len(content)))

    monkeypatch.setattr("urllib.request.urlopen", open_)
    return asked


def right(file):
    return packed(spelled(ARRAYS[[*known.FILES].index(file)]))


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    "trouble",
    [
        lambda file: urllib.error.HTTPError("https://one", 404, "gone", {}, None),
        lambda file: TimeoutError("timed out"),
        lambda file: b"<html>please log in</html>",
        lambda file: right(file)[:-5],
        lambda file: packed(spelled(PICTURES[::-1])),
        lambda file: Endless(),
    ],
    ids=["404", "timeout", "web page", "truncated", "other bytes", "endless"],
)
def test_the_next_mirror_is_asked_when_one_fails(tmp_path, monkeypatch, trouble):
    asked = serve(monkeypatch, {"one": trouble, "two": right})
    told = []
    found = data.load("mnist", progress=lambda *news: told.append(news))
    assert np.array_equal(found.test.pictures[:, 0], PICTURES[:2])
    assert asked == [f"https://{host}/{file}" for file in known.FILES for host in ("one", "two")]
    last = len(right("t10k-labels-idx1-ubyte.gz"))
    assert told[-1] == ("t10k-labels-idx1-ubyte.gz", last, last)
    assert sorted(p.name for p in (tmp_path / "cache" / "mnist").iterdir()) == sorted(known.FILES)
    asked.clear()
    data.load("mnist")
    assert asked == []


@pytest.mark.usefixtures("small")
def test_what_was_downloaded_before_a_failure_is_kept(tmp_path, monkeypatch):
    def first_only(file):
        return right(file) if "train-images" in file else OSError("cut")

    serve(monkeypatch, {"one": first_only, "two": first_only})
    with pytest.raises(DataError, match="cut"):
        data.load("mnist")
    kept = list((tmp_path / "cache" / "mnist").iterdir())
    assert [path.name for path in kept] == ["train-images-idx3-ubyte.gz"]


@pytest.mark.usefixtures("small")
def test_without_network_the_message_names_the_folder_and_the_ways_out(tmp_path):
    message = refused("mnist")
    assert str(tmp_path / "cache" / "mnist") in message
    for word in (*known.FILES, "--data-dir", "STEPCONV_DATA", "--data digits", "https://two/"):
        assert word in message
    assert "Name or service not known" in message
    assert not (tmp_path / "cache").exists()


# --- a user's own --------------------------------------------------------------------------------


@pytest.mark.parametrize("zipped", [True, False])
def test_four_idx_files(tmp_path, zipped):
    found = data.load(str(lay(tmp_path / "own", zipped=zipped)))
    assert np.array_equal(found.train.pictures[:, 0], PICTURES)
    assert np.array_equal(found.test.labels, LABELS[:2])
    assert found.classes == ("0", "1", "2", "3")


def test_a_missing_idx_file_is_named(tmp_path):
    lay(tmp_path)
    (tmp_path / "t10k-images-idx3-ubyte.gz").unlink()
    assert "misses t10k-images-idx3-ubyte.gz" in refused(tmp_path)


def test_pictures_and_labels_must_be_as_many(tmp_path):
    assert "4 pictures but 3 labels" in refused(lay(tmp_path, (PICTURES, LABELS[:3], *ARRAYS[2:])))


def test_swapped_files_are_refused(tmp_path):
    assert "labels of shape (4, 28, 28)" in refused(lay(tmp_path, (LABELS, PICTURES, *ARRAYS[2:])))


def npz(path, **arrays):
    np.savez_compressed(path, **arrays)
    return path


@pytest.mark.parametrize(
    "pictures",
    [
        PICTURES,
        PICTURES.astype(np.int64),
        PICTURES / 255,
        PICTURES.astype(">f4"),
        np.asfortranarray(PICTURES),
        PICTURES[:, np.newaxis],
        PICTURES[..., np.newaxis],
    ],
    ids=["bytes", "integers", "0 to 1", "big-endian", "columns first", "channel", "channel last"],
)
def test_an_npz_of_any_numbers(tmp_path, pictures):
    path = npz(
        tmp_path / "a.npz",
        x_train=pictures,
        y_train=LABELS[:, np.newaxis],
        x_test=PICTURES,
        y_test=LABELS.astype(np.int32),
    )
    found = data.load(str(path))
    assert np.array_equal(found.train.pictures[:, 0], PICTURES)
    assert np.array_equal(found.train.labels, LABELS)


def test_without_a_test_part_every_sixth_becomes_one(tmp_path):
    pictures = np.arange(60, dtype=np.uint8).repeat(784).reshape(60, 28, 28)
    path = npz(tmp_path / "a.npz", images=pictures, labels=np.arange(60) % 3)
    found = data.load(str(path))
    assert (len(found.train), len(found.test)) == (50, 10)
    seen = [*found.train.pictures[:, 0, 0, 0], *found.test.pictures[:, 0, 0, 0]]
    assert sorted(seen) == list(range(60))
    assert np.array_equal(data.load(str(path)).test.labels, found.test.labels)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"y": LABELS[:3]}, "4 pictures but 3 labels"),
        ({"y": LABELS.astype(float)}, "one integer for each picture"),
        ({"y": LABELS.astype(np.int64) - 1}, "labels from -1 to 2"),
        ({"y": LABELS.astype(np.int64) * 500}, "labels from 0 to 1500"),
        ({"x": PICTURES * np.nan}, "pixels from nan"),
        ({"x": PICTURES.astype(complex)}, "numbers fit"),
        ({"x": PICTURES.astype(str)}, "numbers fit"),
        ({"x": PICTURES[:, 0, 0]}, "pictures of shape (4,)"),
        ({"x": PICTURES[:0], "y": LABELS[:0]}, "holds no pictures"),
        ({"y": LABELS * 0}, "holds one class, 0: two or more fit"),
        ({"x": PICTURES[:, :27]}, "pictures of 1x27x28, the network reads 1x28x28"),
        ({"x": np.array([{}, {}])}, "numbers fit"),
    ],
)
def test_an_npz_that_cannot_be_is_refused(tmp_path, changes, said):
    path = tmp_path / "a.npz"
    np.savez(path, **{"x": PICTURES, "y": LABELS, **changes}, allow_pickle=True)
    assert said in refused(path, shape=(1, 28, 28))


def test_an_npz_with_other_names_says_which_fit(tmp_path):
    message = refused(npz(tmp_path / "a.npz", faces=PICTURES))
    assert "faces" in message
    assert "x_train, y_train, x_test, y_test" in message


def test_damaged_npz_files_are_refused(tmp_path):
    """Wherever a byte is flipped or the file ends: an error of ours, or what was stored."""
    whole = npz(tmp_path / "a.npz", x=PICTURES, y=LABELS).read_bytes()
    path = tmp_path / "b.npz"
    spots = range(0, len(whole), 7)
    broken = [whole[:at] for at in spots]
    broken += [whole[:at] + bytes([whole[at] ^ 0x41]) + whole[at + 1 :] for at in spots]
    noticed = 0
    for content in broken:
        path.write_bytes(content)
        try:
            read = data.load(str(path))
        except DataError:
            noticed += 1
        else:
            assert sorted([*read.train.labels, *read.test.labels]) == [0, 1, 2, 3]
    assert noticed > len(broken) * 0.8


def test_an_npz_cannot_ask_for_more_memory_than_it_has(tmp_path):
    """Its header promises terabytes."""
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        head, {"descr": "|u1", "fortran_order": False, "shape": (2**40, 28, 28)}
    )
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", head.getvalue() + bytes(100))
        archive.writestr("y.npy", b"")
    assert "not as long as its header says" in refused(path)


def test_a_zip_bomb_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(idx, "MOST_BYTES", 1_000_000)
    path = npz(tmp_path / "a.npz", x=np.zeros((2000, 28, 28), np.uint8), y=np.zeros(2000, int))
    assert path.stat().st_size < 20_000
    assert "too large" in refused(path)


def draw(folder, count, shade, size=(28, 28)):
    image = pytest.importorskip("PIL.Image")
    folder.mkdir(parents=True)
    for number in range(count):
        image.new("L", size, shade + number).save(folder / f"{number}.png")


def test_class_folders(tmp_path):
    draw(tmp_path / "cat", 6, 100)
    draw(tmp_path / "dog", 6, 200, (56, 56))
    (tmp_path / "cat" / "notes.txt").write_text("not a picture")
    found = data.load(str(tmp_path))
    assert found.classes == ("cat", "dog")
    assert (len(found.train), len(found.test)) == (10, 2)
    for part in (found.train, found.test):
        assert np.array_equal(part.pictures[:, 0, 14, 14] >= 200, part.labels == 1)


def test_the_first_few_of_class_folders_are_of_every_class(tmp_path):
    draw(tmp_path / "train" / "cat", 30, 100)
    draw(tmp_path / "train" / "dog", 30, 200)
    draw(tmp_path / "test" / "cat", 1, 100)
    draw(tmp_path / "test" / "dog", 1, 200)
    found = data.load(str(tmp_path), limit=20)
    assert len(found.train) == 20
    assert set(found.train.labels) == {0, 1}


def test_class_folders_take_the_shape_of_the_network(tmp_path):
    draw(tmp_path / "cat", 2, 100)
    draw(tmp_path / "dog", 2, 200)
    assert data.load(str(tmp_path), shape=(3, 8, 10)).shape == (3, 8, 10)


def test_a_damaged_picture_is_named(tmp_path):
    draw(tmp_path / "cat", 2, 100)
    draw(tmp_path / "dog", 2, 200)
    (tmp_path / "dog" / "1.png").write_bytes(b"<html>")
    assert str(tmp_path / "dog" / "1.png") in refused(tmp_path)


def test_folders_that_are_no_data_set(tmp_path):
    assert "holds no class folders" in refused(tmp_path)
    draw(tmp_path / "cat", 2, 100)
    (tmp_path / "dog").mkdir()
    assert "holds no pictures" in refused(tmp_path)


def test_train_and_test_have_the_same_classes(tmp_path):
    draw(tmp_path / "train" / "cat", 1, 0)
    draw(tmp_path / "train" / "dog", 1, 0)
    draw(tmp_path / "test" / "cat", 1, 0)
    assert "other class folders" in refused(tmp_path)


# --- what they have in common --------------------------------------------------------------------


def test_a_name_that_is_nothing(tmp_path):
    with pytest.raises(ArgumentError, match="mnist, fashion-mnist, digits, a folder"):
        data.load(str(tmp_path / "mnits"))


def test_digits_need_no_file():
    found = data.load("digits", limit=64)
    assert (len(found.train), len(found.test)) == (64, 4000)
    assert found.fingerprint == "digits 1"


def test_validation_is_held_back_always_the_same(tmp_path):
    pictures = np.arange(60, dtype=np.uint8).repeat(784).reshape(60, 28, 28)
    parts = {"x_train": pictures, "y_train": np.arange(60) % 3}
    path = npz(tmp_path / "a.npz", **parts, x_test=PICTURES, y_test=LABELS)
    found, again = (data.load(str(path), validation=10) for _ in range(2))
    assert (len(found.train), len(found.validation), len(found.test)) == (50, 10, 4)
    seen = [*found.train.pictures[:, 0, 0, 0], *found.validation.pictures[:, 0, 0, 0]]
    assert sorted(seen) == list(range(60))
    assert np.array_equal(found.validation.pictures, again.validation.pictures)
    assert found.fingerprint == again.fingerprint


@pytest.mark.parametrize("options", [{"limit": 0}, {"limit": -1}, {"validation": 64}])
def test_nothing_to_learn_from_is_refused(options):
    with pytest.raises(ArgumentError):
        data.load("digits", **{"limit": 64, **options})


def test_the_fingerprint_tells_data_apart(tmp_path):
    first = data.load(str(npz(tmp_path / "a.npz", x=PICTURES, y=LABELS)))
    same = data.load(str(npz(tmp_path / "b.npz", images=PICTURES, labels=LABELS)))
    other = data.load(str(npz(tmp_path / "c.npz", x=PICTURES, y=LABELS[::-1])))
    assert first.fingerprint == same.fingerprint != other.fingerprint


@pytest.mark.parametrize("kind", ["bytes", "numbers"])
def test_the_scale_is_that_of_all_pixels(tmp_path, kind):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 200, (300, 6, 7)) if kind == "bytes" else rng.normal(5, 3, (300, 6, 7))
    found = data.load(str(npz(tmp_path / "a.npz", x=x, y=np.arange(300) % 2)))
    pixels = found.train.pictures / (255 if kind == "bytes" else 1)
    assert np.allclose(found.scale, (pixels.mean(), pixels.std()), atol=1e-4)


def test_more_classes_than_the_network_tells(tmp_path):
    found = data.load(str(npz(tmp_path / "a.npz", x=PICTURES, y=LABELS)))
    data.check_labels(found, 4)
    with pytest.raises(DataError, match="4 classes, the network tells 3"):
        data.check_labels(found, 3)


def test_batches_are_all_samples_in_their_order():
    some = data.Samples(PICTURES[:, np.newaxis], LABELS.astype(np.int64))
    sizes = [len(batch) for batch in data.batches(some, 3)]
    assert sizes == [3, 1]
    assert np.array_equal(np.concatenate([b.labels for b in data.batches(some, 3)]), LABELS)


# --- the real ones -------------------------------------------------------------------------------

REAL = os.environ.get("STEPCONV_DATA")


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
@pytest.mark.skipif(not REAL, reason="STEPCONV_DATA names no folder with mnist/, fashion-mnist/")
def test_the_real_sets(name):
    found = data.load(name, data_dir=Path(REAL or ""), validation=5000)
    assert (len(found.train), len(found.validation), len(found.test)) == (55_000, 5000, 10_000)
    assert set(found.test.labels) == set(range(10))
    mean, deviation = found.scale
    assert 0.1 < mean < deviation < 0.4
