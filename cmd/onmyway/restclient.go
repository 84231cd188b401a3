package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"onmyway/notify"
)

const (
	callTimeout = 30 * time.Second
	callTries   = 5
	longestWait = 30 * time.Second // however much longer a Retry-After asks for
	maxAnswer   = 32 << 20         // bytes
	keyVariable = envPrefix + "API_KEY"
	urlVariable = envPrefix + "URL"
)

// restClient calls the service's REST API, as any other client does.
type restClient struct {
	base *url.URL
	key  string
	http *http.Client
	// pause waits before the next try, and ends early with ctx.
	pause func(ctx context.Context, d time.Duration) error
}

// restFlags adds what a command needs to find the service.
func restFlags(fs *pflag.FlagSet) {
	fs.String("url", "", "where the service is (default $"+urlVariable+", else http://localhost:8080)")
	fs.String("key-file", "", "file with the API key (default: the key itself in $"+keyVariable+")")
}

// newRESTClient reads the flags and the environment. Errors are mistakes of the caller.
func newRESTClient(fs *pflag.FlagSet) (*restClient, error) {
	address, _ := fs.GetString("url")
	base, err := url.Parse(cmp.Or(address, os.Getenv(urlVariable), "http://localhost:8080"))
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" || base.User != nil || base.RawQuery != "" {
		return nil, usageError{errors.New("--url is no address of a service: write it like https://notify.example.com")}
	}
	base.Path = strings.TrimSuffix(strings.TrimSuffix(base.Path, "/"), "/v1") // the address of REST is good, too
	key := os.Getenv(keyVariable)
	if path, _ := fs.GetString("key-file"); path != "" {
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, usageError{fmt.Errorf("--key-file: %w", err)}
		}
		key = string(content)
	}
	if key = strings.TrimSpace(key); key == "" {
		return nil, usageError{errors.New("no API key: put one into $" + keyVariable + ", or into a file for --key-file (onmyway keys create makes one)")}
	}
	if strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, usageError{errors.New("the API key has spaces, line breaks or other letters than a key has: is it the right file?")}
	}
	return &restClient{base: base, key: key, pause: sleep, http: restHTTP()}, nil
}

// restHTTP follows no redirects: the key goes to the address that was given, and nowhere else.
func restHTTP() *http.Client {
	return &http.Client{
		Timeout:       callTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// sleep waits, or returns the error of ctx.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// restCall is one call. Every call that is made here may be made again: reads, events (known by their id) and acts with
// an Idempotency-Key.
type restCall struct {
	method string
	path   string // "/v1/messages"
	query  url.Values
	header http.Header
	body   []byte            // nil for none
	also   []int             // statuses that are an answer, besides 2xx
	flags  map[string]string // what the command calls the fields of the call: errors name those
}

// restProblem is the error of a call that the service refused.
type restProblem struct {
	Status int              `json:"status"`
	Title  string           `json:"title"`
	Code   string           `json:"code"`
	Detail string           `json:"detail"`
	Errors []notify.Problem `json:"errors"`

	request string // its id in the service's log
}

// Error is a line, and one more for each wrong field.
func (p *restProblem) Error() string {
	var b strings.Builder
	b.WriteString(oneLine(cmp.Or(p.Title, http.StatusText(p.Status), "status "+strconv.Itoa(p.Status))))
	if p.Detail != "" && len(p.Errors) == 0 { // else it only says that fields are wrong
		b.WriteString(": " + oneLine(p.Detail))
	}
	for _, e := range p.Errors {
		b.WriteString("\n  " + oneLine(strings.TrimSpace(e.Field+" "+e.Detail)))
	}
	if p.Status >= http.StatusInternalServerError && p.request != "" {
		b.WriteString(" (request " + oneLine(p.request) + ")")
	}
	return b.String()
}

// name calls wrong fields by the flags that they came from.
func (p *restProblem) name(flags map[string]string) {
	for i := range p.Errors {
		if flag, ok := flags[p.Errors[i].Field]; ok {
			p.Errors[i].Field = flag
		}
	}
}

// call makes the call and returns the body of the answer. It tries again, a bounded number of times, when the service
// is busy or does not answer; *restProblem is its final no.
func (c *restClient) call(ctx context.Context, rc restCall) ([]byte, error) {
	for try := 1; ; try++ {
		body, wait, err := c.try(ctx, rc)
		if err == nil || wait < 0 || ctx.Err() != nil {
			return body, err
		}
		if try == callTries {
			return nil, fmt.Errorf("gave up after %d tries: %w", callTries, err)
		}
		if err := c.pause(ctx, min(max(wait, 250*time.Millisecond<<try), longestWait)); err != nil {
			return nil, err
		}
	}
}

// try makes the call once. On an error wait is how long the service asked to be left alone, and negative when another try
// would be in vain.
func (c *restClient) try(ctx context.Context, rc restCall) (body []byte, wait time.Duration, err error) {
	at := c.base.JoinPath(rc.path)
	at.RawQuery = rc.query.Encode()
	req, err := http.NewRequestWithContext(ctx, rc.method, at.String(), bytes.NewReader(rc.body))
	if err != nil {
		return nil, -1, fmt.Errorf("make the request: %w", err)
	}
	for name, values := range rc.header {
		req.Header[name] = values
	}
	req.Header.Set("Authorization", "Bearer "+c.key)
	req.Header.Set("Accept", "application/json, application/problem+json")
	req.Header.Set("User-Agent", "onmyway/"+version)
	answer, err := c.http.Do(req)
	if err != nil {
		return nil, 0, c.unreachable(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err = io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	switch status := answer.StatusCode; {
	case err != nil:
		return nil, 0, c.unreachable(err)
	case len(body) > maxAnswer:
		return nil, -1, fmt.Errorf("the answer of %s is longer than %d MB", c.base.Host, maxAnswer>>20)
	case status/100 == 2:
		return body, 0, nil
	case status/100 == 3:
		return nil, -1, fmt.Errorf("%s sends us elsewhere (status %d): give the address it leads to as --url", c.base.Host, status)
	}
	for _, status := range rc.also {
		if answer.StatusCode == status && isJSON(answer, "application/json") {
			return body, 0, nil
		}
	}
	problem := problemIn(answer, body)
	problem.name(rc.flags)
	return nil, retryAfter(answer), problem
}

// unreachable leaves the path and the query out of what http says: they may carry a phone number.
func (c *restClient) unreachable(err error) error {
	var at *url.Error
	if errors.As(err, &at) {
		err = at.Err
	}
	return fmt.Errorf("call %s: %w: is the service running there?", c.base.Host, err)
}

// retryAfter is how long to wait after a refusal, negative when waiting does not help.
func retryAfter(answer *http.Response) time.Duration {
	switch answer.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
	default:
		return -1
	}
	said := answer.Header.Get("Retry-After")
	if seconds, err := strconv.Atoi(said); err == nil && seconds >= 0 {
		return time.Duration(min(seconds, int(longestWait/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(said); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}

// problemIn reads what the service says is wrong, or makes something of an answer that somebody else gave.
func problemIn(answer *http.Response, body []byte) *restProblem {
	p := &restProblem{}
	if !isJSON(answer, "application/problem+json") || json.Unmarshal(body, p) != nil {
		p = &restProblem{Detail: "the answer is not one of Onmyway's: is --url right?"}
	}
	p.Status, p.request = answer.StatusCode, answer.Header.Get("X-Request-Id")
	return p
}

func isJSON(answer *http.Response, want string) bool {
	media, _, err := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	return err == nil && media == want
}
