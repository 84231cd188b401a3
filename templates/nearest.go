package templates

import "strings"

// Nearest finds the one of some known words that was probably meant by a word that is none of them: at most two letters
// away, or a third of the longer of both, and not all letters of either. Case does not count. Of equally near ones it is
// the first; ok is false when none is near.
func Nearest(word string, among []string) (near string, ok bool) {
	word = strings.ToLower(word)
	least := 0
	for _, known := range among {
		k := strings.ToLower(known)
		short, long := min(len(word), len(k)), max(len(word), len(k))
		most := min(max(2, long/3), short-1)
		if long-short > most { // also keeps what somebody sends us at any length from costing its square
			continue
		}
		if d := distance(word, k); d <= most && (!ok || d < least) {
			near, ok, least = known, true, d
		}
	}
	return near, ok
}

// distance is the number of bytes to insert, delete or replace (V. Levenshtein, 1966), with one row of the table.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
