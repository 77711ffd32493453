"""What keys do at the bench: every change of the picture is looked into at once."""

from __future__ import annotations

from stepconv.explorer.standing import Standing

_NO_DATA = "no data set is at hand: --data mnist gives one"


class AtBench(Standing):
    """Standing with hands: the picture can be drawn, taken, changed."""

    def arrow(self, rows: int, across: int) -> None:
        """Move the pen over a drawing, or shift another picture."""
        if self.bench.source == "drawn":
            self.bench.pen.move(rows, across)
        else:
            self.bench.alter("moved", rows, across)
        self._changed()

    def alter(self, method: str, *numbers: int) -> None:
        """Change the picture further."""
        self.bench.alter(method, *numbers)
        self._changed()

    def pen(self) -> None:
        """Set the pen down or lift it; what was no drawing becomes one."""
        if self.bench.source != "drawn":
            self.draw()
        self.bench.pen.toggle()
        self._changed()

    def draw(self) -> None:
        """Take the pen."""
        self.bench.draw()
        self._forget_label()

    def rub(self) -> None:
        """Take the rubber instead of the pen, or the pen again."""
        self.bench.pen.erases = not self.bench.pen.erases

    def clear(self) -> None:
        """Take an empty sheet."""
        self.bench.clear()
        self._forget_label()

    def stroke(self, row: int, column: int, begins: bool) -> None:
        """Draw with the mouse: to a cell from where it was, or from there on."""
        if self.bench.source != "drawn":
            self.bench.draw()
            self.chosen_label = None
        pen = self.bench.pen
        if begins:
            pen.row, pen.column = row, column
        pen.stroke(row, column)
        self._changed()

    def take(self, by: int) -> None:
        """Take the next picture of the data set, or the one before."""
        if not self.bench.take(by):
            self.message = _NO_DATA
            return
        self._forget_label()

    def only(self, label: int | None) -> None:
        """Browse one class alone, or all."""
        shelf = self.bench.shelf
        if shelf is None:
            self.message = _NO_DATA
        elif label is not None and (label >= len(shelf.classes) or not shelf.choose(label)):
            self.message = f"there is no such picture of class {label}"
        else:
            if label is None:
                shelf.choose(None)
            self.bench.source = "shelf"
            self._forget_label()

    def only_wrong(self) -> None:
        """Browse the pictures that the network misreads, or all again."""
        shelf = self.bench.shelf
        if shelf is None:
            self.message = _NO_DATA
        elif not shelf.toggle_wrong():
            self.message = "the network misreads none of these"
        else:
            self.bench.source = "shelf"
            self._forget_label()

    def toggle_centre(self) -> None:
        """Centre the picture as the network's digits were, or show it as it is."""
        if self.bench.centre is None:
            self.message = "this network learnt from pictures as they are: nothing is centred"
            return
        self.bench.centres = not self.bench.centres
        self._changed()

    def restore(self) -> None:
        """Take all changes of the picture back."""
        self.bench.restore()
        self._changed()

    def _forget_label(self) -> None:
        self.chosen_label = None
        self._changed()

    def _changed(self) -> None:
        self.message = ""
        self.look_again()
