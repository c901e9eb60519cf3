# SPDX-License-Identifier: Apache-2.0
# Completion for every POF program: the program's own --option-list says what there is.
_pof() {
    local word=${COMP_WORDS[COMP_CWORD]} program=${COMP_WORDS[0]}
    case $word in
    -*) mapfile -t COMPREPLY < <(compgen -W "$("$program" --option-list 2>/dev/null | cut -f1 | sed 's/^/--/')" -- "$word") ;;
    *) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    esac
}
# shellcheck disable=SC2046
complete -o filenames -F _pof $(compgen -c pof | sort -u)
