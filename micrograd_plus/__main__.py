"""Run the command line as `python -m micrograd_plus`."""

from __future__ import annotations

from micrograd_plus.cli.entry import main

if __name__ == "__main__":
    main()
