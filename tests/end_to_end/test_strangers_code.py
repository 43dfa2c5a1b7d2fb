"""Results, settings and a current folder of strangers: no code of theirs runs, no path that they name is opened."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from asdbench.cli import COMMANDS
from asdbench.reports.content import evidence
from asdbench.reports.content.mistakes import KINDS
from asdbench.reports.page import html
from tests.conftest import MakeFeatures, MakeTree
from tests.end_to_end.test_strangers import everything
from tests.reports.results import write_results
from tests.shell import Shell

# Calls commands one after the other in one process, and writes down what Python is asked to do in their name: code of a
# file below the first folder that is run, and any look into the second.
WATCHED = """
import json, os, sys
stranger, secret = sys.argv[1:3]
seen = []
def hook(event, args):
    if event == 'exec':
        where, inside = getattr(args[0], 'co_filename', ''), stranger
        if where.startswith('<'):  # no file: dataclasses make their methods so
            return
    elif event in ('open', 'os.listdir', 'os.scandir'):
        where, inside = args[0], secret
    else:
        return
    if isinstance(where, (str, bytes, os.PathLike)) and os.path.abspath(os.fsdecode(where)).startswith(inside):
        seen.append([event, os.fsdecode(where)])
sys.addaudithook(hook)
from asdbench.cli import main
codes = []
for arguments in json.load(sys.stdin):
    try:
        main(arguments)
    except SystemExit as ended:
        codes.append(ended.code)
    except BaseException as error:
        codes.append(repr(error))
print(json.dumps([seen, codes]), file=sys.__stdout__)
"""
CODE = """
from pathlib import Path
Path(__file__).with_name('it ran').touch()
def make(*_, **__):
    raise SystemExit(9)
"""


@pytest.fixture
def stranger(tmp_path: Path) -> Path:
    """A folder as somebody unpacks it: results beside code, settings beside both; manifests that name all of it."""
    folder, secret = tmp_path / "unpacked", tmp_path / "secret"
    secret.mkdir()
    (secret / "x.py").write_text("1\n")
    folder.mkdir()
    for place in (folder, folder / "results"):
        place.mkdir(exist_ok=True)
        (place / "evil.py").write_text(CODE)
        (place / "evil_module.py").write_text(CODE)
    specs = {
        "toy": "toy[seed=3,test=99]",
        "here": "./evil.py:make",
        "there": f"{folder}/results/evil.py:make[x=1]",
        "module": "evil_module:make",
        "root": f"dcase2021:{secret}",
        "given": f"features:{secret}",
        "./evil.py:make": "./evil.py:make",
    }
    for name, spec in specs.items():
        systems = ("mvg", "./evil.py:make") if name == "here" else ("mvg",)
        small = {"machines": ("fan",), "sections": ("00",)}
        write_results(folder / "results", systems=systems, dataset=name, spec=spec, **small)  # type: ignore[arg-type]  # as its keywords
        for file in (folder / "results").glob("*/*/*/manifest.json"):
            manifest = json.loads(file.read_text())
            entry = manifest["machines"]["fan"]
            manifest["system"].update(spec=spec, embedding=spec, source=spec, title=spec)
            code = dict.fromkeys(("evil.py", "evil_module.py", str(secret / "x.py"), "../secret/x.py"), "0" * 64)
            embedding = {"name": spec, "weights": str(secret / "w.pth"), "code": code}
            entry["key"].update(embedding=embedding, origin=spec, code=code)
            entry.update(command=f"asdbench run --dataset {spec}", environment={"asdbench": spec})
            file.write_text(json.dumps(manifest))
    return folder


def watched(stranger: Path, commands: list[list[str]]) -> tuple[list[list[str]], list[object]]:
    """What the commands touched of the stranger's, and their exit codes."""
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, str(stranger), str(stranger.parent / "secret")],
        input=json.dumps(commands),
        cwd=stranger,
        env={**Shell(stranger).environment, "ASDBENCH_CACHE": str(stranger.parent / "cache")},
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    seen, codes = json.loads(done.stdout.splitlines()[-1])
    return seen, codes


def test_no_command_runs_or_opens_what_a_results_folder_names(
    stranger: Path, make_features: MakeFeatures, tmp_path: Path
) -> None:
    features, out = make_features(machines=["fan"]), tmp_path / "out"
    score = stranger / "results" / "toy" / "mvg" / "seed-777"
    page, toy = ["report", "--format", "html", "--output"], ["--dataset", "toy"]
    commands: dict[str, list[list[str]]] = {
        "run": [["run", "--dataset", f"features:{features}", "--systems", "mvg", "--workers", "1"]],
        "report": [
            ["report"],
            *(["report", "--format", form] for form in ("latex", "csv", "json")),
            [*page, f"{out}/all.html"],
            [*page, f"{out}/toy.html", *toy],
            [*page, f"{out}/here.html", "--dataset", "here"],
            [*page, f"{out}/evil.html", "--dataset", "./evil.py:make"],  # a name that somebody copied
        ],
        "plot": [["plot", kind, *toy, "--output", f"{out}/{kind}.svg"] for kind in ("auc", "roc", "training")],
        "leaderboard": [["leaderboard"], ["leaderboard", "--format", "json"]],
        "compare": [["compare", "mvg", "./evil.py:make", "--dataset", "here"]],
        "check": [
            ["check", "--dataset", "here", "--update", "--against", f"{out}/expected.csv"],
            ["check", "--dataset", "here", "--against", f"{out}/expected.csv"],
        ],
        "score": [["score", str(score), "--year", "2021", "--partial"]],
        "export": [["export", "--dataset", "here", "--system", "mvg", "--partial", "--output", f"{out}/export"]],
        "fetch": [["fetch", "dcase2021", "--to", f"{out}/root", "--from", "results"]],
        "embed": [["embed", *toy, "--embedding", "evil", "--output", f"{out}/embedded"]],
        "published": [["published"]],
        "datasets": [["datasets"], ["datasets", "validate", "results"]],
        "cache": [["cache", "info", "--cache", "results"], ["cache", "verify", "--cache", "results"]],
        "doctor": [["doctor"]],
        "systems": [["systems"], ["systems", "show", "mvg"]],
    }
    assert set(commands) == set(COMMANDS)
    before = everything(tmp_path)
    seen, codes = watched(stranger, [arguments for own in commands.values() for arguments in own])
    assert seen == []
    assert not list(tmp_path.rglob("it ran"))
    named = [arguments for own in commands.values() for arguments in own]
    refused = {" ".join(one[:4]): code for one, code in zip(named, codes, strict=True) if code != 0}
    # These have nothing to do here: other code than the manifest says, no archives, no such embedding, no clips.
    expected = {
        "check --dataset here --against": 4,
        f"fetch dcase2021 --to {out}/root": 4,
        "embed --dataset toy --embedding": 2,
        "datasets validate results": 4,
    }
    assert refused == expected
    made = everything(tmp_path) - before
    ran = stranger / "results" / "small", stranger / "results" / "logs"  # what `run` was asked to make
    inside = (out, tmp_path / "cache", *ran)
    outside = {path for path in made if not any(path.is_relative_to(folder) for folder in inside)}
    assert not outside
    for name in ("all", "here", "evil"):
        text = (out / f"{name}.html").read_text(encoding="utf-8")
        assert "<audio" not in text
        assert "No spectrogram, no sound: name the data set" in text
    toys = (out / "toy.html").read_text(encoding="utf-8")
    assert "<audio" not in toys
    assert "the results were made on toy[seed=3,test=99], not on toy" in toys


def test_the_watching_test_sees_what_it_looks_for(stranger: Path) -> None:
    """The same specs, typed by the person at the keyboard: they do run, and the test above could notice."""
    (stranger / "evil.py").write_text("def make():\n    raise ValueError\n")
    asked = [["run", "--dataset", "./evil.py:make"], ["datasets", "validate", f"dcase2021:{stranger.parent}/secret"]]
    seen, codes = watched(stranger, asked)
    assert {event for event, _ in seen} >= {"exec", "os.scandir"}
    assert codes == [2, 4]


def test_sounds_are_those_of_the_data_set_that_is_named(tmp_path: Path) -> None:
    from asdbench.datasets.toy import toy

    results = write_results(tmp_path / "results", machines=("fan",))
    assert "<audio" not in html.render(evidence.views(results))
    assert html.render(evidence.views(results), toy()).count("<audio") == 2 * len(KINDS)
    shell = Shell(tmp_path)
    page = ("report", "--format", "html", "--output", "page.html", "--dataset")
    shell(*page, "toy")
    assert (tmp_path / "page.html").read_text(encoding="utf-8").count("<audio") == 2 * len(KINDS)
    _, err = shell(*page, "tyo", expect=2)
    assert "did you mean 'toy'" in err
    _, err = shell(*page, "features:nowhere", expect=4)
    assert "there is no folder nowhere" in err


def test_a_name_that_needs_a_root_chooses_results_and_its_spec_gives_their_sounds(
    make_tree: MakeTree, tmp_path: Path
) -> None:
    import soundfile

    write_results(tmp_path / "results", machines=("fan",), dataset="dcase2021", spec="dcase2021:/elsewhere", stamps=())
    root = make_tree(2021, "root", machines=["fan"])
    names = {
        line.split(",")[3] for line in next((tmp_path / "results").rglob("labels.csv")).read_text().splitlines()[1:]
    }
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 8000)
    for name in names:
        folder = root / "dev_data" / "fan" / ("source_test" if "_source_" in name else "target_test")
        folder.mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / name, noise, 16000, "PCM_16")
    shell = Shell(tmp_path)
    page = ("report", "--format", "html", "--output", "page.html", "--dataset")
    shell(*page, "dcase2021")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "dcase2021 needs a root: dcase2021:ROOT; name the data set to see and hear its clips" in text
    shell(*page, f"dcase2021:{root}")
    assert (tmp_path / "page.html").read_text(encoding="utf-8").count("<audio") == 2 * len(KINDS)


def test_a_setting_names_no_code(stranger: Path) -> None:
    (stranger / "asdbench.toml").write_text('data = "./evil.py:make"')
    commands = [
        ["run", "--systems", "ae"],
        ["run", "--systems", "ae", "--fetch"],
        ["embed", "--output", "out"],
        ["datasets", "validate"],
        ["doctor"],
    ]
    seen, codes = watched(stranger, commands)
    assert seen == []
    assert codes == [2, 2, 2, 2, 4]
    assert not list(stranger.rglob("it ran"))


def test_a_setting_that_is_used_is_announced_in_one_line(make_features: MakeFeatures, tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    (tmp_path / "asdbench.toml").write_text(f'data = "features:{make_features()}"\nweights = "gone.pth"')
    _, err = shell("run", "--systems", "mvg", "--workers", "1")
    assert [line for line in err.splitlines() if "asdbench.toml" in line] == [
        f"data: features:{tmp_path / 'small'} (no --dataset; set in asdbench.toml)"  # features need no weights
    ]
    _, err = shell("run", "--dataset", "toy[train=2,test=1]", "--systems", "mvg", expect=4)
    assert "weights: gone.pth (no --weights; set in asdbench.toml)" in err.splitlines()
    _, err = shell("embed", "--dataset", "toy[train=2,test=1]", "--output", "out", expect=4)
    assert "weights: gone.pth (no --weights; set in asdbench.toml)" in err.splitlines()


@pytest.mark.parametrize("column", ["section", "domain"])
def test_labels_cannot_lead_an_export_out_of_its_folder(tmp_path: Path, column: str) -> None:
    """The names of a submission's files are made of the cells in ``labels.csv``."""
    folder = tmp_path / "deep" / "down"
    write_results(folder / "results", systems=("mvg",), machines=("fan",), sections=("00",), year=2023)
    labels = next(folder.rglob("labels.csv"))
    head, *rows = (line.split(",") for line in labels.read_text().splitlines())
    for row in rows:
        row[head.index(column)] = "../../../evil"
    labels.write_text("\n".join(",".join(row) for row in [head, *rows]) + "\n")
    before = everything(tmp_path)
    for part in ("dev", "eval"):
        process = Shell(folder).start("export", "--output", f"out-{part}", "--part", part, "--partial")
        _, err = process.communicate(timeout=60)
        assert "Traceback" not in err
        assert process.returncode in (2, 4)
    assert everything(tmp_path) == before
