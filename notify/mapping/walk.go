package mapping

// kind is the type of a JSON value; absent for a field that is not there, or null.
type kind int

const (
	absent kind = iota
	text
	number
	boolean
	object
	array
)

// value is a JSON value in a source that was scanned. The zero value is absent.
type value struct {
	span
	kind kind
}

// valueAt finds the end of the value that starts at src[i]. src was scanned: it is JSON.
func valueAt(src []byte, i int) value {
	v := value{span: span{start: i}}
	switch src[i] {
	case '"':
		v.kind, v.end = text, skipText(src, i)
	case '{':
		v.kind, v.end = object, skipNested(src, i)
	case '[':
		v.kind, v.end = array, skipNested(src, i)
	case 'n':
		v.end = i + len("null")
	case 't':
		v.kind, v.end = boolean, i+len("true")
	case 'f':
		v.kind, v.end = boolean, i+len("false")
	default:
		v.kind, v.end = number, i+1
		for v.end < len(src) && !isSpace(src[v.end]) && src[v.end] != ',' && src[v.end] != '}' && src[v.end] != ']' {
			v.end++
		}
	}
	return v
}

func skipSpace(src []byte, i int) int {
	for i < len(src) && isSpace(src[i]) {
		i++
	}
	return i
}

// skipText is the end of the string that starts at src[i].
func skipText(src []byte, i int) int {
	for i++; src[i] != '"'; i++ {
		if src[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// skipNested is the end of the object or array that starts at src[i].
func skipNested(src []byte, i int) int {
	for depth := 0; ; {
		switch src[i] {
		case '"':
			i = skipText(src, i)
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
		i++
	}
}

// members calls each with the names and values of an object that was scanned, names without their quotes.
func members(src []byte, o value, each func(name span, v value)) {
	i := skipSpace(src, o.start+1)
	for src[i] != '}' {
		end := skipText(src, i)
		name := span{i + 1, end - 1}
		i = skipSpace(src, end) // the colon
		i = skipSpace(src, i+1) // the value
		v := valueAt(src, i)
		each(name, v)
		i = skipSpace(src, v.end)
		if src[i] == ',' {
			i = skipSpace(src, i+1)
		}
	}
}

// compact is a copy of a value without the space between its parts.
func compact(src []byte, v value) []byte {
	dst := make([]byte, 0, v.end-v.start)
	for i := v.start; i < v.end; {
		switch {
		case src[i] == '"':
			end := skipText(src, i)
			dst = append(dst, src[i:end]...)
			i = end
		case isSpace(src[i]):
			i++
		default:
			dst = append(dst, src[i])
			i++
		}
	}
	return dst
}
