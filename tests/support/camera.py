"""A picture before a camera: a QR code, turned and noisy, as the raw video that Chromium takes for its fake camera."""

import random
from pathlib import Path

import qrcode
from PIL import Image, ImageFilter

WIDTH, HEIGHT = 640, 480
COUNTER = (96, 84, 74)


def scene(text: str, *, turned: float = 17.0, noise: float = 26.0) -> Image.Image:
    """Return a photograph of a card: its code on white, at an angle, out of the middle, a little blurred and grainy."""
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, box_size=7, border=4)
    code.add_data(text)
    card = code.make_image().get_image().convert("RGBA")
    lying = card.rotate(turned, expand=True, resample=Image.Resampling.BICUBIC)
    picture = Image.new("RGB", (WIDTH, HEIGHT), COUNTER)
    picture.paste(lying, ((WIDTH - lying.width) // 2 + 25, (HEIGHT - lying.height) // 2 - 10), lying)
    grey = picture.convert("L").filter(ImageFilter.GaussianBlur(0.8))
    dice = random.Random(7)
    grained = bytes(max(0, min(255, round(value + dice.gauss(0, noise)))) for value in grey.tobytes())
    return Image.frombytes("L", grey.size, grained)


def write(path: Path, pictures: list[Image.Image], *, each: int = 1) -> Path:
    """Write pictures as a y4m file of ten frames a second, each of them shown `each` frames long."""
    grey = bytes([128]) * (WIDTH // 2 * (HEIGHT // 2))
    with path.open("wb") as film:
        film.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420jpeg\n".encode())
        for picture in pictures:
            for _frame in range(each):
                film.write(b"FRAME\n" + picture.convert("L").tobytes() + grey + grey)
    return path
