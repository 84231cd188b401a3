package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
)

// maxDepth is how many objects and arrays may stand within each other: no call needs more than four.
const maxDepth = 32

// readJSON reads a body. Beyond what encoding/json refuses it refuses what two programs would read differently: bytes that
// are no UTF-8, and a name that comes twice in one object (RFC 8259, section 4).
func readJSON(body []byte, dst any) error {
	if _, first := dst.(*any); first { // huma reads the same bytes again, into the struct
		if err := unambiguous(body); err != nil {
			return err
		}
	}
	return json.Unmarshal(body, dst)
}

// unambiguous tells whether everybody reads the same in a text. What is no JSON at all it leaves to json.Unmarshal.
func unambiguous(body []byte) error {
	if !utf8.Valid(body) {
		return errors.New("the body is not UTF-8: send it as UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var open []object
	for {
		token, err := dec.Token()
		if err != nil {
			return nil
		}
		switch t := token.(type) {
		case json.Delim:
			if t == '}' || t == ']' {
				open = open[:len(open)-1]
				continue
			}
			if len(open) == maxDepth {
				return fmt.Errorf("the body has more than %d objects and arrays within each other", maxDepth)
			}
			if len(open) > 0 {
				open[len(open)-1].value = false
			}
			open = append(open, object{is: t == '{', names: map[string]bool{}})
		default:
			if len(open) == 0 {
				continue
			}
			if err := open[len(open)-1].next(token); err != nil {
				return err
			}
		}
	}
}

// object is an object, or an array, that is being read.
type object struct {
	is    bool
	value bool // a name came, and its value comes next
	names map[string]bool
}

// next takes a name or a plain value.
func (o *object) next(token json.Token) error {
	if !o.is || o.value {
		o.value = false
		return nil
	}
	name, _ := token.(string)
	if o.names[name] {
		if plainWord(name) {
			return fmt.Errorf("%q comes twice in one object: send it once", name)
		}
		return errors.New("a name comes twice in one object: send it once")
	}
	o.names[name], o.value = true, true
	return nil
}

// mediaType refuses bodies of a type that the call does not read. Without a Content-Type a body is read as JSON.
func (s *server) mediaType(ctx huma.Context, next func(huma.Context)) {
	body := ctx.Operation().RequestBody
	sent := ctx.Header("Content-Type")
	if body == nil || sent == "" {
		next(ctx)
		return
	}
	media, _, err := mime.ParseMediaType(sent)
	if err != nil || body.Content[media] == nil {
		_, w := humachi.Unwrap(ctx)
		writeProblem(w, unsupportedMedia(ctx.Operation()))
		return
	}
	r, _ := humachi.Unwrap(ctx)
	r.Header.Set("Content-Type", media)
	next(ctx)
}

func unsupportedMedia(op *huma.Operation) *problem {
	var types []string
	for media := range op.RequestBody.Content {
		types = append(types, media)
	}
	slices.Sort(types)
	return newProblem(http.StatusUnsupportedMediaType, "unsupported_media_type", "send the body as "+strings.Join(types, " or ")+
		", and say so in the header Content-Type")
}
