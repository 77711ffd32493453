"""What the explorer's tests explore: networks with weights drawn by chance, and made digits."""

from functools import cache

import numpy as np

from stepconv import look_inside, nn
from stepconv.explorer.bench.bench import Bench
from stepconv.explorer.bench.shelf import Books, Shelf
from stepconv.explorer.subject import Moment, Subject
from stepconv.explorer.visit import Visit
from stepconv.player.text.lines import as_text
from stepconv.train.data import centre, digits

COUNT = 12


@cache
def some_digits():
    """Return a few made digits and their labels."""
    made = digits.make(COUNT)
    return made.pictures, made.labels


@cache
def weights(name, seed=0):
    return nn.initial_parameters(nn.build(name), seed)


def subject(name="lenet5", moments=1):
    model = nn.build(name)
    classes = tuple("0123456789")

    def look(seed):
        first = look_inside(model, some_digits()[0][0], parameters=weights(name, seed))
        return Moment(f"moment {seed}", first.with_picture)

    return Subject(name, [look(seed) for seed in range(moments)], classes)


def centred(picture):
    return centre.centred(picture.max(axis=0).astype(float))[None]


def visit(name="lenet5", *, moments=1, rival=None, shelf=True, given=None, label=None):
    """Return a visit of a network whose first picture is a made digit."""
    pictures, labels = some_digits()
    made = subject(name, moments)

    def answer(some):
        return np.array([made.moments[-1].look(each, None).prediction for each in some])

    all_of_them = Books(pictures, labels)
    books = Shelf("digits", lambda: all_of_them, made.classes, answer) if shelf else None
    bench = Bench((1, 28, 28), shelf=books, given=given, label=label, name="a file", centre=centred)
    return Visit(made, bench, None if rival is None else subject(rival))


def text(lines):
    """Return lines without their roles."""
    return "\n".join(as_text(line) for line in lines)
