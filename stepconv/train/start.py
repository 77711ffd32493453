"""A training that begins with what another has learnt, as far as it fits."""

from stepconv.errors import ArgumentError
from stepconv.nn.checkpoint import Network
from stepconv.nn.trainer import Trainer


def take_over(trainer: Trainer, start: Network) -> list[str]:
    """Give a new trainer the weights that have its names and shapes; return the names of others.

    Those keep what chance gave them: the last layer, where the classes are others.
    """
    state = trainer.state()
    given = {f"parameter.{name}": array for name, array in start.parameters.items()}
    given |= {f"statistic.{name}": array for name, array in start.statistics.items()}
    known = {key for key in state if key.startswith(("parameter.", "statistic."))}
    fitting = {key for key in known if key in given and given[key].shape == state[key].shape}
    if not any(key.startswith("parameter.") for key in fitting):
        raise ArgumentError(
            f"nothing of {start.model.name} fits {trainer.model.name}: layers of the same names "
            "and sizes do"
        )
    trainer.restore(state | {key: given[key] for key in fitting})
    return [key.partition(".")[2] for key in state if key in known - fitting]
