#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Serves a folder at 127.0.0.1: slow-server.py FOLDER PORT

One request after the other, with a pause: systemd-importd before systemd 257 waits forever when parts of a download end
at the same moment (it takes one message of curl's queue an event, curl_glue_check_finished() in src/import/curl-util.c).
"""
import functools
import http.server
import sys
import time


class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        time.sleep(0.3)
        super().do_GET()


handler = functools.partial(Handler, directory=sys.argv[1])
http.server.HTTPServer(('127.0.0.1', int(sys.argv[2])), handler).serve_forever()
