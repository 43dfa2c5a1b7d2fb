"""``asdbench fetch resnet38``: the PANNs checkpoints, verified by the md5 that several sources give."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

from asdbench.errors import ConflictError, UsageError
from asdbench.fetching.catalogue import Source, checkpoint
from asdbench.fetching.disk_space import check_room
from asdbench.fetching.download import Wishes, obtain
from asdbench.fetching.http import length
from asdbench.fetching.parallel import side_by_side
from asdbench.fetching.records import locked
from asdbench.progress import Transfers


def weights_folder() -> Path:
    """Where fetched checkpoints lie unless another folder is given: ``weights`` in the user's data folder."""
    import platformdirs

    return Path(platformdirs.user_data_dir("asdbench")) / "weights"


def fetch_checkpoint(
    name: str,
    folder: Path | None = None,
    wishes: Wishes | None = None,
    watcher: Transfers | None = None,
) -> Path:
    """Bring a checkpoint to a folder; one that is there and verified stays.

    Parameters
    ----------
    name : {"resnet38", "cnn14"}
    folder : Path or None
        None: :func:`weights_folder`.
    wishes : Wishes or None
    watcher : Transfers or None

    Returns
    -------
    Path
        The file.

    Raises
    ------
    UsageError
        For an unknown name.
    DataError
        Where it could not be had, is not what it should be, or there is no space.
    """
    import pooch

    source, stop = checkpoint(name), threading.Event()
    wishes, watcher = wishes or Wishes(), watcher or Transfers()
    if source is None:
        raise UsageError(f"{name} is no checkpoint", hint="resnet38 or cnn14")
    folder = folder or weights_folder()
    target = folder / source.file
    with locked(folder):
        if target.exists():
            algorithm, expected = str(source.checksum).split(":")
            found = pooch.file_hash(str(target), algorithm)
            if found == expected:
                watcher.say(f"{source.file}: there and verified already (published {algorithm})")
                return target
            if not wishes.replace:
                raise ConflictError(
                    f"another {source.file} is there already",
                    looked=f"{target}\nexpected {algorithm} {expected}\nfound    {algorithm} {found}",
                    hint="move it away, or give --replace to have the published one; nothing was changed",
                )
            target.unlink()
        size = source.bytes or (length(str(wishes.url(source)), wishes.patience.timeout) if not wishes.folder else None)
        watcher.expect(size)
        check_room(folder, size or 0, f"for {source.file}", "free some space, or choose another folder with --to")

        def bring(source: Source) -> None:
            path = obtain(source, folder, source.checksum, wishes, watcher, stop)
            if path != target:
                copy = target.with_name(f"{target.name}.part")
                try:
                    shutil.copyfile(path, copy)
                    copy.replace(target)
                finally:
                    copy.unlink(missing_ok=True)

        side_by_side([source], bring, 1, stop, folder)
    watcher.say(f"{source.file}: verified (published {str(source.checksum).partition(':')[0]})")
    return target
