# bash completion for oryx(1). Options are those of `oryx COMMAND --help`; tests/docs compares them.
# shellcheck shell=bash
_oryx_ids() { oryx plugins list --json 2>/dev/null | sed -n 's/.*"id": *"\([^"]*\)".*/\1/p'; }
_oryx_provided() { # _oryx_provided INTERFACE: classes of it
    oryx plugins list 2>/dev/null | grep -o "oryx\.$1/1 [A-Za-z0-9._-]*" | cut -d' ' -f2
}
_oryx_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur"); }
_oryx_files() { compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$cur"); }
_oryx_dirs() { compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$cur"); }

_oryx() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]} i operands=0
    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        _oryx_words "run machine mtree exec dis plugins arch --help --version"
        return
    fi
    if [[ $cur == "=" ]]; then cur=; elif [[ $prev == "=" ]]; then prev=${COMP_WORDS[COMP_CWORD - 2]}; fi
    case $prev in
    --engine | -e) _oryx_words "$(_oryx_provided engine)"; return ;;
    --arch | -a) _oryx_words "$(_oryx_provided arch)"; return ;;
    --sysroot | -L | --root | --plugin-path) _oryx_dirs; return ;;
    --plugin | -p) _oryx_words "$(_oryx_ids)"; ((${#COMPREPLY[@]})) || _oryx_files; return ;;
    --strace-output | --svg | --load-snapshot | --save-snapshot) _oryx_files; return ;;
    --stats) [[ ${COMP_WORDS[COMP_CWORD - 1]} == "=" || ${COMP_WORDS[COMP_CWORD]} == "=" ]] && { _oryx_words json; return; } ;;
    --window) _oryx_words "on off"; return ;;
    --perf) _oryx_words "map jitdump"; return ;;
    --dump) _oryx_words "ir opt host"; return ;;
    --mode | -m | --addr | --env | -E | --unset | -U | --argv0 | -0 | --set | -s | --count | -c | --until | -u | --timeout | -t | --watch | -w | --gdb | -g | --snapshot-exclude)
        return
        ;;
    show) [[ $command == plugins ]] && { _oryx_words "$(_oryx_ids)"; return; } ;;
    verify) [[ $command == plugins ]] && { _oryx_files; return; } ;;
    esac
    for ((i = 2; i < COMP_CWORD; i++)); do
        [[ ${COMP_WORDS[i]} == -* || ${COMP_WORDS[i]} == "=" || ${COMP_WORDS[i - 1]} == -* || ${COMP_WORDS[i - 1]} == "=" ]] ||
            operands=1
    done
    if [[ $cur == -* && $operands == 0 ]]; then
        case $command in
        run) _oryx_words "--engine -e --cpu --sysroot -L --root --plugin -p --plugin-path --strace --strace-output --stats --watch --gdb -g --dump --perf --gdb-jit --window
                --env -E --unset -U --argv0 -0 --help -h" ;;
        machine) _oryx_words "--check --set -s --count -c --until -u --timeout -t --watch -w --gdb -g --load-snapshot --save-snapshot
                --snapshot-exclude --semihosting --stats --engine -e --plugin-path --help -h" ;;
        mtree) _oryx_words "--set -s --json --svg --plugin-path --help -h" ;;
        exec) _oryx_words "--plugin-path --engine -e --help -h" ;;
        dis) _oryx_words "--arch -a --mode -m --addr --plugin-path --json --help -h" ;;
        plugins) _oryx_words "--plugin-path --json --help -h" ;;
        arch) _oryx_words "--plugin-path --json --help -h" ;;
        esac
        return
    fi
    case $command in
    plugins) ((operands)) || _oryx_words "list show verify" ;;
    arch) _oryx_words "$(_oryx_provided arch)" ;;
    run | machine | mtree | exec | dis) _oryx_files ;;
    esac
}
complete -F _oryx oryx
