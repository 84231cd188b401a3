package twiliotest

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Sizes of a page of the list.
const (
	defaultPage = 50
	maxPage     = 1000
)

// filter is what a list is asked for. A message that was not sent yet has no date and passes no filter on dates.
type filter struct {
	to, from      string
	on            string    // the day of DateSent
	after, before time.Time // both included; zero for no bound
}

// page is one page of the list as the API writes it.
type page struct {
	End             int        `json:"end"`
	FirstPageURI    string     `json:"first_page_uri"`
	Messages        []resource `json:"messages"`
	NextPageURI     *string    `json:"next_page_uri"`
	Page            int        `json:"page"`
	PageSize        int        `json:"page_size"`
	PreviousPageURI *string    `json:"previous_page_uri"`
	Start           int        `json:"start"`
	URI             string     `json:"uri"`
}

// list answers with the messages that pass the filters, the newest first. The page token names the last message of the
// page before, so that new messages do not shift the pages.
func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	f, ok := readFilter(q)
	if !ok {
		refuse(w, problem{http.StatusBadRequest, 20001, "Invalid date"})
		return
	}
	size, number := defaultPage, 0
	if v := q.Get("PageSize"); v != "" {
		if size, _ = strconv.Atoi(v); size < 1 {
			size = defaultPage
		}
	}
	if size > maxPage {
		refuse(w, problem{http.StatusBadRequest, 20007, "Page size too large"})
		return
	}
	number, _ = strconv.Atoi(q.Get("Page"))
	found, more := s.find(f, strings.TrimPrefix(q.Get("PageToken"), "PA"), size)
	writeJSON(w, http.StatusOK, s.page(r.URL, found, more, max(number, 0), size))
}

// find returns up to size messages, the newest first, from the one after the message with the SID last; more tells that others
// follow.
func (s *Server) find(f filter, last string, size int) (found []Message, more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	from, newest := len(s.messages), s.opt.Now().Add(-s.opt.Lag)
	if i, ok := s.place[last]; ok {
		from = i
	}
	for i := from - 1; i >= 0; i-- {
		if s.messages[i].At.After(newest) || !f.passes(s.messages[i]) {
			continue
		}
		if len(found) == size {
			return found, true
		}
		found = append(found, *s.messages[i])
	}
	return found, false
}

func (s *Server) page(u *url.URL, found []Message, more bool, number, size int) page {
	q := u.Query()
	at := func(n int, token string) string {
		q.Set("PageSize", strconv.Itoa(size))
		q.Set("Page", strconv.Itoa(n))
		q.Del("PageToken")
		if token != "" {
			q.Set("PageToken", token)
		}
		return u.Path + "?" + q.Encode()
	}
	p := page{Page: number, PageSize: size, Start: number * size, URI: u.RequestURI(), Messages: make([]resource, len(found))}
	p.End = p.Start + max(len(found)-1, 0)
	for i, m := range found {
		p.Messages[i] = s.resource(m)
	}
	p.FirstPageURI = at(0, "")
	if more {
		next := at(number+1, "PA"+found[len(found)-1].SID)
		p.NextPageURI = &next
	}
	if number > 0 {
		first := at(0, "") // pages are found by their token, which leads only forward
		p.PreviousPageURI = &first
	}
	return p
}

func readFilter(q url.Values) (f filter, ok bool) {
	f.to, f.from = q.Get("To"), q.Get("From")
	if v := q.Get("DateSent"); v != "" {
		day, _, ok := parseDate(v)
		if !ok {
			return f, false
		}
		f.on = day.Format(time.DateOnly)
	}
	if v := q.Get("DateSent>"); v != "" {
		if f.after, _, ok = parseDate(v); !ok {
			return f, false
		}
	}
	if v := q.Get("DateSent<"); v != "" {
		var wholeDay bool
		if f.before, wholeDay, ok = parseDate(v); !ok {
			return f, false
		}
		if wholeDay {
			f.before = f.before.Add(24*time.Hour - 1)
		}
	}
	return f, true
}

// parseDate reads a day or a time, in GMT.
func parseDate(s string) (t time.Time, wholeDay, ok bool) {
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		return t, true, true
	}
	t, err := time.Parse(time.RFC3339, s)
	return t.UTC(), false, err == nil
}

func (f filter) passes(m *Message) bool {
	if f.to != "" && f.to != m.To || f.from != "" && f.from != m.From {
		return false
	}
	if f.on == "" && f.after.IsZero() && f.before.IsZero() {
		return true
	}
	sent := m.SentAt.UTC().Truncate(time.Second) // the API shows and compares seconds
	switch {
	case m.SentAt.IsZero():
		return false
	case f.on != "" && sent.Format(time.DateOnly) != f.on:
		return false
	case sent.Before(f.after.Truncate(time.Second)):
		return false
	}
	return f.before.IsZero() || !sent.After(f.before)
}
