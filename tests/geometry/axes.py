"""Axes with at least one window, for the property tests of geometry."""

from hypothesis import strategies as st

from stepconv.geometry import Axis


@st.composite
def axes(
    draw: st.DrawFn, /, *, dilated: bool = True, pools: bool = False, ceil: bool = False
) -> Axis:
    """Return an axis on which a window fits; `pools` keeps the padding below the window."""
    window = draw(st.integers(1, 4))
    stride = draw(st.integers(1, 4))
    dilation = draw(st.integers(1, 3 if dilated else 1))
    span = 1 + sum(dilation for _ in range(window - 1))
    pad = st.integers(0, min(4, span - 1) if pools else 4)
    before, after = draw(pad), draw(pad)
    least = max(1, span - before - after)
    size = draw(st.integers(least, least + 7))
    ceil_mode = draw(st.booleans()) if ceil else False
    return Axis(size, window, stride, dilation, before, after, ceil_mode)
