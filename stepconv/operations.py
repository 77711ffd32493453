"""One record per operation: what it is called, what it takes, how the cells of its results arise.

Kernels' table, recorder, checker and command line read here what there is, so that an operation is
declared once: `OPERATIONS` has them by name, `PASSES` each result and each gradient of theirs.
"""

from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Pass:
    """One result of an operation, or its gradient for one argument: how its cells come about.

    `family` says how an output cell gathers: "slide" a window over an image, "return" a gradient to
    the cells it came from, "weigh" the weights, "total" for a bias; "largest" and "average" pool,
    "route" and "spread" lead their gradients back; "border" pads and "fold" leads back; "gate" and
    "mirror"; a "curve" bends a number, and a gradient meets its "slope"; a "share" of a sum, and
    the "balance" of its gradients; a "join" adds or subtracts cells of two arrays, and an "append"
    puts the channels of one behind the other's. The windows move over `source`, and over what is
    `beside` it where two arrays are joined; its cells meet `weights`, if there are any.

    `kernel` is the function of a backend that computes it, the pass's own if none is named, "" if
    there is none. The rest follows from the operation that the pass is `of`.
    """

    family: str
    source: str = "x"
    weights: str | None = None
    kernel: str | None = None
    of: str = ""
    name: str = ""
    title: str = ""
    result: str = "output"
    mirrored: bool = False
    beside: str | None = None

    @property
    def sources(self) -> tuple[str, ...]:
        """The arrays whose cells gather, in the order in which their planes lie."""
        return (self.source,) if self.beside is None else (self.source, self.beside)

    @property
    def gradient(self) -> str | None:
        """The array that this is the gradient for; None of an operation's own result."""
        return None if self.result == "output" else self.result.removeprefix("grad_")


@dataclass(frozen=True)
class Operation:
    """A function of stepconv: its arrays and options, what it gives, and the gradients of that.

    `gradients` has a pass for each array that a gradient belongs to, in the order in which
    `…_backward` returns them. `mirrored` operations turn their weights by half a turn.
    """

    name: str
    title: str
    arrays: tuple[str, ...]
    options: tuple[str, ...]
    forward: Pass
    gradients: dict[str, Pass] = field(default_factory=dict)
    mirrored: bool = False

    @property
    def word(self) -> str:
        """What a command line calls it."""
        return self.name.removeprefix("correlate_").replace("_", "-")

    def name_of(self, gradient: str | None = None) -> str:
        """Return the name under which the result is recorded, or the gradient for one array."""
        if gradient is None:
            return self.name
        return (
            f"{self.name}_grad_{gradient}" if len(self.gradients) > 1 else f"{self.name}_backward"
        )

    @property
    def passes(self) -> tuple[Pass, ...]:
        """The result and the gradients, with all that follows from the operation."""
        return (
            self._known(self.forward, self.name, self.title),
            *(
                self._known(
                    replace(gradient, result=f"grad_{of}"),
                    self.name_of(of),
                    f"gradient for the {_MEANT[of]}, {self.title}",
                )
                for of, gradient in self.gradients.items()
            ),
        )

    def _known(self, one: Pass, name: str, title: str) -> Pass:
        kernel = name if one.kernel is None else one.kernel
        mirrored = self.mirrored
        return replace(one, of=self.name, name=name, title=title, kernel=kernel, mirrored=mirrored)


# What the arrays are called that gradients belong to.
_MEANT = {"x": "input", "w": "kernel", "bias": "bias"}
_SLIDING = ("stride", "padding", "dilation", "groups")
_POOLING = ("window", "stride", "padding")
_TOTAL = Pass("total", "grad_out", kernel="channel_sums")
_SLIDE_BACK = {
    "x": Pass("return", "grad_out", "w", "correlate_grad_x"),
    "w": Pass("weigh", "x", "grad_out", "correlate_grad_w"),
    "bias": _TOTAL,
}
# The adjoint's result is computed as a correlation's grad_x is, and the other way round.
_RETURN_BACK = {
    "x": Pass("slide", "grad_out", "w", "correlate"),
    "w": Pass("weigh", "grad_out", "x", "correlate_grad_w"),
    "bias": _TOTAL,
}


def _back(family: str) -> dict[str, Pass]:
    return {"x": Pass(family, "grad_out")}


_ALL = (
    Operation(
        *("correlate", "cross-correlation", ("x", "w", "bias"), (*_SLIDING, "mode")),
        *(Pass("slide", "x", "w"), _SLIDE_BACK),
    ),
    Operation(
        *("convolve", "convolution", ("x", "w", "bias"), (*_SLIDING, "mode")),
        *(Pass("slide", "x", "w", "correlate"), _SLIDE_BACK),
        mirrored=True,
    ),
    Operation(
        *("max_pool", "max pooling", ("x",), (*_POOLING, "dilation", "ceil_mode")),
        *(Pass("largest"), _back("route")),
    ),
    Operation(
        *("avg_pool", "average pooling", ("x",), (*_POOLING, "ceil_mode", "count_include_pad")),
        *(Pass("average"), _back("spread")),
    ),
    Operation(
        *("correlate_transpose", "transposed cross-correlation", ("x", "w", "bias")),
        ("stride", "padding", "output_padding", "dilation", "groups"),
        *(Pass("return", "x", "w", "correlate_grad_x"), _RETURN_BACK),
    ),
    Operation(
        *("pad", "padding", ("x",), ("padding", "mode", "value")),
        *(Pass("border"), _back("fold")),
    ),
    Operation("relu", "ReLU", ("x",), (), Pass("gate"), _back("gate")),
    Operation("leaky_relu", "leaky ReLU", ("x",), ("slope",), Pass("curve"), _back("slope")),
    Operation("tanh", "tanh", ("x",), (), Pass("curve"), _back("slope")),
    Operation("sigmoid", "sigmoid", ("x",), (), Pass("curve"), _back("slope")),
    Operation("softmax", "softmax", ("x",), (), Pass("share"), _back("balance")),
    Operation("add", "sum", ("x", "y"), (), Pass("join", kernel="", beside="y")),
    Operation("subtract", "difference", ("x", "y"), (), Pass("join", kernel="", beside="y")),
    Operation("concat", "concatenation", ("x", "y"), (), Pass("append", kernel="", beside="y")),
    Operation("flip", "half turn of a kernel", ("w",), (), Pass("mirror", "w", kernel="")),
)
OPERATIONS = {operation.name: operation for operation in _ALL}
PASSES = {one.name: one for operation in _ALL for one in operation.passes}
