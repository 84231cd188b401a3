package templates

import (
	"iter"
	"strconv"
	"strings"
)

// maxItems is how many items of a list are named; of the others their number is told.
const maxItems = 6

// list writes "A, B and C", "A, B y C", "A, B, C". Items in which nothing can be read are left out.
func (c *call) list(dst []byte, raw string) []byte {
	var named [maxItems]string
	var scratch [4 * maxItem]byte
	total := 0
	for item := range items(raw) {
		if item = c.inTongue(item); len(c.text(scratch[:0], item, maxItem)) == 0 {
			continue
		}
		if total < maxItems {
			named[total] = item
		}
		total++
	}
	for i, item := range named[:min(total, maxItems)] {
		switch {
		case i > 0 && i == total-1:
			dst = append(dst, c.and(item)...)
		case i > 0:
			dst = append(dst, ", "...)
		}
		dst = c.text(dst, item, maxItem)
	}
	if total > maxItems {
		dst = strconv.AppendInt(append(dst, c.and("")...), int64(total-maxItems), 10)
		dst = append(dst, c.say(" more", " más", " +")...)
	}
	return dst
}

// and joins the last item of a list. Spanish says "e" before the sound of i.
func (c *call) and(next string) string {
	if soundsLikeI(next) {
		return c.say(" and ", " e ", ", ")
	}
	return c.say(" and ", " y ", ", ")
}

func soundsLikeI(word string) bool {
	word = strings.ToLower(strings.TrimSpace(word))
	return strings.HasPrefix(word, "i") || strings.HasPrefix(word, "í") ||
		strings.HasPrefix(word, "hi") && !strings.HasPrefix(word, "hie")
}

// length is the number of items that can be read.
func (c *call) length(raw string) (n int) {
	var scratch [4 * maxItem]byte
	for item := range items(raw) {
		if len(c.text(scratch[:0], item, maxItem)) > 0 {
			n++
		}
	}
	return n
}

// items are those of a raw JSON array; a value that is no array is one item. Items that are arrays or objects are skipped.
func items(raw string) iter.Seq[string] {
	return func(yield func(string) bool) {
		if !strings.HasPrefix(raw, "[") {
			yield(raw)
			return
		}
		for i := skipBlank(raw, 1); i < len(raw) && raw[i] != ']'; {
			end := max(skipValue(raw, i), i+1)
			item := raw[i:end]
			if item[0] == '"' {
				item = unquote(item)
			}
			if item != "" && strings.IndexByte("[{,", item[0]) < 0 && item != "null" && !yield(item) {
				return
			}
			i = skipBlank(raw, end)
		}
	}
}
