"""Settings: `local` for development, `test` for the suite, `production`; all build on `base`.

`environment.py` is the only module that reads the environment.
"""
