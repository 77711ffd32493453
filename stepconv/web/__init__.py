"""Pages: one HTML file each, that trains, explores or plays with no server and no network.

    html         puts scripts, styles and bytes into one file, under a policy that allows no more
    network      a trained network, or one to be trained, with its pictures inside
    record       a call or a chain of them: every step to play, in a file or in a notebook's frame
    page/        the only JavaScript of the project, and the texts and styles of the pages

`stepconv page` writes them. A record's page has one script, record; those of a network's page, in
reading order, are:

    engine       runs the programs; all arithmetic of the network is in the module it loads
    worker       trains, answers and looks, beside the page; messages: what it is told and tells
    chosen       what the page shows, and who is told when that changes
    pad, centre  a digit is drawn, and brought into the form of those in MNIST
    plots, maps  curves; numbers as shades, on canvases that a keyboard can walk on
    explain      one cell: its field on the picture, its window, the products and their sum
    weights      the network as a file, for `stepconv evaluate`, and back
    network      finds the page's parts and puts all of this together
"""
