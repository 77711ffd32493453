"""Lessons: scenes read from text files, with numbers that the engine fills in or checks.

A lesson is a text file, an ordered list of scenes; docs/lessons.md describes the format.

scene           Lesson, Scene, Question: what a file says, as plain data
reading         a text -> a lesson; what does not fit is refused with its line
shelf           the lessons that are shipped, by number, name or file
words           how prose writes a number, a row of them, a size
expressions     what stands between braces: computed, or checked against what is written there
names           what an expression may speak of: the record that a scene opens, the gallery, facts
filling         a scene with its numbers filled in, its claims checked
facts           numbers that no engine computes, each with where it is from (facts.toml)
reader          where somebody stands: lists, scenes, guesses; no screen, no keys
progress        which scenes somebody has seen, kept in the user's state folder
drawings/       small drawings, plain data -> lines of text
experiments/    what some of them show: a 5 that is changed, a kernel that learns, depth
*.md            the five lessons
"""
