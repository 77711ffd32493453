"""One step of gradient descent on this picture: the answers before it and after it."""

from __future__ import annotations

import numpy as np

from stepconv.explorer.views import answers
from stepconv.explorer.visit import Visit
from stepconv.player.text.lines import Block, Piece, above, beside, block, cut, text_block, wrapped


def view(visit: Visit, width: int, height: int) -> Block:
    """Return the answers before and after w - lr · gradient in every weight."""
    before, after = visit.inside, visit.after_step()
    assert visit.label is not None
    name = visit.subject.classes[visit.label]
    words = wrapped(
        f"Every weight of the network takes one step, w − {visit.rate:g} · gradient, on this "
        f"picture alone, which is a {name}. The loss goes from {before.loss:.4g} to "
        f"{after.loss:.4g}, the probability of {name} from {before.probabilities[visit.label]:.1%} "
        f"to {after.probabilities[visit.label]:.1%}. + and − change the step.",
        width,
    )
    room = height - words.height - 2
    wide = min((width - 4) // 2, 34)
    arrow = block([(), (Piece("→", "arrow"),)])
    both = beside(
        above(
            text_block("before", role="title"), answers.bars(before, wide, room - 1, visit.label)
        ),
        arrow,
        above(text_block("after", role="title"), answers.bars(after, wide, room - 1, visit.label)),
        gap=1,
    )
    return cut(above(both, words, _moved(visit, width), gap=1), width, height)


def _moved(visit: Visit, width: int) -> Block:
    """Return by how much the weights of each layer moved, beside how large they are."""
    told = []
    for name, (w, _, after) in visit.inside.step(visit.rate).items():
        if name.endswith(".weight"):
            share = float(np.linalg.norm(after - w) / (np.linalg.norm(w) or 1))
            told.append(f"{name.removesuffix('.weight')} {share:.2%}")
    return wrapped(f"weights moved by, of their length: {' · '.join(told)}", width, "muted")
