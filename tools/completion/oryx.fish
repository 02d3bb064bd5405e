# fish completion for oryx(1). Options are those of `oryx COMMAND --help`; tests/docs compares them.
function __oryx_provided
    oryx plugins list 2>/dev/null | string match -ra "oryx\.$argv[1]/1 [A-Za-z0-9._-]+" | string replace -r '.* ' ''
end
function __oryx_ids
    oryx plugins list --json 2>/dev/null | string match -r '"id": *"[^"]*"' | string replace -r '.*"([^"]*)"$' '$1'
end
function __oryx_is
    __fish_seen_subcommand_from $argv
end

complete -c oryx -n __fish_use_subcommand -f -a run -d 'run a program of a foreign CPU'
complete -c oryx -n __fish_use_subcommand -f -a machine -d 'run a machine described by a JSON file'
complete -c oryx -n __fish_use_subcommand -f -a mtree -d 'show regions and flat view of a machine'
complete -c oryx -n __fish_use_subcommand -f -a exec -d 'drive a CPU by JSON lines'
complete -c oryx -n __fish_use_subcommand -f -a dis -d 'disassemble bytes or a file'
complete -c oryx -n __fish_use_subcommand -f -a plugins -d 'list, show and verify plugins'
complete -c oryx -n __fish_use_subcommand -f -a arch -d 'list architectures and registers'
complete -c oryx -n __fish_use_subcommand -l version -d 'print the version'
complete -c oryx -s h -l help -d 'show help'

complete -c oryx -n '__oryx_is run' -s e -l engine -x -a '(__oryx_provided engine)' -d 'execution engine'
complete -c oryx -n '__oryx_is run' -s L -l sysroot -x -a '(__fish_complete_directories)' -d 'look up absolute paths below it first'
complete -c oryx -n '__oryx_is run' -l root -x -a '(__fish_complete_directories)' -d 'the guest sees only it, as /'
complete -c oryx -n '__oryx_is run' -s p -l plugin -r -a '(__oryx_ids)' -d 'load a plugin, attach its probes'
complete -c oryx -n '__oryx_is run' -l plugin-path -x -a '(__fish_complete_directories)' -d 'more plugin directories'
complete -c oryx -n '__oryx_is run' -l strace -d 'print system calls on stderr'
complete -c oryx -n '__oryx_is run' -l watch -x -d 'print who touches an address'
complete -c oryx -n '__oryx_is run' -s g -l gdb -x -d 'wait for GDB to connect'
complete -c oryx -n '__oryx_is run' -l strace-output -r -d 'print system calls to a file'
complete -c oryx -n '__oryx_is run' -l stats -d 'counters at the end, on stderr (=json)'
complete -c oryx -n '__oryx_is run' -l cpu -x -d 'CPU model'
complete -c oryx -n '__oryx_is run' -l window -x -a 'on off' -d 'reach guest memory directly'
complete -c oryx -n '__oryx_is run' -l perf -x -a 'map jitdump' -d 'compiled code for perf'
complete -c oryx -n '__oryx_is run' -l gdb-jit -d 'compiled code for a GDB that debugs this process'
complete -c oryx -n '__oryx_is run' -l dump -x -a 'ir opt host' -d 'print what is translated on stderr'
complete -c oryx -n '__oryx_is run' -s E -l env -x -d 'set a variable of the guest'
complete -c oryx -n '__oryx_is run' -s U -l unset -x -d 'unset a variable of the guest'
complete -c oryx -n '__oryx_is run' -s 0 -l argv0 -x -d 'argv[0] of the guest'

complete -c oryx -n '__oryx_is machine' -l check -d 'build it, do not run it'
complete -c oryx -n '__oryx_is machine' -s s -l set -x -d 'override a value, PATH=VALUE'
complete -c oryx -n '__oryx_is machine' -s c -l count -x -d 'execute so many instructions on each CPU'
complete -c oryx -n '__oryx_is machine' -s u -l until -x -d 'stop before an address'
complete -c oryx -n '__oryx_is machine' -s w -l watch -x -d 'print who touches an address'
complete -c oryx -n '__oryx_is machine' -s g -l gdb -x -d 'wait for GDB to connect'
complete -c oryx -n '__oryx_is machine' -s t -l timeout -x -d 'stop after so many seconds'
complete -c oryx -n '__oryx_is machine' -l load-snapshot -r -d 'begin in a saved state'
complete -c oryx -n '__oryx_is machine' -l save-snapshot -r -d 'save the state at the end'
complete -c oryx -n '__oryx_is machine' -l semihosting -d 'serve the requests of the guest to its host'
complete -c oryx -n '__oryx_is machine' -l snapshot-exclude -x -d 'leave a region or device out of it'
complete -c oryx -n '__oryx_is machine' -l stats -d 'counters at the end, on stderr'
complete -c oryx -n '__oryx_is machine' -s e -l engine -x -a '(__oryx_provided engine)' -d 'execution engine'
complete -c oryx -n '__oryx_is machine' -l plugin-path -x -a '(__fish_complete_directories)' -d 'more plugin directories'

complete -c oryx -n '__oryx_is mtree' -s s -l set -x -d 'override a value, PATH=VALUE'
complete -c oryx -n '__oryx_is mtree' -l json -d 'JSON output'
complete -c oryx -n '__oryx_is mtree' -l svg -r -d 'draw the address map'
complete -c oryx -n '__oryx_is mtree' -l plugin-path -x -a '(__fish_complete_directories)' -d 'more plugin directories'

complete -c oryx -n '__oryx_is exec' -l plugin-path -x -a '(__fish_complete_directories)' -d 'more plugin directories'
complete -c oryx -n '__oryx_is exec' -s e -l engine -x -a '(__oryx_provided engine)' -d 'engine of cases that name none'

complete -c oryx -n '__oryx_is dis' -s a -l arch -x -a '(__oryx_provided arch)' -d architecture
complete -c oryx -n '__oryx_is dis' -s m -l mode -x -d 'mode of the architecture'
complete -c oryx -n '__oryx_is dis' -l addr -x -d 'address of the first byte'
complete -c oryx -n '__oryx_is dis' -l plugin-path -x -a '(__fish_complete_directories)' -d 'more plugin directories'
complete -c oryx -n '__oryx_is dis' -l json -d 'JSON lines'

complete -c oryx -n '__oryx_is plugins' -l plugin-path -x -a '(__fish_complete_directories)' -d 'more plugin directories'
complete -c oryx -n '__oryx_is plugins' -l json -d 'JSON output'
complete -c oryx -n '__oryx_is plugins; and not __oryx_is list show verify' -f -a 'list show verify'
complete -c oryx -n '__oryx_is plugins; and __oryx_is show' -f -a '(__oryx_ids)'

complete -c oryx -n '__oryx_is arch' -l plugin-path -x -a '(__fish_complete_directories)' -d 'more plugin directories'
complete -c oryx -n '__oryx_is arch' -l json -d 'JSON output'
complete -c oryx -n '__oryx_is arch' -f -a '(__oryx_provided arch)'
