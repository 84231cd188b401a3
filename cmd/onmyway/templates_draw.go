package main

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// phoneWidth is how many characters of a text stand in one line of a drawn bubble, as on a phone that is held upright.
const phoneWidth = 40

// print writes a preview plainly, for files and pipes.
func (p *preview) print(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%s\n\nsms    %s\n       %s\ntitle  %s\nbody   %s\n       %s\n",
		p.head(), oneLine(p.SMS.Text), p.SMS.cost(), oneLine(p.Push.Title), oneLine(p.Push.Body), p.Push.size())
	return err
}

// draw shows a preview as on a phone: the text message as a bubble, the push message as a card.
func (p *preview) draw(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "\x1b[2m%s\x1b[0m\n\n  Text message\n", p.head())
	bubble := wrapped(oneLine(p.SMS.Text), phoneWidth)
	frame(&b, bubble, "")
	fmt.Fprintf(&b, "  \x1b[2m%s\x1b[0m\n\n  Push and live message\n", p.SMS.cost())
	title := wrapped(oneLine(p.Push.Title), phoneWidth)
	frame(&b, append(title, wrapped(oneLine(p.Push.Body), phoneWidth)...), strings.Join(title, "\n"))
	fmt.Fprintf(&b, "  \x1b[2m%s\x1b[0m\n", p.Push.size())
	_, err := io.WriteString(w, b.String())
	return err
}

// head says whose text it is: the file, its version, and the language that stands in for another.
func (p *preview) head() string {
	head := fmt.Sprintf("%s of %s, %s (version %s", p.Milestone, p.Line, p.File, p.Version)
	if p.Override {
		head += ", override"
	}
	if p.Asked != p.Locale {
		head += fmt.Sprintf(", %s falls back to %s", p.Asked, p.Locale)
	}
	return head + ")"
}

func (s smsPreview) cost() string {
	return fmt.Sprintf("%s, %s, %s, %s", counted(s.Characters, "character"), s.Alphabet, counted(s.Segments, "segment"), counted(s.CostUnits, "cost unit"))
}

func (c cardPreview) size() string {
	return fmt.Sprintf("title %s, body %s", counted(c.TitleCharacters, "character"), counted(c.BodyCharacters, "character"))
}

// frame draws a box around lines. Those of the title come first and are bold.
func frame(b *strings.Builder, lines []string, title string) {
	bold := 0
	if title != "" {
		bold = strings.Count(title, "\n") + 1
	}
	edge := strings.Repeat("─", phoneWidth+2)
	fmt.Fprintf(b, "  ╭%s╮\n", edge)
	for i, line := range lines {
		pad := strings.Repeat(" ", phoneWidth-utf8.RuneCountInString(line))
		if i < bold {
			line = "\x1b[1m" + line + "\x1b[0m"
		}
		fmt.Fprintf(b, "  │ %s%s │\n", line, pad)
	}
	fmt.Fprintf(b, "  ╰%s╯\n", edge)
}

// wrapped breaks a text into lines of at most width characters, between words where that is possible. The no-break space
// keeps its words together.
func wrapped(text string, width int) (lines []string) {
	line := ""
	for word := range strings.SplitSeq(text, " ") {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= width {
			line += " " + word
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		for line = word; utf8.RuneCountInString(line) > width; {
			r := []rune(line)
			lines, line = append(lines, string(r[:width])), string(r[width:])
		}
	}
	return append(lines, line)
}
