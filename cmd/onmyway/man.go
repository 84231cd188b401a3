package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func manCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "man [DIR]",
		Short: "Write manual pages",
		Long: `Write a manual page (section 1) for every command into a folder, which is made when it is not there. Without a folder
the page of onmyway itself goes to standard output.`,
		Example: `  onmyway man | man -l -
  onmyway man /usr/local/share/man/man1`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usageError{fmt.Errorf("man takes one folder: %q", args[1])}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return writePage(cmd.OutOrStdout(), cmd.Root())
			}
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return fmt.Errorf("make the folder for manual pages: %w", err)
			}
			return writePages(args[0], cmd.Root())
		},
	}
}

// writePages writes the pages of a command and those below it.
func writePages(dir string, cmd *cobra.Command) error {
	file, err := os.Create(filepath.Join(dir, pageOf(cmd)+".1"))
	if err != nil {
		return fmt.Errorf("write manual pages: %w", err)
	}
	err = writePage(file, cmd)
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("write the manual page of %s: %w", cmd.CommandPath(), err)
	}
	for _, sub := range documented(cmd) {
		if err := writePages(dir, sub); err != nil {
			return err
		}
	}
	return nil
}

// pageOf is the name of a command's page: "onmyway-config-print".
func pageOf(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

// documented are the commands below cmd that people use.
func documented(cmd *cobra.Command) (list []*cobra.Command) {
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			list = append(list, sub)
		}
	}
	return list
}

// writePage writes one page in the language of man(7).
func writePage(w io.Writer, cmd *cobra.Command) error {
	var p page
	p.line(`.TH "%s" 1 "" "onmyway %s" "Onmyway"`, roff(strings.ToUpper(pageOf(cmd))), roff(version))
	p.line(".SH NAME\n%s \\- %s", roff(pageOf(cmd)), roff(lowerFirst(cmd.Short)))
	p.line(".SH SYNOPSIS\n.B %s", roff(strings.TrimSuffix(cmd.UseLine(), " [flags]")))
	if cmd.HasAvailableLocalFlags() {
		p.line(`[\fIflags\fR]`)
	}
	text := cmd.Long
	if text == "" {
		text = cmd.Short + "."
	}
	p.line(".SH DESCRIPTION")
	p.text(text)
	p.commands(cmd)
	p.flags(cmd)
	if cmd.Example != "" {
		p.line(".SH EXAMPLES\n.nf\n%s\n.fi", roff(cmd.Example))
	}
	p.line(".SH EXIT STATUS\n0 when it is done, 1 when it failed, 2 when it was called wrongly.")
	if !cmd.HasParent() {
		p.line(".SH ENVIRONMENT")
		p.text("ONMYWAY_CONFIG names the configuration file. Every key of it is a variable too: http.addr is ONMYWAY_HTTP__ADDR. " +
			"With NO_COLOR set nothing is coloured.")
	}
	p.seeAlso(cmd)
	_, err := io.WriteString(w, p.String())
	return err
}

// page is a manual page that grows.
type page struct{ strings.Builder }

func (p *page) line(format string, args ...any) { fmt.Fprintf(&p.Builder, format+"\n", args...) }

// text writes paragraphs. Indented lines keep their shape.
func (p *page) text(text string) {
	for i, paragraph := range strings.Split(text, "\n\n") {
		if i > 0 {
			p.line(".PP")
		}
		for line := range strings.Lines(paragraph) {
			line = strings.TrimSuffix(line, "\n")
			if strings.HasPrefix(line, "  ") {
				p.line(".br\n%s\n.br", roff(line))
			} else {
				p.line("%s", roff(line))
			}
		}
	}
}

func (p *page) commands(cmd *cobra.Command) {
	for i, sub := range documented(cmd) {
		if i == 0 {
			p.line(".SH COMMANDS")
		}
		p.line(".TP\n\\fB%s\\fR\n%s.", roff(sub.Name()), roff(sub.Short))
	}
}

func (p *page) flags(cmd *cobra.Command) {
	head := false
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		if !head {
			p.line(".SH FLAGS")
			head = true
		}
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		kind, usage := pflag.UnquoteUsage(f)
		p.line(".TP\n\\fB%s\\fR \\fI%s\\fR\n%s", roff(name), roff(kind), roff(usage))
		if f.DefValue != "" && f.DefValue != "[]" && f.DefValue != "false" {
			p.line("(%s)", roff(f.DefValue))
		}
	})
}

func (p *page) seeAlso(cmd *cobra.Command) {
	var pages []string
	if cmd.HasParent() {
		pages = append(pages, pageOf(cmd.Parent()))
	}
	for _, sub := range documented(cmd) {
		pages = append(pages, pageOf(sub))
	}
	for i, name := range pages {
		if i == 0 {
			p.line(".SH SEE ALSO")
		}
		comma := ","
		if i == len(pages)-1 {
			comma = ""
		}
		p.line(".BR %s (1)%s", roff(name), comma)
	}
}

// roff makes text safe between requests: a backslash begins an escape anywhere, a dot or quote a request at the start of
// a line, and a plain hyphen would become a typographic one that nobody can paste.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "…", "...", "→", "->").Replace(text)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}

func lowerFirst(s string) string {
	if s == "" || len(s) > 1 && s[1] >= 'A' && s[1] <= 'Z' { // "REST …" stays
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}
