#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Logs in at a terminal as a person does: login.py USER PASSWORD COMMAND...

COMMAND gets a terminal and is to show a login prompt. Exit status 0 if there is a shell after the password.
"""
import os
import pty
import select
import sys
import time

LIMIT = 60


def expect(fd, seen, *words):
    """Reads until one of the words is there; returns it, and what came after it."""
    end = time.monotonic() + LIMIT
    while True:
        for word in words:
            if word in seen:
                return word, seen.split(word, 1)[1]
        if time.monotonic() > end or not select.select([fd], [], [], LIMIT)[0]:
            sys.exit(f'no {words} within {LIMIT} s; seen: {seen!r}')
        try:
            data = os.read(fd, 4096)
        except OSError:
            data = b''
        if not data:
            sys.exit(f'the terminal was closed before {words}; seen: {seen!r}')
        seen += data


def main():
    user, password, command = sys.argv[1], sys.argv[2], sys.argv[3:]
    pid, fd = pty.fork()
    if pid == 0:
        os.execvp(command[0], command)
    _, rest = expect(fd, b'', b'login: ')
    os.write(fd, user.encode() + b'\n')
    _, rest = expect(fd, rest, b'assword: ')
    os.write(fd, password.encode() + b'\n')
    word, rest = expect(fd, rest, b'# ', b'incorrect')
    if word == b'incorrect':
        sys.exit('login incorrect')
    # What is echoed is not the answer.
    os.write(fd, b'echo sum-$((40 + 2))\n')
    _, rest = expect(fd, rest, b'sum-42')
    # The next getty of this terminal is there: nothing of the session is still ending.
    os.write(fd, b'exit\n')
    expect(fd, rest, b'login: ')
    os.close(fd)
    os.waitpid(pid, 0)


main()
