package twilio

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// maxCallback bounds the body of a callback, in bytes. Twilio's own are below 20 kB: a text of 1600 characters is 15 kB when
// all of it is escaped.
const maxCallback = 64 << 10

// denial is why a callback is not acted on.
type denial struct {
	status int
	kind   string // for Hooks.Count
}

var (
	oversized = &denial{http.StatusRequestEntityTooLarge, CallbackOversized}
	malformed = &denial{http.StatusBadRequest, CallbackMalformed}
	forged    = &denial{http.StatusForbidden, CallbackForged}
)

// single are the parameters that we read. Twilio sends each of them once; because it signs only different values, a
// repeated one could be slipped in.
var single = []string{
	"AccountSid", "MessageSid", "MessageStatus", "ErrorCode", "From", "Body", "OptOutType",
}

// read gives the parameters of a callback that Twilio made for our account, or says why it is none.
func (h *Hooks) read(w http.ResponseWriter, r *http.Request) (url.Values, *denial) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	isJSON := kind == "application/json"
	if err != nil || !isJSON && kind != "application/x-www-form-urlencoded" {
		return nil, malformed
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxCallback))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, oversized
	case err != nil:
		return nil, malformed
	}
	var form, signed url.Values
	if isJSON {
		form, err = readJSON(body)
	} else {
		form, err = url.ParseQuery(string(body))
		signed = form
	}
	if err != nil {
		return nil, malformed
	}
	genuine := h.signatures.valid(target(r.URL), signed, r.Header.Get("X-Twilio-Signature"))
	if !genuine || isJSON && !hashed(r.URL.Query(), body) || repeated(form) || form.Get("AccountSid") != h.account {
		return nil, forged
	}
	return form, nil
}

// target is path and query as they came.
func target(u *url.URL) string {
	if u.RawQuery != "" || u.ForceQuery {
		return u.EscapedPath() + "?" + u.RawQuery
	}
	return u.EscapedPath()
}

// readJSON reads an object as if it were a form: texts and numbers. Other values are not for us.
func readJSON(body []byte) (url.Values, error) {
	var fields map[string]any
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.UseNumber()
	if err := d.Decode(&fields); err != nil {
		return nil, err
	}
	form := make(url.Values, len(fields))
	for name, value := range fields {
		switch v := value.(type) {
		case string:
			form.Set(name, v)
		case json.Number:
			form.Set(name, v.String())
		}
	}
	return form, nil
}

func repeated(form url.Values) bool {
	for _, name := range single {
		if len(form[name]) > 1 {
			return true
		}
	}
	return false
}
