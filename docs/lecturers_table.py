"""Write the table of docs/lecturers.md: which scene of the lessons shows which slide.

`python docs/lecturers_table.py` replaces it; a test says when that is due.
"""

from pathlib import Path

from stepconv.lessons import shelf

PAGE = Path(__file__).with_name("lecturers.md")
START, END = "<!-- table -->", "<!-- end of the table -->"
LECTURES = (
    "CIS 678 Machine Learning",
    "Introduction to ML, AI and DL, session 15",
    "Statistical View on Machine Learning",
    "Grasping Deep Learning, lecture 2",
    "CS360 Data Mining, lecture 14",
)
# An item of a lecture, its slides where they are numbered, what it is about; * where a slide errs.
SLIDES = """
0-01 | | the race for parameters
0-02 | | a perfect 5 and other hands' 5s
0-03 | | a 5 that is moved
0-04 | | a 5 scaled, turned, all at once
0-05 | | each variant a point in vector space
0-06 | | how many 5s does a model need?
0-07 | | CNNs lead in vision
0-08 | | AlexNet, VGG, ResNet, GoogLeNet
0-09 | | convolution as an integral
0-10 | | moving average *
0-11 | | weighted moving average
0-12 | | one sequence is flipped
0-13 | | linear, associative, commutative
0-14 | | moving average in two dimensions
0-15 | | high pass and low pass
0-16 | | Prewitt and Sobel
0-17 | | the whole CNN
1-01 | 4 | Hinton
1-02 | 5-9, 13 | vision at work
1-03 | 10-12 | style transfer
1-04 | 14 | why vision is hard
1-05 | 15, 17 | why not dense *
1-06 | 16-17 | fewer wires, shared weights
1-07 | 18-20 | small patterns that recur
1-08 | 21 | detectors at all places
1-09 | 22-26 | how a CNN is laid out
1-10 | 27-28 | what do these kernels do?
1-11 | 29-30 | and these?
1-12 | 31 | feature maps and pooling
1-13 | 32 | why ReLU or tanh between
1-14 | 32 | edges must not cancel
1-15 | 33, 44 | an edge found
1-16 | 34-36, 39 | RGB: three sums added
1-17 | 37-38 | the windows on the edge
1-18 | 40-41 | one channel, one window
1-19 | 42-43 | how many places
1-20 | 45-47 | stride 2
1-21 | 47-48, 59-60 | many filters, a volume
1-22 | 48, 67 | odd kernels
1-23 | 49-53 | a real RGB picture
1-24 | 54-55 | a horizontal edge
1-25 | 56 | Sobel, or learn w1 to w9
1-26 | 57-58 | dark to light
1-27 | 34, 59 | one channel alone
1-28 | 53, 61 | each layer shrinks
1-29 | 53, 61 | corners are read less
1-30 | 62-64 | zero padding
1-31 | 65 | the size formula
1-32 | 66 | valid and same *
1-33 | 68-69 | mirrored filters, associativity *
1-34 | 70 | cross-correlation
1-35 | 71-77 | one layer: bias and ReLU
1-36 | 78 | 280 parameters *
1-37 | 79 | a layer in letters
1-38 | 80-83 | a simple CNN, sizes carried along
1-39 | 84-85 | pooling an edge map
1-40 | 86-87 | pooling the photograph's map
1-41 | 87-88 | pooling has nothing to learn
1-42 | 89 | Fashion-MNIST
2-01 | | plan
2-02 | | pictures are big, neighbours matter
2-03 | | position changes
2-04 | | volumes
2-05 | | a unit reads a small region
2-06 | | a vector of probabilities
2-07 | | overlay, multiply, add
2-08 | | several channels
2-09 | | four filters on grey and on RGB
2-10 | | kernels of two cells
2-11 | | identity, sharpen, blurs
2-12 | | edge kernels
2-13 | | same and valid, three question marks
2-14 | | ReLU
2-15 | | why pool *
2-16 | | max and average *
2-17 | | a complete CNN
2-18 | | backward through max pooling
2-19 | | backward through a convolution *
2-20 | | build and train
3-01 | | deep learning in the news
3-02 | | tasks of vision
3-03 | | a digit as numbers
3-04 | | why it is hard
3-05 | | a dense layer on 32x32 RGB
3-06 | | the visual cortex
3-07 | | LeNet
3-08 | | why now: GPUs and ImageNet *
3-09 | | filters, shared weights, pooling
3-10 | | eight filters, eight maps
3-11 | | the binary picture
3-12 | | Conv2D with an even kernel
3-13 | | sixteen filters of 5x5
3-14 | | what layers see
3-15 | | max pooling
3-16 | | padding
3-17 | | stride
3-18 | | augmentation
3-19 | | AlexNet, VGG, Inception, ResNet
3-20 | | ResNet's errors *
3-21 | | the identity path
3-22 | | families of modules
4-01 | | agenda: softmax, subgradient, SGD
4-02 | | little feature engineering
4-03 | | ImageNet in numbers
4-04 | | SIFT and HOG
4-05 | | AlexNet
4-06 | | LeNet to DenseNet
4-07 | | the letter a as numbers
4-08 | | the inner product is a likeness
4-09 | | y11 in letters
4-10 | | a corner, cell by cell
4-11 | | the identity kernel
4-12 | | a blur *
4-13 | | stride 2: nine patches
4-14 | | kernels by name
4-15 | | gaussian-5 and unsharp-5
4-16 | | kernels with parameters to learn *
4-17 | | downsampling by averaging
4-18 | | receptive fields
4-19 | | colour
4-20 | | a CNN in 3-D, trained live
"""


def table() -> str:
    """Return the table, a part for each lecture."""
    shown: dict[str, list[str]] = {}
    for lesson in shelf.lessons():
        for number, scene in enumerate(lesson.scenes, 1):
            for item in scene.items:
                shown.setdefault(item, []).append(f"{lesson.name} {number}")
    lines: list[str] = []
    lecture = ""
    for row in SLIDES.strip().splitlines():
        item, slides, about = (cell.strip() for cell in row.split("|"))
        if item[0] != lecture:
            lecture = item[0]
            lines += ["", f"### {lecture}: {LECTURES[int(lecture)]}", ""]
            lines += ["| item | slides | about | scenes |", "| --- | --- | --- | --- |"]
        lines.append(f"| {item} | {slides} | {about} | {', '.join(shown.get(item, ['-']))} |")
    return "\n".join([*lines, ""])


def page(text: str) -> str:
    """Return the page with the table as it is now."""
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text("utf-8")), "utf-8")
