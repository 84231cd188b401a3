package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

func configCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Show and check the configuration",
		Long: `Show and check the configuration, without touching any engine.

It is read exactly as serve reads it: flags over ONMYWAY_ variables over the file over the defaults.`,
		Example: `  onmyway config print --config onmyway.yaml
  onmyway config check --config onmyway.yaml
  onmyway config schema > onmyway.schema.json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(configPrintCommand(), configCheckCommand(), configSchemaCommand())
	return cmd
}

func configPrintCommand() *cobra.Command {
	var output *format
	cmd := &cobra.Command{
		Use:   "print",
		Short: "Print every key, its value and where it came from",
		Long: `Print every key, its value and where it came from: a flag, a variable, a line of the file, or the default.

Secrets are printed as ***, also inside URLs.`,
		Example: `  onmyway config print
  ONMYWAY_HTTP__ADDR=:80 onmyway config print --config onmyway.yaml
  onmyway config print -o json | jq '.keys[] | select(.origin != "default")'`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := loadSettings(cmd.Flags())
			if err != nil {
				return usageError{err}
			}
			if *output == asJSON {
				return printJSON(cmd.OutOrStdout(), map[string]any{"keys": s.lines()})
			}
			return printSettings(cmd.OutOrStdout(), s.lines())
		},
	}
	configFlags(cmd.Flags())
	output = outputFlag(cmd.Flags())
	return cmd
}

func configCheckCommand() *cobra.Command {
	var output *format
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Check the configuration and say what production still needs",
		Long: `Check the configuration: everything that is wrong at once, what runs embedded, and what production still needs.

Nothing is opened and nothing is sent; "onmyway doctor" asks the engines and providers themselves. The exit code is 0 when
serve would take the configuration, warnings or not, and 2 when it would not.`,
		Example: `  onmyway config check --config onmyway.yaml
  onmyway config check -o json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return configCheck(cmd, *output == asJSON)
		},
	}
	configFlags(cmd.Flags())
	output = outputFlag(cmd.Flags())
	return cmd
}

// verdict is what a check of the configuration found.
type verdict struct {
	OK       bool     `json:"ok"`
	Embedded []string `json:"embedded"` // engines
	Problems []string `json:"problems"`
	Warnings []advice `json:"warnings"`
}

func configCheck(cmd *cobra.Command, json bool) error {
	s, err := loadSettings(cmd.Flags())
	v := verdict{Problems: []string{}, Warnings: []advice{}, Embedded: []string{}}
	for _, problem := range append(problems(err), problems(s.caused(s.parts()))...) {
		if text := s.located(problem); !slices.Contains(v.Problems, text) {
			v.Problems = append(v.Problems, text)
		}
	}
	v.OK = len(v.Problems) == 0
	if v.OK {
		v.Embedded = append(v.Embedded, s.embedded()...)
		v.Warnings = append(v.Warnings, s.warnings()...)
	}
	out := cmd.OutOrStdout()
	if json {
		err = printJSON(out, v)
	} else {
		err = v.print(out)
	}
	if err == nil && !v.OK {
		err = usageError{fmt.Errorf("the configuration has %s", counted(len(v.Problems), "problem"))}
	}
	return err
}

func (v *verdict) print(out io.Writer) error {
	var b strings.Builder
	for _, p := range v.Problems {
		fmt.Fprintf(&b, "wrong    %s\n", p)
	}
	for _, a := range v.Warnings {
		fmt.Fprintf(&b, "warning  %s %s\n", a.Key, a.Text)
	}
	if len(v.Embedded) > 0 {
		fmt.Fprintf(&b, "embedded %s: for a first look and for tests, for one process\n", strings.Join(v.Embedded, ", "))
	}
	if v.OK {
		fmt.Fprintf(&b, "ok       serve would take this configuration; %s\n", counted(len(v.Warnings), "warning"))
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// located adds to a problem where the key stands that it begins with.
func (s *settings) located(problem string) string {
	key := strings.TrimRight(strings.SplitN(problem, " ", 2)[0], ":")
	if origin := s.origins[key]; origin != "" && origin != "default" {
		return problem + " (" + origin + ")"
	}
	return problem
}

// problems takes joined errors apart: each is a line.
func problems(err error) []string {
	if err == nil {
		return nil
	}
	return strings.Split(err.Error(), "\n")
}

// counted writes "no warnings", "1 warning" or "2 warnings".
func counted(n int, thing string) string {
	switch n {
	case 0:
		return "no " + thing + "s"
	case 1:
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
