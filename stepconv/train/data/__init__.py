"""Pictures with labels to learn from, wherever they come from.

    found = data.load("mnist")      # or "digits", or a folder, or a file
    found.train.pictures, found.train.labels, found.classes

- `samples`: what all of it becomes: pictures, labels, a set with its parts.
- `sets`: a set by its name, or one picture of it; `known` finds or downloads MNIST and its sister,
  from `idx` files.
- `own`: what a folder or a file of one's own is: `files` in class folders or a table, arrays in an
  `npz`; `arrays`: which numbers are pictures, which labels are classes.
- `pictures`: the one reader of picture files; `decoded`: what it read, kept on disk.
- `digits` made by code, from `strokes`; `written`: those found on a sheet of paper; `centre`: a
  picture brought into the form of a digit.
"""

from stepconv.train.data.samples import DataSet, Samples, batches, check_labels, renumbered, split
from stepconv.train.data.sets import MADE, load

__all__ = ["MADE", "DataSet", "Samples", "batches", "check_labels", "load", "renumbered", "split"]
