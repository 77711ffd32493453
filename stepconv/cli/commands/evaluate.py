"""`stepconv evaluate`: what a trained network is worth on pictures that it has never seen."""

from typing import Annotated

import typer

from stepconv.cli.reading import networks


def evaluate(
    path: networks.Trained,
    data: Annotated[
        str | None,
        typer.Option(help="mnist, fashion-mnist, digits, a folder or an .npz [what it learnt]."),
    ] = None,
    data_dir: networks.DataDir = None,
    backend: networks.Backend = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show MODEL the test pictures of a data set, and count.

    The table has a row for each class and says as what its pictures were told.

    Examples:

        stepconv evaluate runs/lenet5-mnist
        stepconv evaluate runs/lenet5-digits --data mnist
        stepconv evaluate model.safetensors --data digits --json
    """
    from stepconv.cli import terminal
    from stepconv.cli.showing import report

    chosen = networks.backend(backend)
    network = networks.trained(path)
    from stepconv.train import data as sets
    from stepconv.train import runs
    from stepconv.train.feed import Feed
    from stepconv.train.judge import judge, names

    data = data or str(network.about.get("recipe", {}).get("data", sets.MADE))
    found = sets.load(data, data_dir=data_dir, shape=network.model.input_shape, limit=1)
    found = sets.renumbered(found, network.about.get("classes", ()), network.model.classes)
    classes = names(network.about.get("classes", found.classes), network.model.classes)
    verdict = judge(runs.predictor(network, chosen), Feed.told(network.about).samples(found.test))
    if as_json:
        scores = verdict.scores(len(classes))
        told = {
            "model": network.model.name,
            "data": data,
            "pictures": len(found.test),
            "accuracy": verdict.accuracy,
            "within_5": verdict.within(5),
            "classes": classes,
            "precision": [score.precision for score in scores],
            "recall": [score.recall for score in scores],
            "confusion": verdict.confusion(len(classes)).tolist(),
        }
        terminal.print_json(told, ensure_ascii=False)
        return
    report.show(terminal.stdout(), verdict, found.test, classes)
    print(f"\n{network.model.name} tells {verdict.accuracy:.2%} of {len(found.test):,} right")
