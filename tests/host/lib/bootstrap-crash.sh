# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What test-bootstrap-crash.sh and matrix-bootstrap-crash.sh share: kill -9 and power cuts at many points of operations on
# the pool. Sourced after harness.sh. What happens in the host is done by crash-point.

CRASH_SEED=${CTVIRT_CRASH_SEED:-$((RANDOM * 32768 + RANDOM))}
# As many as have no divisor in common with the classes, so that each meets each.
CRASH_WAYS=(job unit agent both power)
CRASH_CLASSES=(names all time)
CRASH_LIB=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
declare -A CRASH_FIRST CRASH_NAMES CRASH_ALL CRASH_MS CRASH_STOPPED CRASH_OVER

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
        host push "$CRASH_LIB/slow-server.py" /root/slow-server.py
}

# crash_reference OP...: undisturbed, and how long each is.
crash_reference() {
        local counts op first names all ms
        if ! counts=$(point reference "$@" 2>&1) || grep -q '^not prepared' <<<"$counts"; then
                fail "undisturbed, all of them work" "$counts"
                return 1
        fi
        pass "undisturbed, all of them work"
        while read -r op first names all ms; do
                CRASH_FIRST[$op]=$first CRASH_NAMES[$op]=$names CRASH_ALL[$op]=$all CRASH_MS[$op]=$ms
                printf '# %s: %d calls, %d of them about names (published from %d on), %d ms\n' "$op" "$all" "$names" "$first" "$ms"
        done <<<"$counts"
}

# point_of OP CLASS I POINTS: calls about names from the first that shows others what was made, any call, or any time.
# The last point is at the last call.
point_of() {
        local first=${CRASH_FIRST[$1]} names=${CRASH_NAMES[$1]} all=${CRASH_ALL[$1]} most=$(($4 > 1 ? $4 - 1 : 1)) number
        case $2 in
        names) number=$((first + (names - first) * $3 / most)) ;;
        all) number=$((1 + (all - 1) * $3 / most)) ;;
        time) number=$((RANDOM % (CRASH_MS[$1] + 1))) ;;
        esac
        # What strace can count to.
        printf '%s:%s:%d' "$1" "$2" "$((number <= 60000 ? number : 60000))"
}

# crash_verdicts WAY OUTPUT POINT...: of each of them.
crash_verdicts() {
        local way=$1 output=$2 spec op
        for spec in "${@:3}"; do
                op=${spec%%:*}
                if grep -qx "ok $op" <<<"$output" && ! grep -qx "not ok $op again" <<<"$output"; then
                        pass "$op, $way killed at ${spec#*:}$(grep -qx "ok $op again" <<<"$output" && echo ', and it works again')"
                else
                        fail "$op, $way killed at ${spec#*:}" "$output"
                fi
        done
}

# crash_round WAY NEXT POINT...: all of them at the same time; NEXT: ":next" or nothing.
crash_round() {
        local way=$1 next=$2 specs=("${@:3}") ops=() begun output line spec
        begun=$(point begin "${specs[@]}" 2>&1) || { crash_verdicts "$way" "$begun" "${specs[@]}"; return; }
        while read -r line spec; do
                case $line in
                stopped:) CRASH_STOPPED[$spec]=$((${CRASH_STOPPED[$spec]:-0} + 1)) ;;
                over:) CRASH_OVER[$spec]=$((${CRASH_OVER[$spec]:-0} + 1)) ;;
                esac
        done <<<"$begun"
        for spec in "${specs[@]}"; do ops+=("${spec%%:*}"); done
        if [[ $way == power ]]; then
                output=$(host kill 2>&1 && host boot 2>&1)
        else
                output=$(point kill "$way" "${ops[@]}" 2>&1)
        fi || :
        output+=$'\n'$(point after "$way" "${ops[@]/%/$next}" 2>&1) || :
        crash_verdicts "$way" "$(grep '^not ' <<<"$begun")"$'\n'"$output" "${specs[@]}"
}

# crash_series POINTS OP...: kills spread over the whole of each operation, the operations side by side. What a round finds
# is the state that it has to begin with, so each shows as well that those before it have done no harm; every tenth, and the
# last, looks closer.
crash_series() {
        local points=$1 ops=("${@:2}") i k op batch next
        crash_reference "${ops[@]}" || return 0
        for ((i = 0; i < points; i++)); do
                batch=()
                for ((k = 0; k < ${#ops[@]}; k++)); do
                        batch+=("$(point_of "${ops[k]}" "${CRASH_CLASSES[(i + k) % 3]}" "$i" "$points")")
                done
                next=
                ((i % 10 != 9 && i < points - 1)) || next=:next
                crash_round "${CRASH_WAYS[i % ${#CRASH_WAYS[@]}]}" "$next" "${batch[@]}"
        done
        for op in "${ops[@]}"; do
                printf '# %s: %d points, %d of them after its end\n' "$op" \
                        $((${CRASH_STOPPED[$op]:-0} + ${CRASH_OVER[$op]:-0})) "${CRASH_OVER[$op]:-0}"
                CRASH_STOPPED[$op]=0 CRASH_OVER[$op]=0
        done
}

# crash_quick POINTS OP: one that the agent does itself; it is killed at its first calls about names, and with it the host
# now and then.
crash_quick() {
        local points=$1 op=$2 i way
        crash_reference "$op" || return 0
        for ((i = 0; i < points; i++)); do
                way=agent
                ((i % 5 != 4)) || way=power
                crash_round "$way" "$( ((i < points - 1)) || echo :next)" "$op:names:$((1 + i % 30))"
        done
        printf '# %s: %d points, %d of them after its end\n' "$op" "$points" "${CRASH_OVER[$op]:-0}"
        CRASH_STOPPED[$op]=0 CRASH_OVER[$op]=0
}
