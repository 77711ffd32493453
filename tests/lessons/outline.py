"""The lectures' outline: which items there are, and which course shows each idea."""

# Items of the five lectures, by lecture: 0-01 to 0-17, and so on.
COUNTS = {0: 17, 1: 42, 2: 20, 3: 22, 4: 20}
ITEMS = [f"{lecture}-{n:02}" for lecture, count in COUNTS.items() for n in range(1, count + 1)]

# Lessons that do not show all of it yet.
IN_WRITING = {"convolution", "images", "layers", "learning", "networks"}

# What each lesson has to show.
COURSES = {
    "convolution": ("0-09 0-12 0-10 0-11 1-33 1-34 2-07 4-10 0-13 1-13 1-18 3-11 4-08 4-09"),
    "images": (
        "1-05 3-03 4-07 4-19 0-14 1-10 2-11 4-11 4-12 4-14 4-15 0-15 1-11 2-12 0-16 1-15 1-18 1-24 "
        "1-25 2-10 4-04 1-14 1-26 1-16 1-17 1-23 1-27 2-08 2-09 1-12 1-21 2-04 3-10 3-12 3-13 1-19 "
        "1-20 1-31 1-37 3-17 4-13 4-17 1-28 1-29 1-30 1-32 2-13 3-16 1-22"
    ),
    "layers": (
        "0-01 1-05 1-06 2-02 3-04 3-05 1-07 1-08 2-05 3-09 0-03 2-03 1-13 1-14 1-35 2-14 4-09 1-12 "
        "1-39 1-40 1-41 2-15 2-16 3-15 4-17 1-36 1-37 2-09 3-12 3-13"
    ),
    "learning": (
        "1-25 4-02 4-04 4-16 2-06 4-01 1-41 2-18 2-19 0-02 0-03 0-04 0-05 0-06 1-04 2-03 3-04 3-18 "
        "0-17 1-42 2-20 4-20"
    ),
    "networks": (
        "0-17 1-09 1-38 2-17 4-01 4-20 0-08 1-01 3-07 3-19 3-20 4-05 4-06 3-08 4-02 4-03 1-12 3-13 "
        "3-14 3-06 4-18 3-21 3-22 0-07 1-02 1-03 2-01 3-01 3-02"
    ),
}
