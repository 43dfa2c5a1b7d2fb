"""Names of result folders: short, readable, one a system; and folders found again by whatever somebody types."""

from __future__ import annotations

from pathlib import Path

import pytest

from asdbench.errors import UsageError
from asdbench.plugins.spec import canonical
from asdbench.results.results_folder import seed_folder, seed_folders
from asdbench.results.system_names import folder_names, of_system


def name_of(results: Path, *systems: str) -> list[str]:
    return list(folder_names(results, "toy", [canonical(one) for one in systems]).values())


def hold(results: Path, folder: str, asked: str | None, oracle: str = "") -> None:
    """A folder that says what it was asked for, or, as those of before, does not."""
    about = {} if asked is None else {"asked": canonical(asked) + oracle}
    manifest = {"system": about, "dataset": {}, "stamps": [], "seed": 777, "machines": {}}
    seed_folder(results, "toy", folder + oracle, 777).write_manifest(manifest)


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("clvae", "clvae"),
        ("./mine.py:distance", "distance"),
        ("deep/down/mine.py:knn[ k = 1 ]", "knn[k=1]"),
        ("mvg[embedding = resnet38[ blocks = pre-add ]]", "mvg[embedding=resnet38[blocks=pre-add]]"),
        ("ae[weights=/data/model.npz,pad_mode=zeros]", "ae[weights=model.npz,pad_mode=zeros]"),
        ("./mine.py:mvg", "mine.mvg"),  # the plain name is a registered system's
    ],
)
def test_names_are_short_and_readable(tmp_path: Path, asked: str, name: str) -> None:
    assert name_of(tmp_path, asked) == [name]
    folder = seed_folder(tmp_path, "toy", name, 777)
    assert folder.path.parent.name == name  # nothing is encoded
    assert folder.system == name


@pytest.mark.parametrize("name", [".hidden", "..", ".", "trailing.", "trailing ", "./mine.py:make"])
def test_no_file_system_hides_a_name_or_takes_a_part_of_it(tmp_path: Path, name: str) -> None:
    folder = seed_folder(tmp_path, name, name, 777)
    for part in folder.path.relative_to(tmp_path).parts:
        assert not part.startswith(".")
        assert not part.endswith((".", " "))
    assert (folder.dataset, folder.system) == (name, name)


def test_a_long_name_is_cut_and_stays_its_own(tmp_path: Path) -> None:
    long = [f"mvg[embedding=resnet38[{'x' * 300}={end}]]" for end in "ab"]
    one, two = name_of(tmp_path, *long)
    assert one != two
    assert max(len(one), len(two)) < 140
    assert name_of(tmp_path, *long) == [one, two]


def test_two_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    asked = ["./a/mine.py:distance", "./b/mine.py:distance", "./b/other.py:distance"]
    names = name_of(tmp_path, *asked)
    assert names == ["distance", "mine.distance", "other.distance"]
    hold(tmp_path, "distance", asked[1])
    assert name_of(tmp_path, *asked) == ["mine.distance", "distance", "other.distance"]
    hold(tmp_path, "mine.distance", "./c/mine.py:distance")
    assert name_of(tmp_path, asked[0]) == ["a.mine.distance"]
    hold(tmp_path, "a.mine.distance", "/elsewhere/a/mine.py:distance")
    assert name_of(tmp_path, asked[0]) == ["distance-2"]


def test_an_oracle_alone_keeps_the_name(tmp_path: Path) -> None:
    hold(tmp_path, "distance", "./mine.py:distance", "@oracle")
    assert name_of(tmp_path, "./mine.py:distance", "./other.py:distance") == ["distance", "other.distance"]


def test_ways_to_write_one_spec_are_one() -> None:
    here = Path.cwd()
    ways = ["./mine.py:make[k=1]", "mine.py:make[k=1]", "./x/../mine.py:make[ k = 1 ]", f"{here}/mine.py:make[k=1]"]
    assert {canonical(way) for way in ways} == {"./mine.py:make[k=1]"}
    assert canonical("../mine.py:make") == "../mine.py:make"
    assert canonical("/elsewhere/mine.py:make") == "/elsewhere/mine.py:make"


@pytest.mark.parametrize("before", [".%2Fmine.py%3Adistance", "mvg[embedding = logmel]"])
def test_folders_of_before_are_found(tmp_path: Path, before: str) -> None:
    path = tmp_path / "toy" / before / "seed-777"
    path.mkdir(parents=True)
    typed = "./mine.py:distance" if "mine" in before else "mvg[embedding=logmel]"
    (name,) = name_of(tmp_path, typed)
    assert seed_folder(tmp_path, "toy", name, 777).path == path
    hold(tmp_path, name, None)
    assert [folder.path for folder in of_system(seed_folders(tmp_path), typed)] == [path]


def test_a_system_is_named_by_its_folder_and_as_it_was_typed(tmp_path: Path) -> None:
    hold(tmp_path, "distance", "./mine.py:distance[k=1]")
    hold(tmp_path, "distance", "./mine.py:distance[k=1]", "@oracle")
    hold(tmp_path, "mvg", "mvg")
    folders = seed_folders(tmp_path)

    def found(typed: str) -> list[str]:
        return [folder.system for folder in of_system(folders, typed)]

    assert found("distance") == found("./mine.py:distance[ k=1 ]") == found("mine.py:distance[k=1]") == ["distance"]
    assert found("distance@oracle") == found("./mine.py:distance[k=1]@oracle") == ["distance@oracle"]
    assert found("mvg") == ["mvg"]
    assert found("other") == found("[no spec") == []
    with pytest.raises(UsageError):
        canonical("[no spec")
