"""Makes the three sounds of the till from numbers, without a recording: `python3 static/dashboard/sounds/make.py`."""

import math
import random
import wave
from array import array
from collections.abc import Callable
from pathlib import Path

RATE = 16_000
HERE = Path(__file__).parent
Wave = Callable[[float], float]


def knock(at: float) -> float:
    """A falling tone with a click in front: a stamp on wood."""
    phase = 2 * math.pi * (90 * at + 2 * (1 - math.exp(-55 * at)))
    over = 0.35 * math.sin(2.76 * phase) * math.exp(-60 * at) + 0.18 * math.sin(5.4 * phase) * math.exp(-110 * at)
    return (math.sin(phase) + over) * math.exp(-32 * at) + random.gauss(0, 0.25) * math.exp(-700 * at)


def note(pitch: float) -> Wave:
    """A soft bar of a xylophone."""

    def sound(at: float) -> float:
        over = 0.22 * math.sin(4 * math.pi * pitch * at) * math.exp(-18 * at)
        return (math.sin(2 * math.pi * pitch * at) + over) * math.exp(-11 * at)

    return sound


def dull(at: float) -> float:
    """Two low tones that do not go together."""
    over = 0.2 * math.sin(2 * math.pi * 310 * at) * math.exp(-25 * at)
    return (math.sin(2 * math.pi * 155 * at) + 0.45 * math.sin(2 * math.pi * 147 * at) + over) * math.exp(-7 * at)


def drawn(sound: Wave, seconds: float) -> list[float]:
    """Return the samples of a sound, without a click at its ends."""
    many = int(RATE * seconds)
    rise, fall = RATE // 500, RATE // 60
    return [sound(at / RATE) * min(1, at / rise, (many - 1 - at) / fall) for at in range(many)]


def write(name: str, samples: list[float], loudness: float) -> None:
    """Write a mono file of 16 bits, its loudest sample at `loudness`."""
    top = max(abs(sample) for sample in samples)
    values = array("h", (round(sample / top * loudness * 32767) for sample in samples))
    with wave.open(str(HERE / f"{name}.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(values.tobytes())


if __name__ == "__main__":
    random.seed(7)
    write("given", drawn(knock, 0.09), 0.9)
    write("reward", drawn(note(587.33), 0.11) + drawn(note(880), 0.13), 0.75)
    write("refused", drawn(dull, 0.18), 0.8)
