package main

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"onmyway/notify"
)

var shells = []string{"bash", "zsh", "fish", "powershell"}

func completionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "completion bash|zsh|fish|powershell",
		Short: "Print a script that completes commands, flags and their values in a shell",
		Long: `Print a script that completes commands, flags and their values in a shell: milestones, states, channels, lines.

bash needs the package bash-completion; zsh needs "autoload -U compinit; compinit" in ~/.zshrc.`,
		Example: `  source <(onmyway completion bash)
  onmyway completion bash > /etc/bash_completion.d/onmyway
  onmyway completion zsh > "${fpath[1]}/_onmyway"
  onmyway completion fish > ~/.config/fish/completions/onmyway.fish
  onmyway completion powershell | Out-String | Invoke-Expression`,
		ValidArgs: shells,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || !slices.Contains(shells, args[0]) {
				return usageError{fmt.Errorf("name one shell: %s", strings.Join(shells, ", "))}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			root, out := cmd.Root(), cmd.OutOrStdout()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(out, true)
			case "zsh":
				return root.GenZshCompletion(out)
			case "fish":
				return root.GenFishCompletion(out, true)
			}
			return root.GenPowerShellCompletionWithDesc(out)
		},
	}
}

// completeValues lets the shell complete what flags and arguments may be, in the whole tree. What a command says of its
// own flags stays.
func completeValues(root *cobra.Command) {
	values := flagValues()
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if words, known := values[f.Name]; known {
				_ = cmd.RegisterFlagCompletionFunc(f.Name, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)) // it has one
			}
		})
		if strings.Contains(cmd.Use, " MILESTONE") && cmd.ValidArgsFunction == nil {
			cmd.ValidArgsFunction = cobra.FixedCompletions(milestoneNames(), cobra.ShellCompDirectiveNoFileComp)
		}
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(root)
}

// flagValues are the words that flags take, by the name of the flag.
func flagValues() map[string][]string {
	values := map[string][]string{
		"milestone": milestoneNames(), "line": wordsOf(notify.Lines), "channel": wordsOf(notify.Channels),
		"state": wordsOf(notify.States), "output": {string(asTable), string(asJSON)}, "defaults.off": offWords(),
	}
	eachTag(reflect.TypeFor[Config](), "", func(key string, tag reflect.StructTag) {
		if words := tag.Get("enum"); words != "" {
			values[key] = strings.Split(words, ",")
		}
	})
	return values
}

// eachTag calls f with the tag of every key of the configuration.
func eachTag(t reflect.Type, prefix string, f func(key string, tag reflect.StructTag)) {
	for i := range t.NumField() {
		field := t.Field(i)
		key := prefix + field.Tag.Get("yaml")
		if field.Type.Kind() == reflect.Struct {
			eachTag(field.Type, key+".", f)
		} else {
			f(key, field.Tag)
		}
	}
}
