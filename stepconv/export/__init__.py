"""A record for outside the terminal: pictures, films, slides and pages of its steps.

A frame of the player becomes a figure, which a lecturer's table can be made of, a figure strokes,
and strokes a file:

looks           what the roles of cells and words look like on paper, light or dark
figure          a frame as tables, pictures and words at their places
reel            the steps that are exported, and figures of one size for all of them
stepped         the same of an algorithm's steps, with the table of all ways
strokes         a figure as boxes, labels, shapes and pixels: all that a picture has
svg             strokes as a picture for slides and the web, still or moving
raster          strokes drawn in pixels: a PNG picture, a GIF film
pdf             strokes as pages
slides          figures as slides with tables that can be edited
cast            lines of the player as a recording of a terminal
"""
