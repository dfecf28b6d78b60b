# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What test-bootstrap-crash.sh and matrix-bootstrap-crash.sh share: kill -9 and power cuts at many points of operations on
# the pool. Sourced after harness.sh. What happens in the host is done by crash-point.

CRASH_SEED=${CTVIRT_CRASH_SEED:-$((RANDOM * 32768 + RANDOM))}
CRASH_WAYS=(job unit agent both power unit job both agent)
CRASH_LIB=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")

point() {
        on bash /root/crash-point "$@"
}

# crash_host [CREATE-OPTIONS...]: a host with ctvirt, the current one.
crash_host() {
        use_host CRASH_HOST "$RELEASE" "$@"
        printf '# seed %d (CTVIRT_CRASH_SEED)\n' "$CRASH_SEED"
        RANDOM=$CRASH_SEED
        # Nothing would be learned without it.
        install_ctvirt >/dev/null || exit
        make_container unused
        host push "$CRASH_LIB/crash-point" /root/crash-point
}

# crash_once OP CLASS NUMBER WAY [next]
crash_once() {
        local op=$1 class=$2 number=$3 way=$4
        point begin "$op" "$class" "$number" || return
        if [[ $way == power ]]; then
                host kill && host boot
        else
                point kill "$way"
        fi || return
        point after "$op" "$way" "${@:5}"
}

# crash_series OP POINTS [every|last]: kills spread over the whole of the operation: at calls that change names, at any
# call, and at random times. every: after each point it must work again; last: after the last one only (the next point
# has to come to where it dies all the same).
crash_series() {
        local op=$1 points=$2 next=${3:-every} most counts first names all ms i class number way again
        if ! counts=$(point reference "$op" 2>&1); then
                fail "$op works undisturbed" "$counts"
                return
        fi
        pass "$op works undisturbed"
        counts=$(tail -n 1 <<<"$counts")
        read -r first names all ms <<<"$counts"
        printf '# %s: %d calls, %d of them about names (published from %d on), %d ms\n' "$op" "$all" "$names" "$first" "$ms"
        # Calls about names: from the first that shows others what was made. The last point is at the last call.
        most=$(((points - 1) / 3 * 3))
        ((most > 0)) || most=1
        for ((i = 0; i < points; i++)); do
                case $((i % 3)) in
                0) class=names number=$((first + (names - first) * i / most)) ;;
                1) class=all number=$((1 + (all - 1) * i / most)) ;;
                2) class=time number=$((RANDOM % (ms + 1))) ;;
                esac
                ((number <= 60000)) || number=60000
                way=${CRASH_WAYS[$((CRASH_TURN++ % ${#CRASH_WAYS[@]}))]}
                again=
                if [[ $next == every ]] || ((i == points - 1)); then again=next; fi
                check "$op, $way killed at $class $number" crash_once "$op" "$class" "$number" "$way" $again
        done
}
CRASH_TURN=0
