"""The seven machine types of the toy data: how each sounds, and how its faults do.

Every function takes ``body``, the random numbers of an individual (a section; the same numbers for each of its clips,
so they must be drawn first and in a fixed order), ``run``, those of one clip, the state the machine runs in, and the
number of samples. It gives the sound without its surroundings, a healthy machine's root mean square being about 0.1.
Rates, modes and spectra are made up to resemble the machines in kind; they are no measurements.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from asdbench.datasets._sounds import RATE, Chance, Sound, band, beats, harmonics, low, rings, rotation, shaped, tones

Modes: TypeAlias = list[tuple[float, float, float]]


@dataclass(frozen=True)
class State:
    """How a machine runs.

    Parameters
    ----------
    speed, load : float
        Relative to nominal.
    fault : str
        One of the machine's faults, or "".
    strength : float
        Of the fault: 1 is plain, 0.1 barely audible.
    """

    speed: float
    load: float
    fault: str = ""
    strength: float = 0.0

    def amount(self, fault: str) -> float:
        """The strength of that fault; 0 where it is not the one."""
        return self.strength if self.fault == fault else 0.0


def fan(body: Chance, run: Chance, state: State, count: int) -> Sound:
    """Blade-pass harmonics of a rotor in broadband air noise that swells as the blades pass."""
    rotor, blades, weights = body.between(17, 27) * state.speed, body.whole(5, 9), harmonics(body, 9, 1.1)
    corner, share = body.between(900, 2200), body.between(0.4, 0.7)
    bearing, pitch = body.between(3.1, 4.9), body.between(2600, 4800)
    unbalance, clog = state.amount("imbalance"), state.amount("clogging")
    shaft = rotation(run, rotor, count)
    air = shaped(run.noise(count), low(corner * state.speed / (1 + 0.3 * clog)))
    air *= 0.3 * state.load * (1 + 0.3 * np.cos(blades * shaft))
    blade = 0.14 * tones(blades * shaft, weights) * (1 + 0.4 * clog)
    sound = (share * air + (1 - share) * 2 * blade) * state.speed**2
    sound = sound * (1 + 0.6 * unbalance * np.sin(shaft)) + 0.12 * unbalance * tones(shaft, [0.5, 1.0, 0.8, 0.4])
    if state.fault == "bearing":
        hits = _impacts(run, bearing * rotor, count, [(pitch, 0.002, 1.0), (1.7 * pitch, 0.001, 0.5)])
        sound += 0.15 * state.strength * hits * (0.6 + 0.4 * np.sin(shaft))  # the loaded side passes once a turn
    return sound


def gearbox(body: Chance, run: Chance, state: State, count: int) -> Sound:
    """Gear mesh and its harmonics with sidebands at the shaft's rate, over the hum of a motor."""
    shaft_rate, teeth, weights = body.between(11, 19) * state.speed, body.whole(23, 41), harmonics(body, 7, 0.8)
    depth, ratio, hum = body.between(0.15, 0.35), body.between(1.7, 3.3), harmonics(body, 6, 1.0)
    bearing, pitch = body.between(4.0, 7.0), body.between(2200, 4200)
    wear = state.amount("wear")
    shaft = rotation(run, shaft_rate, count)
    second = ratio * shaft
    mesh = tones(teeth * shaft + (0.4 + 0.8 * wear) * np.sin(shaft), weights)
    mesh *= 1 + (depth + 0.4 * wear) * np.sin(shaft) + (0.5 * depth + 0.3 * wear) * np.sin(second)
    sound = 0.055 * state.load * mesh + 0.03 * tones(second, hum)
    sound += 0.04 * shaped(run.noise(count), band(1200 * state.speed, 1.4))
    if wear:
        chatter = shaped(run.noise(count), band(1.5 * pitch, 0.4)) * np.maximum(0, np.sin(second)) ** 2
        sound += 0.03 * wear * chatter
    if state.fault == "broken tooth":
        sound += (
            0.2 * state.strength * _impacts(run, shaft_rate, count, [(0.5 * pitch, 0.006, 1.0), (pitch, 0.003, 0.8)])
        )
    if state.fault == "bearing":
        hits = _impacts(run, bearing * shaft_rate, count, [(1.3 * pitch, 0.0015, 1.0)])
        sound += 0.2 * state.strength * hits * (0.6 + 0.4 * np.sin(shaft))
    return sound


def pump(body: Chance, run: Chance, state: State, count: int) -> Sound:
    """Strokes of a piston: a thump and a gush of water each, over a motor's hum."""
    strokes, steep, hum = body.between(3.5, 6.5) * state.speed, body.between(1.5, 4.0), harmonics(body, 8, 0.9)
    thump, flow = body.between(70, 140), body.between(500, 1100)
    crackle = body.between(3500, 5500)
    cavity, clog, leak = state.amount("cavitation"), state.amount("clogging"), state.amount("leak")
    angle = rotation(run, strokes, count, 0.01)
    push = np.maximum(0, np.sin(angle)) ** (steep / (1 + 0.3 * clog))
    water = shaped(run.noise(count), band(flow * (1 + 0.25 * clog), 0.8))
    sound = 0.35 * state.load * water * (push + 0.12) + 0.04 * tones(rotation(run, 49.0 * state.speed**0.2, count), hum)
    turns = np.flatnonzero(np.diff(np.floor(angle / (2 * np.pi)))) / RATE
    sound += rings(count, turns, 0.35 * state.load * (1 + 0.3 * clog), [(thump, 0.03, 1.0), (2.3 * thump, 0.012, 0.5)])
    if leak:
        sound += 0.02 * leak * shaped(run.noise(count), band(6000, 0.5)) * push**2 * 2
    if cavity:
        bubbles = run.numbers(int(160 * count / RATE)) * count / RATE
        sucking = np.interp(bubbles, np.arange(count) / RATE, np.maximum(0, -np.sin(angle)))
        sound += rings(count, bubbles, 0.12 * cavity * sucking, [(crackle, 0.0008, 1.0), (0.6 * crackle, 0.0015, 0.7)])
    return sound


def slider(body: Chance, run: Chance, state: State, count: int) -> Sound:
    """A carriage that goes to and fro: motor tone and friction rise and fall with its speed, it knocks at each end."""
    period, pitch, weights = body.between(0.42, 0.7) / state.speed, body.between(380, 900), harmonics(body, 6, 0.7)
    rough, knock = body.between(1500, 3200), body.between(250, 600)
    loose, squeal = body.between(2400, 4200), body.between(3300, 5200)
    slack = state.amount("slack belt")
    way = rotation(run, 1 / period, count, 0.01)
    pace = np.clip(1.8 * np.abs(np.sin(way)), 0, 1)  # a trapezium: speeds up, glides, brakes
    uneven = 1 + 0.1 * slack * np.sin(9 * way)
    motor = tones(2 * np.pi * np.cumsum(pitch * state.speed * pace * uneven) / RATE, weights)
    friction = shaped(run.noise(count), band(rough, 1.0))
    sound = pace * (0.07 * motor * np.sqrt(pace) + 0.14 * state.load * friction)
    ends = np.flatnonzero(np.diff(np.floor(way / np.pi))) / RATE
    sound += rings(count, ends, 0.4 * state.load, [(knock, 0.012, 1.0), (2.7 * knock, 0.006, 0.6)])
    if slack:
        sound += rings(count, ends + 0.045, 0.6 * slack, [(1.6 * knock, 0.008, 1.0), (3.9 * knock, 0.004, 0.6)])
    if state.fault == "rail rattle":
        clatter = beats(run, 20 * state.speed, count, 0.6)
        hit = 1.1 * state.strength * np.interp(clatter, np.arange(count) / RATE, pace**4)
        sound += rings(count, clatter, hit, [(loose, 0.002, 1.0), (0.6 * loose, 0.003, 0.6)])
    if state.fault == "squeal":
        place = np.maximum(0, np.cos(way - 1.0)) ** 6
        cry = 2 * np.pi * np.cumsum(squeal * (0.9 + 0.1 * pace)) / RATE
        sound += 0.5 * state.strength * place * pace * tones(cry, [1, 0.3])
    return sound


def valve(body: Chance, run: Chance, state: State, count: int) -> Sound:
    """A solenoid that opens and closes in a pattern: a click each, air that blows while it is open."""
    rate, open_part = body.between(2.6, 4.6) * state.speed, body.between(0.3, 0.6)
    click = [(hertz, body.between(0.002, 0.006), 1.0) for hertz in (body.between(700, 1400), body.between(2000, 4500))]
    close = [(hertz * body.between(0.6, 0.85), decay * 1.3, weight) for hertz, decay, weight in click]
    hiss = body.between(3500, 5500)
    dirt, leak, weak = state.amount("contamination"), state.amount("leak"), state.amount("weak spring")
    opens = beats(run, rate, count, 0.02)
    closes = opens + (open_part + 0.2 * weak) / rate + dirt * 0.2 / rate * run.numbers(len(opens))
    force = 0.45 * state.load * (0.9 + 0.2 * run.numbers(len(opens)))
    sound = rings(count, opens, force * (1 - 0.6 * dirt), click)
    sound += rings(count, closes, 0.8 * force * (1 - 0.6 * weak), close)
    if weak:
        sound += rings(count, closes + 0.03, 0.6 * force * weak, close)  # it bounces
    if dirt:
        puff = rings(count, opens, force, [(1.0, 0.012, 50.0)])  # at 1 Hz only its rise and fall is left
        sound += dirt * puff * shaped(run.noise(count), band(1.5 * hiss, 0.5))
        sound += rings(count, opens + 0.018, 0.6 * force * dirt, click)
    blowing = np.zeros(count)
    for opened in opens:
        blowing[max(0, round(opened * RATE)) : max(0, round((opened + open_part / rate) * RATE))] = 1
    air = shaped(run.noise(count), band(hiss, 0.6))
    if leak:
        spits = run.numbers(int(40 * count / RATE)) * count / RATE  # a leak that spits rather than blows
        sound += rings(
            count, spits, 0.25 * leak * run.numbers(len(spits)), [(0.6 * hiss, 0.004, 1.0), (hiss, 0.002, 1.0)]
        )
    return sound + air * (0.07 * state.load * blowing + 0.012)


def toy_car(body: Chance, run: Chance, state: State, count: int) -> Sound:
    """The whine of a small motor and its gears, and wheels that roll on a stand."""
    motor, weights, gears = body.between(85, 130) * state.speed, harmonics(body, 10, 0.7), harmonics(body, 4, 0.6)
    pinion, reduction = body.whole(8, 12), body.between(9, 13)
    tyre, tick = body.between(500, 1200), body.between(1800, 3500)
    bent, wear, flat = state.amount("bent shaft"), state.amount("worn gears"), state.amount("flat tyre")
    shaft = rotation(run, motor, count, 0.012)
    wheel = shaft / reduction
    whine = 0.04 * tones(3 * shaft, weights) + 0.035 * state.load * tones(pinion * shaft, gears)
    whine *= 1 + 0.9 * bent * np.sin(wheel)
    rolling = shaped(run.noise(count), band(tyre * state.speed, 1.1)) * (1 + 0.25 * np.sin(wheel))
    sound = whine + 0.08 * state.load * rolling
    if bent:
        rubbing = shaped(run.noise(count), band(2.2 * tyre, 0.6))
        sound += 0.15 * bent * rubbing * np.maximum(0, np.sin(wheel)) ** 3
    if wear:
        sound += 0.12 * wear * shaped(run.noise(count), band(tick, 0.4)) * np.maximum(0, np.sin(wheel)) ** 4
        sound += 0.015 * wear * tones(pinion * shaft + 2.0 * np.sin(wheel), gears)
    if flat:
        turns = np.flatnonzero(np.diff(np.floor(wheel / (2 * np.pi)))) / RATE
        sound += rings(count, turns, 0.07 * flat, [(160.0, 0.012, 1.0), (tick / 3, 0.005, 0.8)])
    return sound


def toy_train(body: Chance, run: Chance, state: State, count: int) -> Sound:
    """A motor's growl and rolling wheels, and the double clack of bogies over rail joints."""
    motor, weights = body.between(48, 75) * state.speed, harmonics(body, 14, 0.6)
    joints, apart = body.between(2.0, 3.4) * state.speed, body.between(0.055, 0.09) / state.speed
    rail = [(body.between(380, 800), 0.012, 1.0), (body.between(1500, 2600), 0.006, 0.7), (90.0, 0.03, 0.8)]
    wheel, roll, tick = body.between(7.0, 10.0) * state.speed, body.between(700, 1500), body.between(2600, 4200)
    broken, flat, wear = state.amount("broken joint"), state.amount("flat wheel"), state.amount("worn gears")
    passing = beats(run, joints, count, 0.03)
    hit = 0.36 * state.load * (0.85 + 0.3 * run.numbers(len(passing)))
    sound = rings(count, passing, hit, rail) + rings(count, passing + apart, 0.8 * hit, rail)
    if broken:
        sound += rings(count, passing + apart / 2, 1.8 * broken * hit, [(tick, 0.004, 1.0), (0.5 * tick, 0.006, 0.8)])
    sound += 0.03 * tones(rotation(run, motor, count, 0.01), weights)
    sound += 0.09 * state.load * shaped(run.noise(count), band(roll * state.speed, 1.2))
    if flat:
        sound += 0.5 * flat * _impacts(run, wheel, count, [(rail[0][0] * 1.5, 0.006, 1.0), (tick, 0.002, 0.6)])
    if wear:
        growl = rotation(run, 11 * motor, count, 0.01)
        sound += wear * (0.07 * tones(growl + 2.5 * np.sin(growl / 11), [1.0, 0.6, 0.4]))
    return sound


def _impacts(run: Chance, rate: float, count: int, modes: Modes) -> Sound:
    """A defect that strikes ``rate`` times a second, a little unevenly."""
    times = beats(run, rate, count, 0.03)
    return rings(count, times, 0.6 + 0.8 * run.numbers(len(times)), modes)


@dataclass(frozen=True)
class Machine:
    """A machine type: its sound and the faults it knows."""

    sound: Callable[[Chance, Chance, State, int], Sound]
    faults: tuple[str, ...]


MACHINES: Mapping[str, Machine] = {
    "ToyCar": Machine(toy_car, ("bent shaft", "worn gears", "flat tyre")),
    "ToyTrain": Machine(toy_train, ("broken joint", "flat wheel", "worn gears")),
    "fan": Machine(fan, ("imbalance", "clogging", "bearing")),
    "gearbox": Machine(gearbox, ("wear", "broken tooth", "bearing")),
    "pump": Machine(pump, ("cavitation", "clogging", "leak")),
    "slider": Machine(slider, ("slack belt", "rail rattle", "squeal")),
    "valve": Machine(valve, ("contamination", "leak", "weak spring")),
}
