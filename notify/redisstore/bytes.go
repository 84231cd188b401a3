package redisstore

import (
	"encoding/binary"
	"time"
)

// The pieces that values and payloads are made of: whole numbers as varints, strings with their length in front.

func appendString[S ~string | ~[]byte](b []byte, s S) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

// appendTime keeps nanoseconds and drops the zone: readers get UTC. The zero time stays zero.
func appendTime(b []byte, t time.Time) []byte {
	b = binary.AppendVarint(b, t.Unix())
	return binary.AppendUvarint(b, uint64(t.Nanosecond()))
}

// pieces reads what the append funcs wrote. Its strings are parts of the input, not copies. After anything that cannot
// be, bad is true and every answer is zero.
type pieces struct {
	rest string
	bad  bool
}

func (p *pieces) fail() {
	p.bad, p.rest = true, ""
}

func (p *pieces) byte() byte {
	if p.rest == "" {
		p.fail()
		return 0
	}
	c := p.rest[0]
	p.rest = p.rest[1:]
	return c
}

func (p *pieces) bool() bool { return p.byte() == 1 }

// uint reads a varint of at most 64 bits.
func (p *pieces) uint() uint64 {
	var v uint64
	for i := 0; i < min(len(p.rest), binary.MaxVarintLen64); i++ {
		c := p.rest[i]
		if i == binary.MaxVarintLen64-1 && c > 1 {
			break
		}
		v |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			p.rest = p.rest[i+1:]
			return v
		}
	}
	p.fail()
	return 0
}

// int reads a varint with its sign in the lowest bit.
func (p *pieces) int() int64 {
	v := p.uint()
	return int64(v>>1) ^ -int64(v&1)
}

// count reads how many things follow, of which each has at least one byte: a count can't make the reader allocate more
// than it was sent.
func (p *pieces) count() int {
	n := p.uint()
	if n > uint64(len(p.rest)) {
		p.fail()
		return 0
	}
	return int(n)
}

func (p *pieces) string() string {
	n := p.count()
	s := p.rest[:n]
	p.rest = p.rest[n:]
	return s
}

// bytes is a copy; nil when it has no length.
func (p *pieces) bytes() []byte {
	s := p.string()
	if s == "" {
		return nil
	}
	return []byte(s)
}

func (p *pieces) time() time.Time {
	sec, nsec := p.int(), p.uint()
	if p.bad || nsec >= uint64(time.Second) {
		p.fail()
		return time.Time{}
	}
	return time.Unix(sec, int64(nsec)).UTC()
}

// done tells that everything was read and understood.
func (p *pieces) done() bool { return !p.bad && p.rest == "" }
