package twiliotest

import (
	"net/http"
	"slices"
	"strings"
)

// account answers with the account itself. The API key of Options may do so only where Options.MainKey says it.
func (s *Server) account(w http.ResponseWriter, r *http.Request) {
	sid, isJSON := strings.CutSuffix(r.PathValue("file"), ".json")
	r.SetPathValue("account", sid)
	if user, _, _ := r.BasicAuth(); s.opt.APIKey != "" && same(user, s.opt.APIKey) && !s.opt.MainKey {
		refuse(w, problem{http.StatusUnauthorized, 20003, "Authenticate"})
		return
	}
	if !isJSON || r.Method != http.MethodGet {
		refuse(w, notFound(r))
		return
	}
	if !s.allow(w, r) {
		return
	}
	status, kind := "active", "Full"
	if s.opt.AccountStatus != "" {
		status = s.opt.AccountStatus
	}
	if s.opt.Trial {
		kind = "Trial"
	}
	w.Header().Set("Date", s.opt.Now().UTC().Format(http.TimeFormat))
	writeJSON(w, http.StatusOK, map[string]string{"sid": sid, "status": status, "type": kind, "uri": r.URL.Path})
}

// numbers lists the account's numbers that are the one asked for.
func (s *Server) numbers(w http.ResponseWriter, r *http.Request) {
	if !s.allow(w, r) {
		return
	}
	wanted := r.URL.Query().Get("PhoneNumber")
	found := []map[string]any{}
	if wanted != "" && (s.opt.Numbers == nil || slices.Contains(s.opt.Numbers, wanted)) {
		found = append(found, map[string]any{"phone_number": wanted, "capabilities": map[string]bool{"sms": !s.opt.VoiceOnly, "voice": true}})
	}
	writeJSON(w, http.StatusOK, map[string]any{"incoming_phone_numbers": found, "page": 0, "page_size": 1, "uri": r.URL.RequestURI()})
}

// service answers with a messaging service, or with its senders, as the Messaging API does: another host at Twilio.
func (s *Server) service(w http.ResponseWriter, r *http.Request) {
	r.SetPathValue("account", s.opt.AccountSID) // it does not stand in the path
	if !s.allow(w, r) {
		return
	}
	sid := r.PathValue("service")
	if s.opt.Services != nil && !slices.Contains(s.opt.Services, sid) {
		refuse(w, notFound(r))
		return
	}
	lists := map[string]string{"PhoneNumbers": "phone_numbers", "ShortCodes": "short_codes", "AlphaSenders": "alpha_senders"}
	kind := r.PathValue("senders")
	switch name, known := lists[kind]; {
	case kind == "":
		writeJSON(w, http.StatusOK, map[string]string{"sid": sid, "account_sid": s.opt.AccountSID, "friendly_name": "simulated"})
	case !known:
		refuse(w, notFound(r))
	default:
		senders := []map[string]string{}
		if kind == "PhoneNumbers" && !s.opt.EmptyPool {
			senders = append(senders, map[string]string{"phone_number": pool, "service_sid": sid})
		}
		writeJSON(w, http.StatusOK, map[string]any{name: senders, "meta": map[string]any{"page": 0, "page_size": 1}})
	}
}
