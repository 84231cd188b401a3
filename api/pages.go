package api

import (
	"bytes"
	"cmp"
	"embed"
	"encoding/json"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/go-chi/chi/v5"

	"onmyway/notify"
)

// The pages are written once, when somebody first asks: they say nothing of a request.

//go:embed pages
var pageFiles embed.FS

var pageTemplates = template.Must(template.ParseFS(pageFiles, "pages/*.html"))

// pagePolicy lets a page have our own style and nothing else: no script, no frame, nothing of anybody else.
const pagePolicy = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// code is a problem code or a reason, as pages and their JSON explain it.
type code struct {
	Code   string `json:"code"`
	Status int    `json:"status,omitempty"`
	Title  string `json:"title"`
	Means  string `json:"means"`
	Todo   string `json:"todo,omitempty"`
}

// pages adds the pages for people: the calls, the problem codes, the reasons.
func (s *server) pages(r chi.Router) {
	style, err := pageFiles.ReadFile("pages/style.css")
	if err != nil {
		panic("the style is missing: " + err.Error()) // it is built in
	}
	r.Get("/docs", page(written("docs.html", func() any { return s.docs() })))
	r.Get("/docs/style.css", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		w.Header().Set("Cache-Control", "max-age=300")
		_, _ = w.Write(style) // an error means that the caller is gone
	})
	s.codePages(r, "/problems", "Problem codes", "The type of a problem is a link to its code here.", problemCodes())
	s.codePages(r, "/reasons", "Reasons", "Why a message was not sent, waits or failed.", reasonCodes())
}

func problemCodes() (all []code) {
	for _, name := range ProblemCodes() {
		p := problemTypes[name]
		if p.Status != statusClientGone {
			all = append(all, code{p.Code, p.Status, p.Title, p.Means, ""})
		}
	}
	slices.SortStableFunc(all, func(a, b code) int { return cmp.Compare(a.Status, b.Status) })
	return all
}

func reasonCodes() (all []code) {
	for _, r := range notify.Reasons {
		all = append(all, code{string(r.Code), 0, "Because " + r.Means, "Because " + r.Means + ".", r.Todo})
	}
	return all
}

// codePages adds a page with all codes and a page for each, as HTML and, for who asks for it, as JSON.
func (s *server) codePages(r chi.Router, path, title, about string, codes []code) {
	r.Get(path, either(codes, written("codes.html", func() any {
		return map[string]any{"Title": title, "About": about, "Codes": codes, "Path": path, "Statuses": codes[0].Status > 0}
	})))
	one := map[string]http.HandlerFunc{}
	for _, c := range codes {
		one[c.Code] = either(c, written("code.html", func() any {
			return map[string]any{"Title": c.Title, "Code": c.Code, "Status": c.Status, "Means": c.Means, "Todo": c.Todo, "Path": path}
		}))
	}
	r.Get(path+"/{code}", func(w http.ResponseWriter, r *http.Request) {
		serve, known := one[chi.URLParam(r, "code")]
		if !known {
			writeProblem(w, notFound("there is no such code: "+path+" lists all"))
			return
		}
		serve(w, r)
	})
}

// written is a page as HTML.
func written(name string, data func() any) func() []byte {
	return sync.OnceValue(func() []byte {
		var b bytes.Buffer
		if err := pageTemplates.ExecuteTemplate(&b, name, data()); err != nil {
			panic("the page " + name + " can't be written: " + err.Error()) // made of constants only
		}
		return b.Bytes()
	})
}

// page serves HTML.
func page(html func() []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", pagePolicy)
		w.Header().Set("Cache-Control", "max-age=300")
		_, _ = w.Write(html()) // an error means that the caller is gone
	}
}

// either serves JSON to who asks for it and no HTML, and HTML to everybody else.
func either(data any, html func() []byte) http.HandlerFunc {
	asJSON, err := json.Marshal(data)
	if err != nil {
		panic("a code can't be written: " + err.Error()) // made of constants only
	}
	asHTML := page(html)
	return func(w http.ResponseWriter, r *http.Request) {
		accept := r.Header.Get("Accept")
		w.Header().Set("Vary", "Accept")
		if strings.Contains(accept, "text/html") || !strings.Contains(accept, "json") {
			asHTML(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(asJSON) // an error means that the caller is gone
	}
}
