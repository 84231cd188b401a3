package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"onmyway/templates"
)

func templatesLintCommand() *cobra.Command {
	var dir *string
	var output *format
	cmd := &cobra.Command{
		Use:   "lint",
		Short: "Check every text with everything that an event could say",
		Long: `Check every text: the built-in ones and over them those of --dir. Each is written for each line of business with every
combination of the facts that it reads, with usual, long, odd and hostile values. Found are: milestones without words in
a language, words for nobody, unknown facts, filters and tags, facts that may be missing, text messages of more than two
segments, titles of more than 50 and texts of more than 150 characters, characters that turn an English text message into
the dearer alphabet, and more than one link. The exit code is 1 when something was found.`,
		Example: `  onmyway templates lint
  onmyway templates lint --dir ./texts
  onmyway templates lint -o json | jq '.findings[].file'`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return lintTexts(cmd, *dir, *output) },
	}
	dir = dirFlag(cmd.Flags())
	output = outputFlag(cmd.Flags())
	return cmd
}

func lintTexts(cmd *cobra.Command, dir string, output format) error {
	files, err := textsDir(dir)
	if err != nil {
		return err
	}
	report, err := templates.Lint(files, told())
	if err != nil {
		return fmt.Errorf("lint templates: %w", err)
	}
	for i := range report.Findings {
		report.Findings[i].File = pathOf(dir, report.Findings[i].File)
	}
	if output == asJSON {
		err = printJSON(cmd.OutOrStdout(), report)
	} else {
		err = printLint(cmd, report)
	}
	if err == nil && len(report.Findings) > 0 {
		err = fmt.Errorf("%s in the templates", counted(len(report.Findings), "finding"))
	}
	return err
}

// pathOf is where a file is: in the operator's folder, if it is there.
func pathOf(dir, file string) string {
	if dir == "" {
		return file
	}
	if path := filepath.Join(dir, file); exists(path) {
		return path
	}
	return file
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func printLint(cmd *cobra.Command, r templates.Report) error {
	out := cmd.OutOrStdout()
	for _, f := range r.Findings {
		if _, err := fmt.Fprintln(out, oneLine(f.String())); err != nil {
			return fmt.Errorf("write the findings: %w", err)
		}
	}
	_, err := fmt.Fprintf(out, "%s, %s, %s, %s checked, %s\n", counted(r.Templates, "template"), counted(len(r.Locales), "locale"),
		counted(r.Milestones, "milestone"), counted(r.Texts, "text"), counted(len(r.Findings), "finding"))
	return err
}
