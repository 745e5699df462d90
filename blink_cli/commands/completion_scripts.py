"""The scripts that make Tab complete `blink` in bash, zsh and fish, and where each shell looks for them.

They ask `blink` itself (see `completion_answer`) and evaluate nothing of what it says: bash gets words that are quoted already, zsh and fish
get bare ones and quote them as they quote files' names.
"""

from pathlib import Path
from typing import Final

from blink_cli.commands.shell_words import ShellName

BASH: Final = r"""_blink_completion() {
    local offered
    COMPREPLY=()
    while IFS= read -r offered; do
        COMPREPLY+=("$offered")
    done < <(_BLINK_COMPLETE=complete_bash _BLINK_LINE="${COMP_LINE:0:COMP_POINT}" \
             _BLINK_BREAKS="$COMP_WORDBREAKS" "${1/#\~\//$HOME/}" 2>/dev/null)
    # A folder, or the beginning of a device's name, is gone on with.
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[/:,] ]]; then
        compopt -o nospace 2>/dev/null
    fi
    return 0
}

complete -F _blink_completion blink
"""

ZSH: Final = r"""#compdef blink

_blink() {
    local line="${(j: :)words[1,CURRENT-1]} $IPREFIX$QIPREFIX$PREFIX" answered value about
    local -a values shown open
    answered="$(_BLINK_COMPLETE=complete_zsh _BLINK_LINE="$line" blink 2>/dev/null; print -n .)"
    # A folder behind a ~ is kept as it was typed.
    local home=
    [[ $PREFIX == '~'*/* && -z $QIPREFIX ]] && compset -P 1 '*/' && home=1
    for value about in "${(@0)${answered%.}}"; do
        [[ -n $value ]] || continue
        [[ -n $home ]] && value="${value#*/}"
        if [[ $value == *[/:,] ]]; then
            open+=("$value")
        else
            values+=("$value")
            shown+=("${(V)value}${about:+  -- $about}")
        fi
    done
    (( $#open )) && compadd -S '' -- "${(@)open}"
    (( $#values )) && compadd -l -d shown -- "${(@)values}"
}

if [[ $funcstack[1] == _blink ]]; then
    _blink "$@"
else
    compdef _blink blink
fi
"""

FISH: Final = r"""function __blink_complete
    set -lx _BLINK_COMPLETE complete_fish
    set -lx _BLINK_LINE (commandline -cp | string collect)
    command blink 2>/dev/null | string split0
end

complete --command blink --no-files --arguments "(__blink_complete)"
"""

SCRIPTS: Final[dict[ShellName, str]] = {"bash": BASH, "zsh": ZSH, "fish": FISH}

_PLACES: Final[dict[ShellName, tuple[str, str, str]]] = {
    "bash": (".bash_completions/blink.sh", ".bashrc", "source ~/.bash_completions/blink.sh"),
    "zsh": (".zfunc/_blink", ".zshrc", "fpath+=~/.zfunc; autoload -Uz compinit; compinit"),
    "fish": (".config/fish/completions/blink.fish", "", ""),
}
"""The script's file, the file that the shell starts with, and the line in it that finds the script; all from the home folder."""


def install(shell: ShellName, home: Path) -> Path:
    """Write a shell's script where the shell finds it when it starts next, and return where that is.

    Raises:
        OSError: It cannot be written.

    """
    script, startup, line = _PLACES[shell]
    path = home / script
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(SCRIPTS[shell])
    if startup:
        start = home / startup
        # Bytes: what else stands there is the user's own, in any encoding.
        before = start.read_bytes() if start.exists() else b""
        if line.encode() not in before.splitlines():
            with start.open("ab") as file:
                file.write(b"\n" * (before[-1:] not in (b"", b"\n")) + line.encode() + b"\n")
    return path
