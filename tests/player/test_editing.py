"""The editor: what keys make of a call, what is refused, undo and redo, the line that makes it."""

import asyncio
import shlex
from pathlib import Path

import numpy as np
import pytest

import stepconv
from stepconv.cli.reading import inputs, picture_and_kernel, targets
from stepconv.cli.showing import as_command
from stepconv.player.app import Player
from stepconv.player.editing import Desk, Editor
from stepconv.player.playback import Playback
from stepconv.player.setting import setting_of
from stepconv.player.text.lines import as_text, line_width
from stepconv.player.views import screen
from stepconv.trace import From, load, load_trace, named_kernels, record, worked_chain
from tests.player.samples import ODD, WORKED, sample

DESK = Desk(inputs.numbers, picture_and_kernel.kernel, as_command.command)
EDITABLE = [
    *("vertical-edge-gray", "vertical-edge-rgb", "two-sequences", "max-pool-4x4", "relu-4x4"),
    *("signal-bias", "layer", "transposed", "avg-pool-ceil", "pad-constant", "floats", "dilated"),
]
SPECIAL = [
    *("tab", "shift+tab", "up", "down", "left", "right", "backspace", "enter", "space"),
    *("shift+up", "shift+down", "shift+left", "shift+right"),
]


def editor(name: str = "vertical-edge-gray") -> Editor:
    return Editor(sample(name), DESK)


def press(state: Editor, *keys: str) -> None:
    for key in keys:
        state.press(key, key if len(key) == 1 else None)


def focus(state: Editor, field: str) -> None:
    while state.focus != field:
        press(state, "tab")


def played(command: str) -> stepconv.trace.Trace:
    assert command.startswith("stepconv play ")
    return targets.trace_of(targets.parsed(shlex.split(command)[2:]))


@pytest.mark.parametrize("name", EDITABLE)
def test_a_setting_makes_the_trace_that_it_came_from(name: str) -> None:
    trace = sample(name)
    again = setting_of(trace).trace(trace.about)
    assert again == trace


@pytest.mark.parametrize("name", EDITABLE)
def test_the_command_makes_the_same_numbers(name: str) -> None:
    state = editor(name)
    press(state, "c")
    if name == "pad-constant":
        assert state.message == "value=-7 has no option: s saves it in a file"
        return
    (command,) = state.commands
    assert f"printed when you leave: {command}" == state.message
    if name not in ("layer", "transposed"):  # batches of two images are no line to type
        np.testing.assert_array_equal(played(command).output, state.trace.output)


def test_a_cell_of_the_kernel_is_typed_and_all_follows() -> None:
    state = editor()
    before = state.trace
    press(state, "right", "-", "1", "/", "1", "6", "enter")
    w = np.array(before.arrays["w"], float)
    w[0, 1] = -1 / 16
    np.testing.assert_array_equal(state.setting.arrays["w"], w)
    expected = stepconv.correlate(before.arrays["x"], w, backend="textbook")
    np.testing.assert_array_equal(state.trace.output, expected)
    press(state, "u")
    assert state.trace is before  # however many keys it took, it was one change
    press(state, "U")
    np.testing.assert_array_equal(state.trace.output, expected)


def test_whole_numbers_stay_whole() -> None:
    state = editor()
    press(state, "7")
    assert state.setting.arrays["w"].dtype.kind == "i"
    assert state.setting.arrays["w"][0, 0] == 7


def test_options_are_changed_by_arrows_and_by_typing() -> None:
    state = editor()
    focus(state, "stride")
    press(state, "right")
    assert state.trace.plan.slide.stride_y == 2
    press(state, "3", "enter")
    assert state.trace.plan.slide.stride_y == 3
    focus(state, "padding")
    press(state, "left", "left")
    assert state.setting.options["padding"] == "same"
    press(state, "1", ",", "2", "enter")
    assert state.setting.options["padding"] == (1, 2)
    focus(state, "mode")
    press(state, "right")
    assert state.setting.options["mode"] == "reflect"


def test_what_is_impossible_says_what_would_fit_and_changes_nothing() -> None:
    state = editor()
    focus(state, "dilation")
    before = state.trace
    press(state, "9", "enter")
    assert "does not fit" in state.message
    assert state.trace is before
    focus(state, "stride")
    press(state, "left")
    assert "stride=0" in state.message
    assert state.trace is before
    press(state, "-", "enter")
    assert "'-' is no value for stride" in state.message
    press(state, "u")
    assert state.message == "nothing to undo"


def test_named_kernels_and_pictures_are_gone_through_live() -> None:
    state = editor()
    focus(state, "named")
    seen = set()
    for _ in range(30):
        press(state, "right")
        seen.add(state.shown("named"))
        name = state.shown("named")
        kernel = named_kernels()[name].kernel
        np.testing.assert_array_equal(
            state.setting.arrays["w"], kernel if kernel.ndim == 2 else kernel[None]
        )
    assert {"sobel-x", "laplacian", "gaussian-5"} & seen
    focus(state, "picture")
    press(state, "right")
    assert state.shown("picture") in stepconv.trace.pictures()


def test_the_operation_changes_and_what_it_does_not_take_is_kept() -> None:
    state = editor()
    w = state.setting.arrays["w"]
    focus(state, "operation")
    seen = {state.setting.op}
    for _ in range(15):
        press(state, "right")
        seen.add(state.setting.op)
    assert {"convolve", "max_pool", "avg_pool", "pad", "relu", "correlate_transpose"} <= seen
    while state.setting.op != "correlate":
        press(state, "right")
    np.testing.assert_array_equal(state.setting.arrays["w"], w)


def test_the_input_is_painted_typed_and_shifted() -> None:
    state = editor("relu-4x4")
    x = state.setting.arrays["x"]
    assert state.focus == "input"
    press(state, "shift+right", "shift+down")
    moved = np.zeros_like(x)
    moved[1:, 1:] = x[:-1, :-1]
    np.testing.assert_array_equal(state.setting.arrays["x"], moved)
    press(state, "space")
    assert state.setting.arrays["x"][0, 0] == moved.max()
    press(state, "space", "right", "5", "enter")
    assert state.setting.arrays["x"][0, :2].tolist() == [0, 5]


def test_planes_are_reached_one_by_one() -> None:
    state = editor("layer")
    count = len(state.planes("kernel"))
    for plane in range(count):
        assert state.plane == plane
        press(state, "4", "enter", "]")
    assert state.plane == 0
    assert (state.planes("kernel")[:, 0, 0] == 4).all()


def test_bias_kernel_and_input_are_loaded() -> None:
    state = editor("vertical-edge-rgb")
    focus(state, "bias")
    press(state, "2", "enter")
    assert state.setting.arrays["bias"].tolist() == [2]
    state.load_kernel("1 0; 0 -1")
    assert state.setting.arrays["w"].shape == (1, 3, 2, 2)
    state.load_kernel("no-such-kernel")
    assert "not known" in state.message
    state.load_input("eight-22x16")
    assert state.setting.arrays["x"].shape == (3, 22, 16)
    state.load_input("1 2; 3")
    assert "row 2" in state.message


def test_saving_writes_the_present_trace(tmp_path: Path) -> None:
    state = editor()
    press(state, "5", "enter")
    state.save(str(tmp_path / "mine.trace.npz"))
    assert load_trace(tmp_path / "mine.trace.npz") == state.trace
    state.save(str(tmp_path / "mine.trace.npz"))
    assert "there" in state.message or "exists" in state.message


def test_a_lecture_s_words_go_with_the_first_change() -> None:
    state = editor("vertical-edge-rgb")
    assert "75" in state.trace.about.title
    press(state, "9", "enter")
    assert state.trace.about.title == "edited"
    assert state.trace.about.notes == ()
    assert state.trace.about.channels == ("red", "green", "blue")


@pytest.mark.parametrize("name", ["max-pool-backward", "flip", "layer-back-w"])
def test_what_is_no_call_forward_is_not_edited(name: str) -> None:
    player = Playback(sample(name), desk=DESK)
    player.edit()
    assert player.view == "step"
    assert "is not edited" in player.message


@pytest.mark.parametrize("name", EDITABLE)
def test_no_keys_whatever_lead_astray(name: str) -> None:
    """After any keys the trace is that of the setting, and all can be undone and made again."""
    random = np.random.default_rng(5)
    player = Playback(sample(name), desk=DESK)
    player.edit()
    state = player.editor
    assert state is not None
    characters = list("0123456789-./,:[]uUcx")
    for count in range(150):
        key = str(random.choice([*SPECIAL, *characters]))
        player.edit_key(key, key if len(key) == 1 else None)
        assert player.film.trace is state.trace
        if count % 10 == 0:
            assert state.setting.trace(state.trace.about) == state.trace
            for size in ((80, 24), (60, 20), (24, 7)):
                lines = screen.lines(player, *size)
                assert len(lines) == size[1]
                assert max(line_width(line) for line in lines) <= size[0]
    last = state.trace
    changes = 0
    while state.past:
        press(state, "u")
        changes += 1
    assert state.trace == sample(name)
    for _ in range(changes + len(state.future)):
        press(state, "U")
    if not state.future:
        assert state.trace == last or changes == 0 or last is not state.trace


def test_every_field_is_reached_by_tab_and_told() -> None:
    state = editor()
    player = Playback(sample("vertical-edge-gray"), desk=DESK)
    player.edit()
    reached = []
    for _ in state.fields:
        reached.append(state.focus)
        press(state, "tab")
    assert sorted(reached) == sorted(state.fields)
    text = "\n".join(as_text(line) for line in screen.lines(player, 120, 40))
    for word in ("operation", "kernel", "stride", "padding", "dilation", "mode", "bias", "groups"):
        assert word in text


@pytest.mark.slow
def test_keys_reach_the_editor_and_its_commands_are_kept(tmp_path: Path) -> None:
    async def run() -> Player:
        player = Player(sample("vertical-edge-gray"), desk=DESK)
        async with player.run_test(size=(80, 24)) as pilot:
            await pilot.press("e", "5", "enter", "c", "s")
            await pilot.press(*str(tmp_path / "q.trace.npz").replace("/", "/"))
            await pilot.press("enter", "pagedown", "escape")
            await pilot.pause()
        return player

    player = asyncio.run(run())
    assert player.playback.view == "step"
    assert player.playback.index == 1
    assert player.playback.film.trace.arrays["w"][0, 0] == 5
    assert (tmp_path / "q.trace.npz").exists()
    assert player.playback.editor is not None
    assert len(player.playback.editor.commands) == 1


def test_without_a_desk_nothing_is_edited() -> None:
    player = Playback(record(stepconv.correlate, [1, 2], [1], backend="textbook"))
    player.edit()
    assert player.message == "nothing can be changed here"


def test_the_samples_are_there() -> None:
    assert set(EDITABLE) <= {*ODD, *WORKED}


def test_numbers_beyond_a_type_are_taken_or_refused_but_never_raise() -> None:
    state = Editor(
        record(stepconv.max_pool, np.full((4, 4), 200, np.uint8), 2, backend="textbook"), DESK
    )
    press(state, "-", "3", "enter")
    assert state.setting.arrays["x"][0, 0] == -3
    press(state, *"9" * 30, "enter")
    assert state.setting.arrays["x"][0, 0] == float("9" * 30)
    press(state, "u", *"9" * 400)
    assert state.setting.arrays["x"].max() < np.inf
    plain = editor("vertical-edge-gray")
    focus(plain, "bias")
    press(plain, "1", " ", "2", "enter")
    assert "bias" in plain.message


def chain_editor(link: int) -> Playback:
    calls = [
        (stepconv.correlate, {"w": [[1, 0, -1]] * 3}),
        (stepconv.relu, {}),
        (stepconv.max_pool, {"window": 2}),
        (stepconv.add, {"y": From(2)}),
    ]
    chain = record(calls, np.arange(36).reshape(6, 6) % 7, backend="textbook")
    playback = Playback(chain, desk=DESK)
    playback.stand_on(link, 0)
    playback.edit()
    return playback


def test_a_link_is_changed_and_what_is_made_from_it_follows() -> None:
    playback = chain_editor(0)
    assert playback.editor is not None
    press(playback.editor, "5", "enter")
    playback.edit_key("enter")
    chain = playback.chain
    assert chain is not None
    assert chain[0].arrays["w"][0, 0] == 5
    assert chain[0] is playback.film.trace
    again = record(
        [(stepconv.relu, {}), (stepconv.max_pool, {"window": 2})],
        chain[0].output,
        backend="textbook",
    )
    assert np.array_equal(chain[2].output, again.output)
    assert np.array_equal(chain.output, 2 * again.output)
    playback.edit_key("u", "u")
    assert playback.chain is not None
    assert playback.chain[0].arrays["w"][0, 0] == 1


def test_of_a_later_link_the_input_is_changed_where_it_is_made() -> None:
    playback = chain_editor(2)
    assert playback.editor is not None
    assert "input" not in playback.editor.fields
    focus(playback.editor, "window")
    playback.edit_key("4", "4")
    assert playback.chain is not None
    assert playback.chain.output.shape == (1, 1)


def test_a_change_that_a_later_link_cannot_take_is_refused_and_names_it() -> None:
    playback = chain_editor(0)
    before = playback.chain
    assert playback.editor is not None
    focus(playback.editor, "stride")
    playback.edit_key("4", "4")
    assert "link 2, max_pool: window 2x2 does not fit" in playback.editor.message
    assert playback.chain is before


def test_the_input_of_the_chain_changes_for_every_link_that_reads_it() -> None:
    calls = [(stepconv.relu, {}), (stepconv.subtract, {"x": From(), "y": From(0)})]
    playback = Playback(record(calls, [[1, -2, 3]], backend="textbook"), desk=DESK)
    playback.edit()
    assert playback.editor is not None
    focus(playback.editor, "input")
    for key in ("-", "7"):
        playback.edit_key(key, key)
    assert playback.chain is not None
    assert playback.chain.input.tolist() == [[-7, -2, 3]]
    assert playback.chain.output.tolist() == [[-7, -2, 0]]


def test_the_command_of_a_chain_makes_the_same_chain(tmp_path: Path) -> None:
    playback = chain_editor(0)
    assert playback.editor is not None
    press(playback.editor, "c")
    (command,) = playback.editor.commands
    assert "--then 'max-pool --window 2" in command
    assert played(command) == playback.chain
    playback.save(str(tmp_path / "a"))
    assert load(tmp_path / "a.npz") == playback.chain


def test_weights_that_come_from_a_link_are_changed_there() -> None:
    playback = Playback(worked_chain("two-convolutions").chain(), desk=DESK)
    playback.stand_on(3, 0)
    playback.edit()
    assert playback.editor is not None
    assert "kernel" not in playback.editor.fields
    press(playback.editor, "c")
    assert "link 2 has no line of its own: s saves" in playback.editor.message


def test_a_name_without_a_suffix_gets_one_and_no_file_is_overwritten(tmp_path: Path) -> None:
    state = editor()
    state.save(str(tmp_path / "edge"))
    assert load_trace(tmp_path / "edge.trace.npz") == state.trace
    state.save(str(tmp_path / "edge"))
    assert state.message.endswith("edge.trace.npz is there already: another name fits")


def test_what_is_not_typed_says_so() -> None:
    state = editor()
    focus(state, "named")
    press(state, "4")
    assert state.message == "named is not typed: ← and → go through what there is"
    press(state, "tab")
    assert state.message == ""


def test_an_error_goes_with_the_next_key() -> None:
    state = editor()
    focus(state, "stride")
    press(state, "left")
    assert "too small" in state.message
    press(state, "right")
    assert state.message == ""


@pytest.mark.parametrize("field", ["operation", "named", "mode", "padding", "picture"])
def test_every_value_of_a_list_is_reached_by_the_arrows(field: str) -> None:
    state = editor()
    focus(state, field)
    seen, start = [state.shown(field)], state.setting
    for _ in range(60):
        press(state, "right")
        assert state.focus == field
        if state.shown(field) in seen[:1]:
            break
        seen.append(state.shown(field))
    least = {"operation": 4, "named": 15, "mode": 4, "padding": 5, "picture": 4}[field]
    assert len(set(seen)) >= least, (seen, start)


def test_every_cell_and_plane_is_reached_by_the_arrows() -> None:
    state = editor("vertical-edge-rgb")
    focus(state, "kernel")
    planes, rows, columns = state.planes("kernel").shape
    seen = set()
    for _ in range(planes):
        for row in range(rows):
            for _ in range(columns):
                seen.add((state.plane, *state.cell))
                press(state, "right")
            press(state, *["left"] * columns, *(["down"] if row < rows - 1 else []))
        press(state, *["up"] * rows, "]")
    assert len(seen) == planes * rows * columns


def test_what_would_take_long_is_refused_at_once() -> None:
    state = editor()
    focus(state, "padding")
    press(state, *"999")
    assert "are too many to follow every key" in state.message
    press(state, "backspace", "backspace")
    assert state.shown("padding") == "9"
    assert state.message == ""
