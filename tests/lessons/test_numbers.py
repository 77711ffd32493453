"""Every number that a lesson says is filled in or checked, or is a fact with a source."""

import ast
import re

import pytest
from typer.main import get_command

from stepconv.cli import COMMANDS, app
from stepconv.cli.lesson.opening import opened
from stepconv.cli.lesson.screen import standing
from stepconv.cli.reading import lessons as typed
from stepconv.errors import ArgumentError
from stepconv.geometry import dense_parameter_count, output_size, parameter_count
from stepconv.lessons import shelf
from stepconv.lessons.expressions import braces, fill
from stepconv.lessons.facts import facts
from stepconv.lessons.names import filled
from stepconv.lessons.reader import judged
from stepconv.lessons.reading import parse
from stepconv.lessons.scene import MOST_WORDS, Lesson
from stepconv.trace import named_kernels, pictures, worked_examples
from tests.lessons.outline import COURSES, ITEMS

LESSONS = shelf.lessons()
SCENES = [(lesson, number) for lesson in LESSONS for number in range(len(lesson.scenes))]

# Names that have a digit or a number in them, and count nothing.
NAMES = re.compile(
    r"\b([123]-D|GPT-4|LeNet-?[15]|VGG-?1[69]|ResNet-?(50|101|152|34)|DSP32C|486|lenet5|vgg16|"
    r"resnet(50|152)|densenet121|DeepSeek R1|Conv2D|top-[15]|CS360|CIS 678|cs231n|conv[12]|fc[123]|"
    r"pool[12]|dense[123]|[xywzaβαθWwF][0-9]{1,2}|"
    r"V[124]|5s|(a|perfect|same|hand's) 5)\b"
)
EVERY_NAME = [*named_kernels(), *pictures(), *(each.id for each in worked_examples())]
GALLERY = re.compile(rf"\b({'|'.join(EVERY_NAME)})\b")
NUMBER_WORDS = re.compile(
    r"\b(four|five|six|seven|eight|nine|ten|eleven|twelve|hundreds?|thousands?|millions?|"
    r"billions?|trillions?)\b",
    re.IGNORECASE,
)
# Formulas in letters, held against the engine below.
FORMULAS = ("(n - f + 2p)/s + 1", "p = (f - 1)/2", "(f - 1)/2", "2p", "3·D·D + D")
# What a slide types in Keras, and how much such a layer learns on one channel, or on two.
KERAS = {
    "Conv2D(filters=1, kernel_size=(4,2), padding='same')": parameter_count(1, 1, (4, 2)),
    "filters=2": parameter_count(2, 1, (4, 2)),
    "kernel_size=2": parameter_count(2, 2, 2),
    "filters=16, kernel_size=5": parameter_count(16, 1, 5),
}
CODE = re.compile(r"`([^`]+)`")


def label(case: tuple[Lesson, int]) -> str:
    lesson, number = case
    return f"{lesson.name}-{number}"


def unchecked(text: str) -> list[str]:
    """Return the numbers of a text that stand outside of braces and code."""
    bare = NAMES.sub("", CODE.sub("", GALLERY.sub("", braces.sub("", text))))
    return re.findall(r"\S*\d\S*", bare) + [match[0] for match in NUMBER_WORDS.finditer(bare)]


@pytest.mark.parametrize("case", SCENES, ids=label)
def test_sentences_and_engine_agree(case: tuple[Lesson, int]) -> None:
    lesson, number = case
    scene = filled(lesson, number, typed.tools())
    assert not any("{" in text or "}" in text for text in scene.texts)
    assert sum(len(text.split()) for text in scene.paragraphs) <= MOST_WORDS


@pytest.mark.parametrize("case", SCENES, ids=label)
def test_a_scene_opens_what_it_says(case: tuple[Lesson, int]) -> None:
    lesson, number = case
    scene = lesson.scenes[number]
    found = opened(scene, typed.tools())
    assert found.message == ""
    assert found.record is not None or found.frames or found.command
    assert all(len(line) <= 78 for frame in found.frames for line in frame)
    if found.record is not None:
        playback = standing(found.record, scene.place)
        assert playback.view in (scene.place.view, "step")
        assert playback.link == (scene.place.link or 0)
        assert scene.place.step in (None, playback.index, playback.index - playback.last - 1)
    if found.command:
        # Whether the command line is one, without running it.
        command = get_command(app).get_command(None, found.command[0])
        command.make_context("stepconv", list(found.command[1:]), resilient_parsing=False)


@pytest.mark.parametrize("case", SCENES, ids=label)
def test_code_is_a_name_a_command_or_a_formula(case: tuple[Lesson, int]) -> None:
    lesson, number = case
    for text in lesson.scenes[number].texts:
        for code in CODE.findall(text):
            known = code in (*EVERY_NAME, *FORMULAS, *KERAS) or code.split()[1] in COMMANDS
            assert known, f"`{code}` is nothing that stepconv knows"


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("padding", [0, 1, 2])
def test_formulas_are_the_engines(stride: int, padding: int) -> None:
    for n, f in ((10, 3), (10, 5), (28, 5), (11, 7)):
        moves = (n - f + 2 * padding) / stride
        assert output_size(n, f, stride=stride, padding=padding) == int(moves) + 1
        assert output_size(n, f, padding=(f - 1) // 2) == n
        d = n * n
        assert dense_parameter_count(3 * d, d) == 3 * d * d + d


@pytest.mark.parametrize("typed_in", KERAS)
def test_what_keras_types_is_counted_beside_it(typed_in: str) -> None:
    told = [text for lesson in LESSONS for scene in lesson.scenes for text in scene.texts]
    (text,) = (each for each in told if f"`{typed_in}`" in each)
    assert re.search(rf"\b(nine|{KERAS[typed_in]}) = parameters\(", text)


@pytest.mark.parametrize("case", SCENES, ids=label)
def test_no_number_goes_unchecked(case: tuple[Lesson, int]) -> None:
    lesson, number = case
    for text in lesson.scenes[number].texts:
        assert unchecked(text) == [], text
        for inside in braces.findall(text):
            expression = inside.partition(" = ")[2] or inside
            names = [n for n in ast.walk(ast.parse(expression.strip())) if isinstance(n, ast.Name)]
            assert names, f"{{{inside}}} checks nothing"


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_a_lesson_shows_every_item_of_its_course(lesson: Lesson) -> None:
    shown = {item for scene in lesson.scenes for item in scene.items}
    assert shown <= set(ITEMS), "an item that no lecture has"
    missing = set(COURSES[lesson.name].split()) - shown
    assert not missing, f"no scene of {lesson.name} shows {sorted(missing)}"


def test_the_courses_hold_every_item() -> None:
    assert {item for course in COURSES.values() for item in course.split()} == set(ITEMS)


def test_every_fact_has_a_source_and_a_sentence() -> None:
    told = " ".join(text for lesson in LESSONS for scene in lesson.scenes for text in scene.texts)
    for name, fact in facts().items():
        assert len(fact.source.split()) >= 2, name
        assert f'fact("{name}")' in told, f"no sentence says {name}"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("It gives 75 here.", ["75"]),
        ("It gives {75 = output[0]} here, in 2-D.", []),
        ("A picture of 3x3 cells.", ["3x3"]),
        ("Nine cells, seven of them dark.", ["Nine", "seven"]),
        ("`stepconv shapes lenet5` says so.", []),
    ],
)
def test_an_unchecked_number_would_be_noticed(text: str, found: list[str]) -> None:
    assert unchecked(text) == found


def test_a_wrong_number_would_be_noticed() -> None:
    text = "# A\n\n## B\nopens: play vertical-edge-gray\nstep: 4\n\nIt gives {76 = step.result}.\n"
    with pytest.raises(ArgumentError, match=r"line 3, 'B': .*the engine gives 75"):
        filled(parse(text, "a"), 0, typed.tools())


def test_a_claim_that_does_not_hold_would_be_noticed() -> None:
    text = "# A\n\n## B\nholds: size(10, 3) == 7\n\nLook.\n"
    with pytest.raises(ArgumentError, match="does not hold"):
        filled(parse(text, "a"), 0, typed.tools())


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("__import__('os')", "not known"),
        ("size.__globals__", "not for lessons"),
        ("(lambda: 1)()", "has no name here"),
        ("lambda: 1", "more than arithmetic"),
        ("[n for n in x]", "more than arithmetic"),
        ("x.tobytes()", "has no name here"),
        ("9 ** 9 ** 9", "a power is"),
        ("(9 ** 9) ** 9", "a power is"),
        ("[0] * 9 ** 12", "computes with a list"),
        ("'a' * 9 ** 12", "computes with a list"),
        ("1 +", "no expression"),
        ("siez(10, 3)", "did you mean 'size'"),
        ("1 / 0", "cannot be computed"),
    ],
)
def test_what_is_no_arithmetic_is_refused(expression: str, words: str) -> None:
    with pytest.raises(ArgumentError, match=re.escape(words)):
        fill(f"{{{expression}}}", {"size": len, "x": [1]})


ASKED = [case for case in SCENES if case[0].scenes[case[1]].question is not None]


@pytest.mark.parametrize("case", ASKED, ids=label)
def test_who_gives_an_answer_is_told_its_own_reason(case: tuple[Lesson, int]) -> None:
    lesson, number = case
    question = filled(lesson, number, typed.tools()).question
    assert question is not None
    for answer in question.answers:
        if answer.text is not None:
            assert judged(question, " ".join(answer.text.split())) is answer
