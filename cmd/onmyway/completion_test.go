package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestCompletionScripts: there is one for every shell, and bash and zsh can read theirs where they are there.
func TestCompletionScripts(t *testing.T) {
	for _, shell := range shells {
		v := invoke(t, nil, "", "completion", shell)
		v.want(t, 0, "onmyway")
		path, err := exec.LookPath(shell)
		if err != nil || shell == "powershell" {
			continue
		}
		script := filepath.Join(t.TempDir(), "completion")
		if err := os.WriteFile(script, []byte(v.out), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.CommandContext(t.Context(), path, "-n", script).CombinedOutput(); err != nil {
			t.Errorf("%s can't read its script: %v\n%s", shell, err, out)
		}
	}
	invoke(t, nil, "", "completion", "tcsh").want(t, 2, "bash, zsh, fish, powershell")
	invoke(t, nil, "", "completion").want(t, 2, "name one shell")
}

// TestCompletedValues: what the shell offers.
func TestCompletedValues(t *testing.T) {
	tests := []struct {
		args string // the last word is what was typed so far; "-" for nothing
		want []string
	}{
		{"serve --log.level -", []string{"debug", "info"}},
		{"serve --kafka.sasl.mechanism -", []string{"scram-sha-512"}},
		{"messages list --state s", []string{"suppressed", "sent", "sending"}},
		{"messages list --channel -", []string{"sms", "push", "websocket"}},
		{"messages list --milestone pick", []string{"picked_up"}},
		{"doctor --output -", []string{"table", "json"}},
		{"templates preview --line -", []string{"car_haul"}},
		{"templates preview -", []string{"picked_up", "delivered"}},
		{"completion -", shells},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			args := strings.Fields(tt.args)
			if last := len(args) - 1; args[last] == "-" {
				args[last] = ""
			}
			v := invoke(t, nil, "", append([]string{cobra.ShellCompRequestCmd}, args...)...)
			offered := map[string]bool{}
			for _, line := range strings.Split(v.out, "\n") {
				word, _, _ := strings.Cut(line, "\t")
				offered[word] = true
			}
			for _, want := range tt.want {
				if !offered[want] {
					t.Errorf("%q is not offered:\n%s", want, v.out)
				}
			}
		})
	}
}

// TestEveryCommandExplainsItself: a person who asks any command for help gets a text and an example that names it.
func TestEveryCommandExplainsItself(t *testing.T) {
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		if cmd.HasParent() {
			if cmd.Long == "" || cmd.Short == "" {
				t.Errorf("%s has no long or short text", cmd.CommandPath())
			}
			if !strings.Contains(cmd.Example, cmd.CommandPath()) {
				t.Errorf("%s has no example of itself", cmd.CommandPath())
			}
		}
		for _, sub := range documented(cmd) {
			if sub.Name() != "help" {
				walk(sub)
			}
		}
	}
	walk(command())
}
