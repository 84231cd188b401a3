package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"onmyway/notify/mapping"
)

// eventReader cuts a stream into the bytes of its events: one a line, an array, or JSON objects one after the other. It
// holds one event at a time, however large the stream is. Whether an event is valid is for mapping.Decode to say.
type eventReader struct {
	in    *bufio.Reader
	form  form
	line  int   // that is being read, from 1
	at    int64 // bytes that were read
	value []byte
}

// form is how events stand in a stream.
type form int

const (
	undecided form = iota
	byLine         // one event a line: a broken line is one wrong event
	byValue        // JSON objects, over any number of lines
	inArray
	ended
)

// newEventReader reads from r. With lines it takes every line for an event, without it looks at how the stream begins.
func newEventReader(r io.Reader, lines bool) *eventReader {
	e := &eventReader{in: bufio.NewReaderSize(r, 256<<10), line: 1}
	if lines {
		e.form = byLine
	}
	return e
}

// idle tells whether the next event must be waited for.
func (r *eventReader) idle() bool { return r.in.Buffered() == 0 }

// next returns an event and the line on which it begins; io.EOF after the last one. The bytes are good until the next
// call; of an event that is larger than mapping.MaxSize they are the first MaxSize+1. Any other error ends the stream.
func (r *eventReader) next() (value []byte, line int, err error) {
	r.value = r.value[:0]
	if r.at == 0 {
		if mark, _ := r.in.Peek(3); string(mark) == "\ufeff" {
			r.at = 3
			_, _ = r.in.Discard(3) // it was just seen
		}
	}
	if r.form == byLine {
		return r.nextLine()
	}
	first, err := r.skipSpace()
	if err != nil {
		if err == io.EOF && r.form == inArray {
			return nil, 0, fmt.Errorf("line %d: the array is not closed: is the file whole?", r.line)
		}
		return nil, 0, err
	}
	switch {
	case r.form == ended:
		return nil, 0, fmt.Errorf("line %d: something follows the array: put all events into it, or write one event a line", r.line)
	case r.form == undecided && first == '[':
		_, _ = r.readByte()
		return r.firstOfArray()
	case r.form == inArray:
		return r.element()
	}
	line = r.line
	if err := r.scan(first == '{'); err != nil {
		return nil, 0, err
	}
	if r.form == undecided {
		r.form = byValue
		if r.line == line {
			r.form = r.afterFirst()
		}
	}
	return r.value, line, nil
}

// afterFirst decides after a first event that stands on one line: one a line, unless another one follows there.
func (r *eventReader) afterFirst() form {
	for {
		b, err := r.readByte()
		switch {
		case err != nil || b == '\n':
			return byLine
		case b != ' ' && b != '\t' && b != '\r':
			r.unreadByte()
			return byValue
		}
	}
}

func (r *eventReader) nextLine() ([]byte, int, error) {
	for {
		line := r.line
		r.value = r.value[:0]
		part, err := r.in.ReadSlice('\n')
		for ; errors.Is(err, bufio.ErrBufferFull); part, err = r.in.ReadSlice('\n') {
			r.keep(part)
		}
		r.keep(part)
		if err == nil {
			r.line++
		}
		if value := bytes.TrimSpace(r.value); len(value) > 0 {
			return value, line, nil // an error comes back at the next call
		}
		if err != nil {
			return nil, 0, err
		}
	}
}

func (r *eventReader) firstOfArray() ([]byte, int, error) {
	r.form = inArray
	b, err := r.skipSpace()
	if err == nil && b == ']' {
		_, _ = r.readByte()
		r.form = ended
		_, _, err = r.next() // nothing may follow
		return nil, 0, err
	}
	return r.element()
}

// element reads an event of an array, and the comma or bracket after it.
func (r *eventReader) element() ([]byte, int, error) {
	if _, err := r.skipSpace(); err != nil {
		return nil, 0, fmt.Errorf("line %d: the array is not closed: is the file whole?", r.line)
	}
	line := r.line
	if err := r.scan(false); err != nil {
		return nil, 0, err
	}
	if len(r.value) == 0 {
		return nil, 0, fmt.Errorf("line %d: an event is missing around the comma", line)
	}
	switch b, err := r.skipSpace(); {
	case err != nil && err != io.EOF:
		return nil, 0, err
	case err == nil && b == ',':
		_, _ = r.readByte()
	case err == nil && b == ']':
		_, _ = r.readByte()
		r.form = ended
	case err == nil:
		return nil, 0, fmt.Errorf("line %d: a comma is missing between two events", r.line)
	}
	return r.value, line, nil
}

// scan reads one value into r.value by counting brackets outside of strings; object tells whether it begins with one, or
// else is what stands up to the end of the line. In an array a value ends before a comma or bracket of the array.
func (r *eventReader) scan(object bool) error {
	var s jsonScan
	array := r.form == inArray
	for {
		b, err := r.readByte()
		if err == io.EOF && len(r.value) > 0 {
			return nil
		}
		if err != nil {
			return err
		}
		switch {
		case array && s.depth == 0 && !s.text && (b == ',' || b == ']'),
			!array && s.brokenOff(b):
			r.unreadByte()
			return nil
		case !array && !object && b == '\n':
			r.unreadByte()
			return nil
		}
		r.keepByte(b)
		if s.step(b); s.depth == 0 && s.closed && (object || array) {
			return nil
		}
	}
}

// jsonScan is where a scan stands in a value.
type jsonScan struct {
	depth   int
	text    bool // inside of a string
	escaped bool
	closed  bool // the last byte was a closing bracket
	fresh   bool // only space since the last line break
	last    byte // the last byte that is no space
}

// brokenOff tells that the value before b was never closed: an object begins on a new line where JSON has no place for
// one. What is broken is then that one value, and not all after it.
func (s *jsonScan) brokenOff(b byte) bool {
	return b == '{' && s.fresh && s.depth > 0 && s.last != ':' && s.last != '[' && s.last != ','
}

func (s *jsonScan) step(b byte) {
	s.closed = false
	switch {
	case b == '\n': // no string goes over a line break
		s.text, s.escaped, s.fresh = false, false, true
		return
	case s.escaped:
		s.escaped = false
	case s.text && b == '\\':
		s.escaped = true
	case b == '"':
		s.text = !s.text
	case s.text:
	case b == '{' || b == '[':
		s.depth++
	case b == '}' || b == ']':
		s.depth--
		s.closed = true
	}
	if b != ' ' && b != '\t' && b != '\r' {
		s.fresh, s.last = false, b
	}
}

// skipSpace goes to the next byte that is no space, and returns it without taking it.
func (r *eventReader) skipSpace() (byte, error) {
	for {
		b, err := r.readByte()
		if err != nil {
			return 0, err
		}
		if b != ' ' && b != '\t' && b != '\r' && b != '\n' {
			r.unreadByte()
			return b, nil
		}
	}
}

func (r *eventReader) readByte() (byte, error) {
	b, err := r.in.ReadByte()
	if err != nil {
		return 0, err
	}
	r.at++
	if b == '\n' {
		r.line++
	}
	return b, nil
}

// unreadByte gives the byte back that was just read.
func (r *eventReader) unreadByte() {
	_ = r.in.UnreadByte() // follows a read, so it can't fail
	r.at--
	if b, err := r.in.Peek(1); err == nil && b[0] == '\n' {
		r.line--
	}
}

func (r *eventReader) keepByte(b byte) {
	if len(r.value) <= mapping.MaxSize {
		r.value = append(r.value, b)
	}
}

// keep takes part of a line, up to one byte more than an event may have.
func (r *eventReader) keep(part []byte) {
	r.at += int64(len(part))
	r.value = append(r.value, part[:min(len(part), mapping.MaxSize+1-len(r.value))]...)
}
