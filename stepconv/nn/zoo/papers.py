"""Where the networks come from: the year, the authors and the error that their paper published.

The years are those in which the papers appeared at a conference or won the contest that they tell
of. ImageNet's errors are top-5: the right class is not among the five likeliest.
"""

from __future__ import annotations

from typing import NamedTuple


class Paper(NamedTuple):
    """A network's origin; `error` is in per cent, `judged` says on what, None where none is told.

    `after` is the network that one in miniature follows: the year and the authors are that one's.
    """

    year: int
    authors: str
    error: float | None = None
    judged: str = ""
    after: str = ""


PAPERS = {
    "lenet5": Paper(1998, "LeCun, Bottou, Bengio, Haffner", 0.95, "MNIST"),
    "alexnet": Paper(2012, "Krizhevsky, Sutskever, Hinton", 15.3, "ImageNet top-5, seven together"),
    "zfnet": Paper(2013, "Zeiler, Fergus", 14.8, "ImageNet top-5, six together"),
    "vgg16": Paper(2014, "Simonyan, Zisserman", 7.3, "ImageNet top-5, seven together"),
    "googlenet": Paper(2014, "Szegedy and eight others", 6.67, "ImageNet top-5, seven together"),
    "resnet50": Paper(2015, "He, Zhang, Ren, Sun", 5.25, "ImageNet top-5, one alone"),
    "resnet152": Paper(2015, "He, Zhang, Ren, Sun", 3.57, "ImageNet top-5, six together"),
    "densenet121": Paper(
        2017, "Huang, Liu, van der Maaten, Weinberger", 7.71, "ImageNet top-5, one alone"
    ),
    "efficientnet-lite0": Paper(2019, "Tan, Le"),
}
_AFTER = {
    "mini-alexnet": "alexnet",
    "mini-zfnet": "zfnet",
    "mini-vgg": "vgg16",
    "mini-googlenet": "googlenet",
    "mini-resnet": "resnet50",
    "mini-densenet": "densenet121",
}


def paper(name: str) -> Paper | None:
    """Return where a network of this name comes from; None for one of the user's own.

    >>> paper("vgg16").year, paper("mini-vgg").after, paper("mini-vgg").error
    (2014, 'vgg16', None)
    """
    if name in _AFTER:
        return PAPERS[_AFTER[name]]._replace(error=None, judged="", after=_AFTER[name])
    return PAPERS.get(name)
