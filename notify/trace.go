package notify

import "encoding/hex"

// TraceParent is a place in a trace that spans many systems, as the header traceparent tells it (W3C Trace Context).
type TraceParent struct {
	Trace   [16]byte
	Span    [8]byte // of the caller
	Sampled bool    // the caller records it
}

// Sizes of a traceparent: "00-<32 hex>-<16 hex>-<2 hex>".
const (
	traceAt, spanAt, flagsAt = 3, 36, 53
	traceParentLen           = 55
)

// ParseTraceParent reads a traceparent as strictly as the standard asks: lower case, no zero ids, nothing behind version
// 00. Of a later version it reads the part that this one knows. It tells whether there is one.
func ParseTraceParent[T string | []byte](s T) (p TraceParent, ok bool) {
	if len(s) < traceParentLen || s[2] != '-' || s[spanAt-1] != '-' || s[flagsAt-1] != '-' {
		return TraceParent{}, false
	}
	var version, flags [1]byte
	hexes := unhex(version[:], s[:2]) && unhex(p.Trace[:], s[traceAt:spanAt-1]) && unhex(p.Span[:], s[spanAt:flagsAt-1]) &&
		unhex(flags[:], s[flagsAt:traceParentLen])
	switch {
	case !hexes, version[0] == 0xff, p.Trace == [16]byte{}, p.Span == [8]byte{}:
		return TraceParent{}, false
	case len(s) > traceParentLen && (version[0] == 0 || s[traceParentLen] != '-'):
		return TraceParent{}, false
	}
	p.Sampled = flags[0]&1 == 1
	return p, true
}

// String writes the traceparent in version 00.
func (p TraceParent) String() string {
	b := make([]byte, 0, traceParentLen)
	b = append(b, "00-"...)
	b = hex.AppendEncode(b, p.Trace[:])
	b = append(b, '-')
	b = hex.AppendEncode(b, p.Span[:])
	if p.Sampled {
		return string(append(b, "-01"...))
	}
	return string(append(b, "-00"...))
}

// unhex reads two lower-case digits for every byte of dst.
func unhex[T string | []byte](dst []byte, s T) bool {
	for i := range dst {
		high, low := digit(s[2*i]), digit(s[2*i+1])
		if high > 15 || low > 15 {
			return false
		}
		dst[i] = high<<4 | low
	}
	return true
}

func digit(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	}
	return 0xff
}
