"""Runs one part with the product's settings: `python -m tests.drills.inside PART JSON`; prints what it found."""

import importlib
import json
import sys

import django

if __name__ == "__main__":
    django.setup()
    found = importlib.import_module(f"tests.drills.inside.{sys.argv[1]}").main(**json.loads(sys.argv[2]))
    print(json.dumps(found, default=str))
