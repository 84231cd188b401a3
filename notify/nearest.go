package notify

import "onmyway/templates"

// Nearest finds the one of some known words that was probably meant, as templates.Nearest does; ok is false when none is
// near. It stands here for those that may not know templates.
func Nearest(word string, among []string) (near string, ok bool) {
	return templates.Nearest(word, among)
}
