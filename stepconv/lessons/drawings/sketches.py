"""Sketches: what a slide draws and no engine computes, as text."""

from __future__ import annotations

from collections.abc import Mapping

from stepconv.errors import ArgumentError, closest

_CORTEX = """
  eye       ──▶  retina    points of light, dark beside bright
                    │
  midbrain  ──▶  LGN       hands them on
                    │
  cortex    ──▶  V1        bars and edges, each cell looks at a small place
                    │
                 V2        corners, textures
                    │
                 V4        parts, colours
                    │
                 PIT, AIT  things, wherever they stand

  small and local  ───────▶  large and whole
"""

_TASKS = """
  ┌──────────────────────┐          ┌──────────────────────┐
  │   5 5 5       1      │          │   5 5 5       1      │
  │   5           1      │          │   5           1      │
  │   5 5 5       1   5  │          │   5 5 5       1   5  │
  └──────────────────────┘          └──────────────────────┘
  recognition: "5, and a 1"         semantic segmentation: the class of
                                    each cell; both 5s are just "5"
  ┌──────────────────────┐          ┌──────────────────────┐
  │ ╭───────╮   ╭───╮    │          │   a a a       b      │
  │ │   5   │   │ 1 │╭─╮ │          │   a           b      │
  │ ╰───────╯   ╰───╯╰5╯ │          │   a a a       b   c  │
  └──────────────────────┘          └──────────────────────┘
  detection: a box and a class      instance segmentation: a and c are
  for each thing                    two 5s, b is the 1
"""

_MODULES = """
  module         what a cell reads                              in a CNN
  dense          all cells, a weight for each                   at the end
  convolution    a window, the same weights everywhere          yes
  residual       what a stack made of x, plus x                 in a ResNet
  recurrent      the next number, and what it remembers         no
  graph conv     its neighbours in a graph                      no
  attention      all cells, weighed by how they fit it          no
  prediction     the last row: softmax over the classes         at the end
"""

_FAMILIES = """
  with labels                                  without
  dense network   rows of numbers              GAN  one makes pictures, one
  CNN             pictures                           tells them from real ones
    ResNet        a CNN with identity paths
  RNN             sequences, step by step
  graph CNN       molecules, networks of friends
  transformer     text, and by now pictures
"""

_CUBES = """
  one channel                         three channels
                                          ╭─────╮
  ┌─────┐    ┌───┐                       ╭─────╮│    ╭───╮      one number:
  │     │    │3x3│  a square            ╭─────╮││   ╭───╮│      the sums of
  │     │    └───┘                      │     ││╯  ╭───╮││      all channels
  └─────┘                               │     │╯   │3x3│││      added
                                        ╰─────╯    ╰───╯╯╯
  each filter: 3·3·1 weights            each filter: 3·3·3 weights, a cube
"""

_BRANCHES = """
  y = F(x) + x

          ┌──▶ convolution ──▶ ReLU ──▶ convolution ──┐
     x ───┤                                           ├──▶ + ──▶ y
          └───────────────── x itself ────────────────┘

  the way back: dy/dx = F' + 1, whatever F' is
"""

SKETCHES: Mapping[str, str] = {
    "cortex": _CORTEX,
    "tasks": _TASKS,
    "modules": _MODULES,
    "families": _FAMILIES,
    "cubes": _CUBES,
    "residual": _BRANCHES,
}


def frames(*names: str) -> list[list[str]]:
    """Return a frame for each sketch that is named."""
    for name in names:
        if name not in SKETCHES:
            hint = closest(name, SKETCHES, f"{', '.join(SKETCHES)} are known")
            raise ArgumentError(f"sketch {name!r} is not known: {hint}")
    return [SKETCHES[name].strip("\n").split("\n") for name in names]
