package main

import "log/slog"

// What a process keeps open beside its live sockets.
const (
	engineFiles = 100 // to Kafka, Redis and SQL, a few of each, files, and the private listener
	callFiles   = 500 // connections that ask for something else than a live socket
	opsFiles    = 32  // of engineFiles: one Prometheus needs one
)

// fileShares is who gets how many of the files that a process may have open. Every share has its own bound, so that live
// sockets that take all of theirs leave room for calls, and a flood of calls leaves room for engines and providers.
type fileShares struct {
	allowed int // of the whole process
	public  int // connections of the public listener, live sockets among them
	sockets int
	ops     int // connections of the private listener
}

// shareFiles shares allowed files out. What the configuration asks for counts, as far as it fits: where files are few, the
// process itself gets half of them at most, and calls a quarter of the rest.
func shareFiles(allowed int, cfg *Config) fileShares {
	own := min(ownFiles(cfg), allowed/2)
	public := allowed - own
	return fileShares{
		allowed: allowed, public: public,
		sockets: min(cfg.HTTP.MaxSockets, public-min(callFiles, public/4)),
		ops:     max(1, min(opsFiles, own/4)),
	}
}

// ownFiles is what a process needs for itself: one connection for every message that is sent at the same time, and its
// engines.
func ownFiles(cfg *Config) int { return cfg.SMS.Lanes + cfg.Push.Lanes + engineFiles }

// filesFor is how many files have to be allowed for all live sockets that the configuration asks for.
func filesFor(cfg *Config) int { return cfg.HTTP.MaxSockets + callFiles + ownFiles(cfg) }

// tell warns the operator who asked for more live sockets than there can be.
func (s *fileShares) tell(asked int, log *slog.Logger) {
	if s.sockets < asked {
		log.Warn("the limit of open files leaves room for fewer live sockets than http.max_sockets: raise it (ulimit -n, LimitNOFILE), or lower http.max_sockets",
			slog.Int("open_files", s.allowed), slog.Int("http.max_sockets", asked), slog.Int("live_sockets", s.sockets))
	}
}
