package demo

import (
	"context"
	"embed"
	"encoding/json"
	"html/template"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"

	"onmyway/notify"
)

//go:embed page
var files embed.FS

var pages = template.Must(template.ParseFS(files, "page/*.html"))

// pageHosts are the hosts under which a browser on this machine reaches addr.
func pageHosts(addr string) []string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil
	}
	return slices.Compact([]string{net.JoinHostPort(host, port), "127.0.0.1:" + port, "localhost:" + port})
}

// handler serves the page, its updates and its buttons.
func (p *play) handler(hosts []string) http.Handler {
	static, err := fs.Sub(files, "page")
	if err != nil {
		panic(err) // the folder is embedded
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.index)
	mux.HandleFunc("GET /stream", p.updates)
	mux.HandleFunc("GET /live", p.liveState)
	mux.HandleFunc("POST /pause", p.press(func(on bool) { p.setPaused(on) }))
	mux.HandleFunc("POST /faster", p.press(func(on bool) { p.setFast(on) }))
	mux.HandleFunc("POST /kill", p.press(func(bool) {
		select {
		case p.kills <- struct{}{}:
		default: // it is being killed already
		}
	}))
	for _, name := range []string{"tokens.css", "demo.css", "demo.js", "socket.js", "icon.svg"} {
		mux.Handle("GET /"+name, http.FileServerFS(static))
	}
	return guard(hosts, socketURL(p.REST.base), mux)
}

// guard lets only pages of our own press buttons, under names of this machine, and tells browsers to run nothing but our
// files.
func guard(hosts []string, socket string, next http.Handler) http.Handler {
	if u, err := url.Parse(socket); err == nil {
		socket = u.Scheme + "://" + u.Host
	}
	policy := "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' " + socket +
		"; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if !slices.Contains(hosts, r.Host) { // another name that leads here is a page that pretends to be ours
			http.Error(w, "this page is for this machine only", http.StatusForbidden)
			return
		}
		if r.Method == http.MethodPost && r.Header.Get("Origin") != "http://"+r.Host {
			http.Error(w, "buttons work from the demo's own page only", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// index is the whole page as it is now: complete without script.
func (p *play) index(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), time.Second)
	defer cancel()
	live, err := p.liveMessages(ctx)
	p.mu.Lock()
	v := p.view()
	p.mu.Unlock()
	if err == nil { // else the service is away, and the phone says so
		v.Live = newLiveView(live, p.now())
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte(render("demo.html", v))) // a browser that goes away misses nothing
}

// updates streams changes, after everything as it is now.
func (p *play) updates(w http.ResponseWriter, r *http.Request) {
	v := p.stream.join()
	if v == nil {
		http.Error(w, "too many pages are open", http.StatusServiceUnavailable)
		return
	}
	defer p.stream.leave(v)
	p.mu.Lock()
	now := p.view()
	p.mu.Unlock()
	first := []update{
		{Region: "values", Values: now.Values},
		{Region: "flow", HTML: render("flow", now)},
		{Region: "texts", HTML: render("texts", now)},
		{Region: "alerts", HTML: render("alerts", now)},
		now.Note.update(),
		{Region: "curl", HTML: render("curl", now.Curl)},
	}
	serveStream(w, r, v, first)
}

// press is a button. Without script the browser comes back to the page.
func (p *play) press(act func(on bool)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 1<<10)
		act(r.FormValue("on") == "true")
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}
}

// liveItem is one message of the third phone.
type liveItem struct {
	ID    string    `json:"id"`
	Order string    `json:"order_id"`
	Stage int       `json:"stage"` // its place on the lane: 0 pickup, 1 trip, 2 home
	Title string    `json:"title"`
	Body  string    `json:"body"`
	At    time.Time `json:"at"`
	When  string    `json:"-"`
}

// liveView is the third phone: the newest message as a sign, and those of its order below.
type liveView struct {
	AsOf  string
	Items []liveItem // newest first
}

// lanes are the parts of a Drive Away order as buyers see them.
var lanes = map[notify.Phase]int{notify.PhaseTransit: 1, notify.PhaseDelivery: 2, notify.PhaseClosed: 2}

const mostLive = 2

func newLiveView(ms []message, now time.Time) liveView {
	zone := people()[2].zone()
	v := liveView{AsOf: clock(now, zone, now)}
	for _, it := range liveItems(ms) {
		it.When = clock(it.At, zone, now)
		v.Items = append(v.Items, it)
	}
	return v
}

// liveItems are the messages of the newest order.
func liveItems(ms []message) []liveItem {
	items := []liveItem{}
	for _, m := range ms {
		if len(items) == mostLive || m.OrderID != ms[0].OrderID {
			break
		}
		items = append(items, liveItem{m.ID, m.OrderID, laneOf(m), m.Title, m.Body, m.CreatedAt, ""})
	}
	return items
}

func laneOf(m message) int {
	if ms := notify.MilestoneOf(m.Line, m.Milestone); ms != nil {
		return lanes[ms.Phase]
	}
	return 0
}

// Stage, Sign and Done serve the template.
func (v liveView) Stage() int {
	if len(v.Items) == 0 {
		return 0
	}
	return v.Items[0].Stage
}

// LaneClass is how a part of the lane is drawn.
func (v liveView) LaneClass(i int) string {
	switch {
	case i < v.Stage():
		return "done"
	case i == v.Stage():
		return "now"
	}
	return ""
}

// liveMessages asks the service what the third phone's page shows.
func (p *play) liveMessages(ctx context.Context) ([]message, error) {
	var all messagePage
	query := url.Values{"customer_id": {p.buyers[2].ID}, "channel": {"websocket"}, "state": {"sent"}, "limit": {"20"}}
	if err := p.REST.call(ctx, http.MethodGet, "/v1/messages?"+query.Encode(), nil, &all); err != nil {
		return nil, err
	}
	return all.Items, nil
}

// liveState is what the third phone loads after every connect: where the socket is, with a token for it, and the messages
// so far.
func (p *play) liveState(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	buyer := p.buyers[2]
	ms, err := p.liveMessages(ctx)
	var token string
	if err == nil {
		token, err = p.REST.token(ctx, buyer.ID)
	}
	if err != nil {
		w.WriteHeader(http.StatusNoContent) // the service is away: no error, the page asks again
		return
	}
	stages := map[string]int{}
	for _, m := range notify.Milestones(buyer.Line) {
		stages[m.Name] = lanes[m.Phase]
	}
	w.Header().Set("Content-Type", "application/json")
	err = json.NewEncoder(w).Encode(map[string]any{
		"url": socketURL(p.REST.base), "token": token, "zone": buyer.Zone, "stages": stages, "items": liveItems(ms),
	})
	if err != nil {
		return // the browser has gone
	}
}
