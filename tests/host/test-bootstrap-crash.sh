#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# kill -9 of a bootstrap, of the agent, of both, and power cuts: the root is there whole or not at all, nothing is left, and
# the next one works. matrix-bootstrap-crash.sh is the long form.
# It takes long and runs on one release, unless more is asked for (tests/run --help).
# shellcheck source-path=SCRIPTDIR source=lib/harness.sh
. "$(dirname "$(readlink -f "$0")")/lib/harness.sh"
# shellcheck source-path=SCRIPTDIR source=lib/bootstrap-crash.sh
. "$(dirname "$(readlink -f "$0")")/lib/bootstrap-crash.sh"

host_test_begin "kill -9 and power cuts while containers are bootstrapped"
step "btrfs"
crash_host --btrfs
check "all is prepared" point setup tar raw pull base revert
crash_series 5 tar raw pull base
crash_quick 3 revert

step "a plain folder"
host stop
crash_host
check "all is prepared" point setup directory clone import revert
crash_series 5 directory clone import revert
finish
