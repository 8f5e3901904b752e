# Completion knows every command and every option that --help shows, and nothing else.
. "$EEX_SOURCE_DIR/tests/cli/lib.sh" || exit 1
expect 0 "$EEX" help --completion bash
cp out complete.bash
# shellcheck disable=SC1091
. ./complete.bash
complete_words() { # WORDS...: what the last of them may become
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    _eex_complete
    printf '%s\n' ${COMPREPLY[@]+"${COMPREPLY[@]}"}
}

expect 0 "$EEX" help
sed -n '/^commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' out | sort >commands
[ "$(wc -l <commands)" -gt 15 ] || fail "hardly any commands"
complete_words eex "" | grep -v '^-' | sort >completed
cmp -s commands completed || fail "commands: $(diff commands completed)"
sed 's/$/ /' commands >lines
expect 0 "$EEX" help data
sed -n 's/^  \([a-z]*\) .*/data \1/p' out >>lines
while read -r first second; do
    [ "$first" = help ] && continue
    [ "$first" = data ] && [ -z "$second" ] && continue
    # shellcheck disable=SC2086
    expect 0 "$EEX" $first $second --help
    sed -nE 's/^  (-[a-z], )?(--[a-z0-9-]+).*/\2/p' out | sort -u >options
    # shellcheck disable=SC2086
    complete_words eex $first $second -- | sort -u >completed
    cmp -s options completed || fail "$first $second: $(diff options completed)"
done <lines
[ "$(complete_words eex help lu)" = lua ] || fail "a page of the help is not completed"
[ "$(complete_words eex str)" = stream ] || fail "str is not completed"
[ "$(complete_words eex stream RUN x --dec)" = --decisions ] || fail "--dec is not completed"
[ -z "$(complete_words eex stream RUN x --decisions --)" ] || fail "a value is completed as an option"
[ -z "$(complete_words eex infer ph)" ] || fail "names of files are left to the shell"
expect 0 "$EEX" help --completion zsh
[ "$(head -1 out)" = "#compdef eex" ] || fail "zsh does not know what it completes"
expect 2 "$EEX" help --completion fish
err_has 'unknown shell "fish"'
expect 2 "$EEX" help --completion
err_has "which shell"
exit 0
