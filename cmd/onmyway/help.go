package main

import (
	"strings"

	"github.com/spf13/cobra"
)

// explain fills in what commands do not say of themselves, so that help and manual pages have the same shape everywhere:
// the examples of a group are the first ones of its commands, and a short text does for a long one.
func explain(cmd *cobra.Command) {
	var first []string
	for _, sub := range documented(cmd) {
		explain(sub)
		if line, _, _ := strings.Cut(sub.Example, "\n"); line != "" {
			first = append(first, line)
		}
	}
	if cmd.Example == "" {
		cmd.Example = strings.Join(first, "\n")
	}
	if cmd.Long == "" && cmd.Short != "" {
		cmd.Long = cmd.Short + "."
	}
}
