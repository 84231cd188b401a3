package main

import (
	"github.com/spf13/cobra"

	"onmyway/notify"
)

// listedText is one text of `templates list`.
type listedText struct {
	Line      notify.Line `json:"line"`
	Milestone string      `json:"milestone"`
	Locale    string      `json:"locale"`
	Source    string      `json:"source"` // "built in" or "override"
	Version   string      `json:"version"`
	File      string      `json:"file"`
}

func templatesListCommand() *cobra.Command {
	var dir *string
	var output *format
	var line string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the texts, where each comes from and which version it is",
		Long: `List the texts of every milestone that customers are told: the language, whether the file is built in or one of your
folder, and its version, which the record of each message names.`,
		Example: `  onmyway templates list --line drive_away
  onmyway templates list --dir ./texts -o json | jq '.[] | select(.source == "override")'`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if line != "" {
				if _, err := knownLine(line); err != nil {
					return err
				}
			}
			return listTexts(cmd, *dir, line, *output)
		},
	}
	dir = dirFlag(cmd.Flags())
	output = outputFlag(cmd.Flags())
	cmd.Flags().StringVar(&line, "line", "", "only this line of business")
	return cmd
}

func listTexts(cmd *cobra.Command, dir, line string, output format) error {
	set, err := loadTexts(dir)
	if err != nil {
		return err
	}
	all := []listedText{}
	for _, s := range told() {
		if line != "" && line != s.Line {
			continue
		}
		for _, locale := range set.Locales() {
			t := set.Lookup(s.Line, s.Milestone, locale)
			if t == nil || t.Locale != locale {
				continue
			}
			source := "built in"
			if t.Override {
				source = "override"
			}
			all = append(all, listedText{notify.Line(s.Line), s.Milestone, locale, source, t.Version, t.File})
		}
	}
	if output == asJSON {
		return printJSON(cmd.OutOrStdout(), all)
	}
	rows := [][]string{{"LINE", "MILESTONE", "LOCALE", "SOURCE", "VERSION", "FILE"}}
	for _, t := range all {
		rows = append(rows, []string{string(t.Line), t.Milestone, t.Locale, t.Source, t.Version, t.File})
	}
	return printTable(cmd.OutOrStdout(), rows)
}
