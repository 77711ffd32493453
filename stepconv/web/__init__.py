"""Pages: one HTML file each, that trains, explores or plays with no server and no network.

    html         puts scripts, styles and bytes into one file, under a policy that allows no more
    network      a trained network, or one to be trained, with its pictures inside
    record       a call or a chain of them: every step to play, in a file or in a notebook's frame
    page/        the only JavaScript of the project, and the texts and styles of the pages

`stepconv page` writes them. The scripts of a record's page, in reading order:

    parts               what the file holds, and elements of the page
    controls            play and pause, speed, the keys and buttons of all that plays
    steps               where one stands, and what the file says of a step
    grids, panels       numbers in tables; source, window, kernel, products, result and sums
    record              keys, buttons and the mouse
    stepped             in their place where an algorithm is stepped (`export/stepped_page.py`)

Those of a network's page:

    engine, worker      the programs run beside the page, which trains, answers and looks inside
    messages            questions to the worker
    chosen              what the page shows now, and who shows it
    plots, maps         curves; numbers as shades
    pad, centre         a digit is drawn, and brought into the form of those in MNIST
    picture             the picture that is looked at, and what the network says of it
    explain, cell       one cell: its field, its window, the products and their sum
    layers, kernels     every layer's maps and gradients; what was learnt
    wrong, training     what it gets wrong; start, pause, and what can be changed on the way
    weights, saving     the network as a file, for `stepconv evaluate`, and back
    network             puts all of this together
"""
