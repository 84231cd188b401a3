package main

import (
	"fmt"
	"slices"
	"strings"

	"onmyway/notify"
)

// wordsOf are the words of an enum.
func wordsOf[S ~string](known []S) []string {
	words := make([]string, len(known))
	for i, k := range known {
		words[i] = string(k)
	}
	return words
}

// join lists the words of an enum for a person.
func join[S ~string](known []S) string { return strings.Join(wordsOf(known), ", ") }

// oneOf is an error for a word that is none of those known; empty is none.
func oneOf[S ~string](flag, word string, known []S) error {
	if word == "" || slices.Contains(known, S(word)) {
		return nil
	}
	if near, ok := notify.Nearest(word, wordsOf(known)); ok {
		return fmt.Errorf("%s: %q is unknown: did you mean %s?", flag, word, near)
	}
	return fmt.Errorf("%s: %q is unknown: use %s", flag, word, join(known))
}
