package main

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Colours of a terminal (ECMA-48).
var colours = map[grade]string{gradeOK: "\x1b[32m", gradeWarning: "\x1b[33m", gradeFailed: "\x1b[31m"}

// printFindings writes a table that is grouped by area: grade, check, what was seen, and below it what to do.
func printFindings(w io.Writer, all []finding, count map[grade]int, colour bool) error {
	const plain, bold = "\x1b[0m", "\x1b[1m"
	width := 0
	for _, f := range all {
		width = max(width, utf8.RuneCountInString(f.Check))
	}
	paint := func(code, text string) string {
		if !colour {
			return text
		}
		return code + text + plain
	}
	var b strings.Builder
	area := ""
	for _, f := range all {
		if f.Area != area {
			area = f.Area
			fmt.Fprintf(&b, "%s\n", paint(bold, area))
		}
		gap := strings.Repeat(" ", width-utf8.RuneCountInString(f.Check))
		fmt.Fprintf(&b, "  %s  %s%s  %s\n", paint(colours[f.Grade], fmt.Sprintf("%-7s", f.Grade)), f.Check, gap, oneLine(f.Seen))
		if f.Do != "" {
			fmt.Fprintf(&b, "  %7s  %s  -> %s\n", "", strings.Repeat(" ", width), oneLine(f.Do))
		}
	}
	fmt.Fprintf(&b, "\n%d ok, %s, %d failed\n", count[gradeOK], counted(count[gradeWarning], "warning"), count[gradeFailed])
	_, err := io.WriteString(w, b.String())
	return err
}
