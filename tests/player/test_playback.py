"""Playback without a screen: playing, breakpoints, going, finding, channels and planes."""

import pytest

from stepconv.player.playback import SPEEDS, Playback
from tests.player.samples import sample


def playback(name: str = "vertical-edge-rgb") -> Playback:
    return Playback(sample(name))


def played(player: Playback, ticks: int = 1000) -> int:
    for _ in range(ticks):
        player.tick()
        if not player.playing:
            break
    return player.index


def test_it_plays_to_the_end_and_then_from_the_start() -> None:
    player = playback()
    player.toggle_playing()
    player.tick()
    assert player.index == 1
    assert played(player) == 63
    assert not player.playing
    player.toggle_playing()
    assert (player.index, player.playing) == (0, True)


def test_a_tick_does_nothing_while_it_pauses() -> None:
    player = playback()
    player.tick()
    assert player.index == 0


@pytest.mark.parametrize("speed", SPEEDS)
def test_two_seconds_take_as_many_steps_as_the_speed_says(speed: float) -> None:
    player = playback("picture")
    player.speed = speed
    player.toggle_playing()
    for _ in range(round(2 / player.interval)):
        player.tick()
    assert player.index == min(2 * speed, 675)


def test_speed_has_ends() -> None:
    player = playback()
    for _ in range(30):
        player.change_speed(1)
    assert player.speed == SPEEDS[-1]
    for _ in range(30):
        player.change_speed(-1)
    assert player.speed == SPEEDS[0]


@pytest.mark.parametrize("speed", [4.0, 960.0])
def test_it_stops_at_every_breakpoint_however_fast(speed: float) -> None:
    player = playback()
    for step in (5, 6, 40):
        player.go(step)
        player.toggle_breakpoint()
    player.go(0)
    player.speed = speed
    stops = []
    for _ in range(4):
        player.toggle_playing()
        stops.append(played(player))
    assert stops == [5, 6, 40, 63]


def test_a_breakpoint_can_be_taken_back() -> None:
    player = playback()
    player.toggle_breakpoint()
    assert player.breakpoints == {0}
    assert player.frame().result.special == {}
    player.toggle_breakpoint()
    assert player.breakpoints == set()


def test_breakpoints_to_come_are_marked_in_their_own_plane() -> None:
    player = playback("two-filters-volume")
    player.breakpoints = {3, 64 + 9}
    assert player.frame().result.special == {(0, 3): "break"}
    player.go(64)
    assert player.frame().result.special == {(1, 1): "break"}


def test_it_stops_where_a_condition_holds() -> None:
    player = playback()
    player.break_when("> 200")
    player.speed = 960.0
    stops = []
    for _ in range(3):
        player.toggle_playing()
        stops.append(played(player))
    assert stops == [3, 4, 11]
    player.break_when("")
    player.toggle_playing()
    assert played(player) == 63
    player.break_when("nonsense")
    assert "can be found" in player.message


def test_steps_have_ends_and_stop_the_playing() -> None:
    player = playback()
    player.toggle_playing()
    player.move(-1)
    assert (player.index, player.playing) == (0, False)
    player.move(1000)
    assert player.index == 63
    player.move_row(1)
    assert player.index == 63
    player.move_row(-2)
    assert player.index == 47


def test_it_goes_where_it_is_told() -> None:
    player = playback()
    player.go_to("17")
    assert player.index == 17
    player.go_to("3,4")
    assert player.place == (0, 3, 4)
    player.go_to("99")
    assert player.place == (0, 3, 4)
    assert "there is no step 99" in player.message
    player.go_to_cell(7, 7)
    assert player.index == 63
    player.go_to_cell(8, 0)
    assert player.index == 63


def test_a_cell_of_the_input_leads_to_its_window() -> None:
    player = playback("vertical-edge-stride-2")
    player.go_to_source(4, 4)
    rows, columns = player.film.trace.step(player.index).readings
    assert 4 in rows.positions
    assert 4 in columns.positions
    before = player.index
    player.go_to_source(9, 9)
    assert player.index == before
    assert player.message == "no window reads row 9, column 9"


def test_finding_goes_on_and_says_when_it_went_round() -> None:
    player = playback()
    player.find_again()
    assert "nothing to look for" in player.message
    player.find(">200")
    assert player.index == 3
    player.find_again()
    assert player.index == 4
    player.find_again(back=True)
    assert player.index == 3
    player.find_again(back=True)
    assert player.index == 60
    assert "from the other end" in player.message
    player.find("nan")
    assert player.message == "no step has a result that is not a number"
    player.find("?")
    assert "can be found" in player.message


def test_channels_and_planes_go_round() -> None:
    player = playback("layer")  # 2 images of 4 channels in 2 groups, 6 filters, 3x3
    player.change_channel(1)
    assert player.channel == 1
    player.change_channel(1)
    assert player.channel == 0
    player.go_to("0,0,1,2")
    player.change_plane(1)
    assert player.place == (1, 1, 2)
    player.change_plane(-2)
    assert player.place == (11, 1, 2)
    player.change_image(1)
    assert player.place == (5, 1, 2)
    alone = playback("same-4x4")
    for change in (alone.change_channel, alone.change_plane, alone.change_image):
        change(1)
        assert "one" in alone.message
        alone.message = ""


def test_views_open_and_close() -> None:
    player = playback()
    player.look("sizes")
    assert player.view == "sizes"
    player.look("readers")
    player.look("readers")
    assert player.view == "step"


def test_only_operations_with_a_counterpart_are_compared() -> None:
    player = playback("max-pool-4x4")
    player.look("compare")
    assert player.view == "step"
    assert "compared" in player.message
    player = playback("impulse-correlate")
    player.look("compare")
    assert player.lacks_counterpart
    player.other = player.record_counterpart()
    assert not player.lacks_counterpart
    assert (player.other.trace.output == sample("impulse-convolve").output).all()


def test_the_asked_cell_starts_in_the_window_and_stays_in_the_input() -> None:
    player = playback("same-4x4")
    assert player.asked_cell == (0, 0)
    player.go(15)
    assert player.asked_cell == (3, 3)
    player.ask_about(-5, 99)
    assert player.asked_cell == (0, 3)
