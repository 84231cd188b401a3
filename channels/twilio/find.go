package twilio

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	api "github.com/twilio/twilio-go/rest/api/v2010"

	"onmyway/channels/outhttp"
	"onmyway/notify"
)

var _ notify.Finder = (*Sender)(nil)

// The bounds of looking for a text.
const (
	findPage  = 100              // texts on a page
	findPages = 10               // pages of one Find: somebody who got a thousand texts in two days is looked at by people
	findTime  = 10 * time.Second // for one page
	// findSlack is more than a text can wait at Twilio (maxValidity). The list is in the order of sending, so that a page of
	// texts that are all older than the window by this much is followed by none in the window.
	findSlack = 24 * time.Hour
)

var (
	errTooMany    = fmt.Errorf("the recipient has more than %d texts to look through", findPage*findPages)
	errUnreadable = errors.New("the answer of Twilio could not be read")
	errNoBody     = errors.New("the account keeps no copies of texts, so none can be told from another: see Message Redaction in its console")
	errElsewhere  = errors.New("another sender of the account sent the same text: only people can tell whether it is this one")
)

// Find lists the texts of our sender to m.Address with the words of m.Body that Twilio took since a time, the newest first.
// It asks by recipient only: the API can be asked by the date of sending too, but a text that still waits in Twilio's queue
// has none and would not be found. Times at Twilio are whole seconds of its own clock.
//
// An empty list is proof that the text is not there. Everything short of proof is an error: no answer, a page that is not
// Twilio's, too many texts, copies without words, the same words from another sender. Message and Attempt of the reports are
// zero: Twilio does not know them.
func (s *Sender) Find(ctx context.Context, m *notify.Message, since time.Time) ([]notify.Report, error) {
	found, err := s.find(ctx, m, since.Truncate(time.Second))
	if err != nil {
		return nil, fmt.Errorf("look for a text at Twilio: %w", err)
	}
	return found, nil
}

func (s *Sender) find(ctx context.Context, m *notify.Message, since time.Time) (found []notify.Report, err error) {
	var token, number string
	var doubt error
	for range findPages {
		page, err := s.page(ctx, m.Address, token, number)
		if err != nil {
			return nil, err
		}
		old := len(page.Messages) > 0 // an empty page with another behind it says nothing
		for i := range page.Messages {
			c, err := readCopy(&page.Messages[i])
			if err != nil {
				return nil, err
			}
			old = old && c.created.Before(since.Add(-findSlack))
			if c.created.Before(since) || !c.outbound || c.to != m.Address {
				continue
			}
			switch err := s.compare(c, m); {
			case err == nil:
				found = append(found, c.report())
			case !errors.Is(err, errOther):
				doubt = err
			}
		}
		next := deref(page.NextPageUri)
		if next == "" || old {
			if len(found) == 0 {
				return nil, doubt
			}
			return found, nil
		}
		if token, number, err = nextPage(next); err != nil {
			return nil, err
		}
	}
	return nil, errTooMany
}

// errOther is compare's answer for a text that is another one.
var errOther = errors.New("another text")

// compare tells that c is a copy of m (nil), is not (errOther), or that it cannot be told.
func (s *Sender) compare(c *copied, m *notify.Message) error {
	ours := c.service == s.cfg.MessagingServiceSID
	if s.cfg.MessagingServiceSID == "" {
		ours = c.from == s.cfg.From
	}
	switch same := sameText(m.Body, c.body); {
	case same && ours:
		return nil
	case same:
		return errElsewhere
	case c.body == "" && ours:
		return errNoBody
	}
	return errOther
}

// page asks for one page of the list. Anything but Twilio's own list is an error.
func (s *Sender) page(ctx context.Context, to, token, number string) (*api.ListMessageResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, findTime)
	defer cancel()
	x := &exchange{ctx: ctx, next: s.transport, base: s.base}
	page, err := s.service(x).PageMessage((&api.ListMessageParams{}).SetTo(to).SetPageSize(findPage), token, number)
	if err := x.read(err); err != nil {
		return nil, err
	}
	if page.Messages == nil || !strings.Contains(page.Uri, "/Accounts/"+s.cfg.AccountSID+"/Messages") {
		return nil, errUnreadable // some JSON, but not a list: an empty one would mean that the text is not there
	}
	return page, nil
}

// nextPage reads token and number of the next page from its address.
func nextPage(uri string) (token, number string, err error) {
	u, err := url.Parse(uri)
	if err != nil || u.Query().Get("PageToken") == "" {
		return "", "", errUnreadable
	}
	return u.Query().Get("PageToken"), u.Query().Get("Page"), nil
}

// Fetch asks what became of the text that Twilio named providerID. It returns notify.ErrNoSuchText when there is none. Message and
// Attempt of the report are zero.
func (s *Sender) Fetch(ctx context.Context, providerID string) (notify.Report, error) {
	if !isSID(providerID) {
		return notify.Report{}, fmt.Errorf("ask Twilio for a text: its name is not one of Twilio's: %w", notify.ErrNoSuchText)
	}
	r, err := s.fetch(ctx, providerID)
	if err != nil {
		return notify.Report{}, fmt.Errorf("ask Twilio for the text %s: %w", providerID, err)
	}
	return r, nil
}

func (s *Sender) fetch(ctx context.Context, sid string) (notify.Report, error) {
	ctx, cancel := context.WithTimeout(ctx, findTime)
	defer cancel()
	x := &exchange{ctx: ctx, next: s.transport, base: s.base}
	m, err := s.service(x).FetchMessage(sid, nil)
	if _, code := parseAnswer(x.body); x.status == http.StatusNotFound && code == 20404 {
		return notify.Report{}, notify.ErrNoSuchText
	}
	if err := x.read(err); err != nil {
		return notify.Report{}, err
	}
	c, err := readCopy(m)
	if err != nil || c.sid != sid || !c.outbound {
		return notify.Report{}, errUnreadable
	}
	return c.report(), nil
}

// read tells why an exchange did not bring the JSON that was asked for; err is what the generated client returned. No part
// of the request's address, which holds a phone number, comes into the error.
func (x *exchange) read(err error) error {
	switch {
	case x.status == 0 && x.ctx.Err() != nil:
		return x.ctx.Err()
	case x.status == 0:
		return fmt.Errorf("no answer: %s", outhttp.Describe(err))
	case x.status != http.StatusOK:
		_, code := parseAnswer(x.body)
		a := notify.Answer{Status: x.status, Code: code, Detail: "no list and no text"}
		if x.status >= 400 && x.status < 500 {
			a.Detail = classify(x.status, code).words
		}
		return errors.New(spell(a))
	case err != nil || x.readErr != nil:
		return errUnreadable
	}
	return nil
}
