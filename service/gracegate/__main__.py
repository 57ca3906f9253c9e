"""`python -m gracegate`."""

from __future__ import annotations

from gracegate.cli import main

if __name__ == "__main__":
    main()
