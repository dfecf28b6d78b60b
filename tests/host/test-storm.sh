#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# It takes long: a minute of the storm; CTVIRT_STORM_BOUNCES=2000 is an hour of it.
exec "$(dirname "$(readlink -f "$0")")/storm/storm" --bounces "${CTVIRT_STORM_BOUNCES:-40}" "$@"
