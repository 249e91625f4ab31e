# bash completion for kaireonctl: commands and options as its own help tells
# them, so that it knows what this version knows.
_kaireonctl() {
	local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local commands nouns=() i noun='' verb='' line

	commands=$(kaireonctl --help 2>/dev/null | sed -n 's/^  kaireonctl \[--json\] //p')
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-*) ;;
		*) if [[ -z $noun ]]; then noun=${COMP_WORDS[i]}; elif [[ -z $verb ]]; then verb=${COMP_WORDS[i]}; fi ;;
		esac
	done
	COMPREPLY=()
	case $previous in
	--role)
		mapfile -t COMPREPLY < <(compgen -W 'viewer editor admin' -- "$word")
		return
		;;
	--format)
		mapfile -t COMPREPLY < <(compgen -W 'csv ndjson yaml json' -- "$word")
		return
		;;
	esac
	if [[ $word == -* ]]; then
		line=$(grep -E "^$noun( $verb)?( |\$)" <<<"$commands")
		mapfile -t COMPREPLY < <(compgen -W "--json --help $(grep -oE -- '--[a-z-]+' <<<"$line" | sort -u | tr '\n' ' ')" -- "$word")
		return
	fi
	if [[ -z $noun ]]; then
		nouns=($(awk '{ print $1 }' <<<"$commands" | sort -u))
		mapfile -t COMPREPLY < <(compgen -W "${nouns[*]}" -- "$word")
	elif [[ -z $verb ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(awk -v noun="$noun" '$1 == noun && $2 ~ /^[a-z]/ { print $2 }' <<<"$commands" | tr '\n' ' ')" -- "$word")
	fi
	# nothing of ours fits: files
	[[ ${#COMPREPLY[@]} -gt 0 ]] || compopt -o default
}
complete -F _kaireonctl kaireonctl
