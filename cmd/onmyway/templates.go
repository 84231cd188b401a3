package main

import (
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"onmyway/notify"
	"onmyway/templates"
)

// templatesCommand is `onmyway templates`: for the person who writes what customers read.
func templatesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "templates",
		Short: "Check, preview and list what customers read",
		Long: `Check, preview and list the texts that customers read. docs/templates.md has the language they are written in, and how a
folder of your own (templates.dir) replaces single files.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(templatesLintCommand(), templatesPreviewCommand(), templatesListCommand())
	return cmd
}

// dirFlag adds --dir, which all commands about texts have.
func dirFlag(flags *pflag.FlagSet) *string {
	return flags.String("dir", os.Getenv(envPrefix+"TEMPLATES__DIR"), "folder of your own texts, as templates.dir has it; empty: the built-in ones alone")
}

// textsDir opens a folder of texts; nil for none.
func textsDir(dir string) (fs.FS, error) {
	if dir == "" {
		return nil, nil
	}
	info, err := os.Stat(dir)
	switch {
	case err != nil:
		return nil, usageError{fmt.Errorf("--dir: %w", err)}
	case !info.IsDir():
		return nil, usageError{fmt.Errorf("--dir: %s is no folder: name the one that has <milestone>/<locale>.txt in it", dir)}
	}
	return os.DirFS(dir), nil
}

// loadTexts reads the texts as serve would.
func loadTexts(dir string) (*templates.Set, error) {
	files, err := textsDir(dir)
	if err != nil {
		return nil, err
	}
	set, err := templates.Load(files)
	if err != nil {
		return nil, fmt.Errorf("%w\n`onmyway templates lint` says more", err)
	}
	return set, nil
}

// told lists what customers are told, line by line.
func told() (all []templates.Subject) {
	for _, line := range notify.Lines {
		for _, m := range notify.Milestones(line) {
			if m.Visible {
				all = append(all, templates.Subject{Line: string(line), Milestone: m.Name})
			}
		}
	}
	return all
}

// knownLine reads a line of business as people write it.
func knownLine(name string) (notify.Line, error) {
	if err := oneOf("--line", name, notify.Lines); err != nil {
		return "", usageError{err}
	}
	return notify.Line(name), nil
}

// didYouMean is `, did you mean "x"?` for the nearest known word, if one is near.
func didYouMean(word string, known []string) string {
	if near, ok := notify.Nearest(word, known); ok {
		return fmt.Sprintf(", did you mean %q?", near)
	}
	return ""
}
