"""``asdbench embed``."""

from __future__ import annotations

from pathlib import Path

import click

from asdbench.cli.options import CACHE, DATASET_HELP, FOLDER, Whole
from asdbench.words import counted


@click.command("embed")
@click.option("--dataset", metavar="SPEC", help=DATASET_HELP)
@click.option(
    "--embedding", metavar="SPEC", default="resnet38", show_default=True, help="resnet38, cnn14, with parameters."
)
@click.option("--weights", metavar="FILE|random", help="Checkpoint of the network, or an untrained one.")
@click.option("--output", type=FOLDER, required=True, help="Where index.csv, features.npy and embedding.json go.")
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda, cuda:1.")
@click.option("--workers", type=Whole(min=1), help="Processes side by side. Default: one a processor.")
@CACHE
@click.option("--replace", is_flag=True, help="Replace features that are there already.")
def command(
    dataset: str | None,
    embedding: str,
    weights: str | None,
    output: Path,
    device: str,
    workers: int | None,
    cache: Path | None,
    replace: bool,
) -> None:
    """Write the embedding of a data set's clips into a folder that `run --dataset features:DIR` reads."""
    from asdbench.cli.progress import TerminalProgress
    from asdbench.datasets import open_dataset
    from asdbench.running.execution import check_device, default_workers
    from asdbench.running.executors import executing
    from asdbench.running.extraction import CHUNK, extract_folder
    from asdbench.running.request import chosen_weights, with_weights
    from asdbench.running.run import keep_digests
    from asdbench.upkeep.cache import default_cache

    folder = cache or default_cache()
    data, chosen = open_dataset(dataset)
    keep_digests(data, folder)
    check_device(device)
    with TerminalProgress() as progress:
        progress.say(f"data: {chosen}")
        given = chosen_weights(data, weights, progress) or ("random" if data.profile == "quick" else None)
        spec = str(with_weights(embedding, given))
        count = min(workers or default_workers(1), max(1, len(data.clips) // CHUNK))
        with executing(workers=count, shared=folder) as executor:
            count = extract_folder(data, spec, output, folder, executor, progress, device, replace)
    click.echo(f"{counted(count, 'clip')} embedded in {output}", err=True)
    click.echo(f"next:    asdbench run --dataset features:{output}", err=True)
