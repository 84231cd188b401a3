package api

import (
	"net/http"

	"github.com/go-chi/chi/v5"
)

// ShownPath is where service workers say that they show a push message, with its token behind it.
const ShownPath = "/hooks/shown/"

// hearShown takes the word of a service worker. The token in the path is all that counts: a worker that posts across
// origins (mode "no-cors") can neither set headers nor read the answer, and a body is not read.
func (s *server) hearShown(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if err := s.Shown(chi.URLParam(r, "token")); err != nil {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
