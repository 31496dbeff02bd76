"""What do the exit codes of the command say?"""

from __future__ import annotations

DONE = 0
BROKEN = 1  # an engine breaks a law
WRONG = 2  # an error, of which a line on stderr tells
STOPPED = 130  # Ctrl-C
