"""Runs a command in a terminal, takes steps, and prints what was seen as JSON.

Arguments: columns, rows, the steps with spaces between, the command. A step is wait:TEXT, key:TEXT, signal:NUMBER
for the command, or kill:PID for another process.
"""

import fcntl
import json
import os
import pty
import select
import struct
import sys
import termios
import time

columns, rows, steps, *command = sys.argv[1:]
child, terminal = pty.fork()
if child == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", int(rows), int(columns), 0, 0))
    os.execv(command[0], command)

seen = b""
before = termios.tcgetattr(terminal)


def plain(text):
    """A step's text, in which spaces and keys are escaped."""
    return text.encode().decode("unicode_escape").encode()


def read(seconds):
    """Reads what is there. False at the end."""
    global seen
    if not select.select([terminal], [], [], seconds)[0]:
        return True
    try:
        data = os.read(terminal, 65536)
    except OSError:
        return False
    seen += data
    return bool(data)


deadline = time.monotonic() + 30
place = 0
for step in steps.split():
    kind, _, value = step.partition(":")
    if kind == "wait":
        text = plain(value)
        while (found := seen.find(text, place)) < 0:
            if time.monotonic() > deadline or not read(0.1):
                sys.exit(f"no {value!r} in {seen[place:]!r}")
        place = found + len(text)
    elif kind == "key":
        os.write(terminal, plain(value))
    elif kind == "kill":
        os.kill(int(value), 9)
    else:
        os.kill(child, int(value))
while read(0.1) and time.monotonic() < deadline:
    ended, status = os.waitpid(child, os.WNOHANG)
    if ended:
        read(0)
        break
else:
    _, status = os.waitpid(child, 0)
after = termios.tcgetattr(terminal)
print(json.dumps({
    "text": seen.decode(errors="replace"),
    "code": os.waitstatus_to_exitcode(status),
    "is_as_before": after == before,
}))
