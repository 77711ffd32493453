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

# Deng et al. 2009; image-net.org; Russakovsky et al. 2015. Counts of the lecture's slide.
_IMAGENET = """
  ImageNet              14,197,122 pictures, sorted by meaning: 21,841 synsets
    bird                     2,126 pictures
    iris                       469
    courtyard                  165
  the contest (ILSVRC)   1,281,167 pictures to learn from, of any size
                            50,000 to choose by, 100,000 to be judged by
                             1,000 classes, one label for each picture

      flamingo · quail · pill bottle · race car · very many breeds of dogs
"""

# He et al. 2015, tables 3 and 4: errors on the pictures to choose by.
_RESNETS = """
  per cent           top-1   top-5                        top-1   top-5
  VGG                    -    8.43      ResNet-34 B       21.84    5.71
  GoogLeNet              -    7.89      ResNet-34 C       21.53    5.60
  VGG (v5)            24.4     7.1      ResNet-50         20.74    5.25
  PReLU-net          21.59    5.71      ResNet-101        19.87    4.60
  BN-inception       21.99    5.81      ResNet-152        19.38    4.49

  first of the contests of 2015, ahead of the second by
     16%  ImageNet detection         11%  COCO detection
     27%  ImageNet localization      12%  COCO segmentation
"""

_NEXT = """
  style transfer   one picture's strokes on another's things: maps compared
  GAN              one network makes pictures, one tells them from real ones
  attention        every cell asks all others; transformers are made of it
  detection        boxes and classes for all things in a picture
  segmentation     a class for each pixel, by convolutions that grow again

  none of these is in here; the layers under them are
"""

SKETCHES: Mapping[str, str] = {
    "cortex": _CORTEX,
    "tasks": _TASKS,
    "modules": _MODULES,
    "families": _FAMILIES,
    "cubes": _CUBES,
    "residual": _BRANCHES,
    "imagenet": _IMAGENET,
    "resnets": _RESNETS,
    "next": _NEXT,
}


def frames(*names: str) -> list[list[str]]:
    """Return a frame for each sketch that is named."""
    for name in names:
        if name not in SKETCHES:
            hint = closest(name, SKETCHES, f"{', '.join(SKETCHES)} are known")
            raise ArgumentError(f"sketch {name!r} is not known: {hint}")
    return [SKETCHES[name].strip("\n").split("\n") for name in names]
