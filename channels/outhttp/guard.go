package outhttp

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

// ErrForbidden is returned, wrapped with the reason, for a URL or an address that a Guard does not let through.
var ErrForbidden = errors.New("not an address we may call")

// Guard says where requests may go. The zero Guard lets any public host through, by https on port 443.
type Guard struct {
	// Hosts are the names that may be called: "fcm.googleapis.com" is that name alone, "*.push.apple.com" every name
	// below push.apple.com. Empty: any.
	Hosts []string
	// Private lets loopback and private addresses through, and IP literals and one-word names in URLs. Link-local
	// addresses, where clouds answer questions about credentials, stay closed.
	Private bool
	// Insecure lets http and other ports than 443 through.
	Insecure bool
}

// maxHost is the longest host name (RFC 1035, 2.3.4), without the trailing dot.
const maxHost = 253

// CheckURL tells whether g lets a request to u leave: https on port 443, no user and password, a host that g names. Names
// must be plain ASCII without trailing dot; every spelling of an IP address is refused unless g is Private. The error
// wraps ErrForbidden and holds no part of the URL.
func CheckURL(g Guard, u *url.URL) error {
	port := u.Port()
	switch {
	case u.Scheme != "https" && (!g.Insecure || u.Scheme != "http"):
		return forbidden("the scheme must be https")
	case u.User != nil:
		return forbidden("a URL with user or password is not taken")
	case u.Opaque != "" || u.Host == "":
		return forbidden("the URL names no host")
	case strings.HasSuffix(u.Host, ":"):
		return forbidden("the port is empty")
	case port != "" && port != "443" && !g.Insecure:
		return forbidden("the port must be 443")
	}
	return g.checkHost(u.Hostname())
}

// checkHost is the part of CheckURL that the dialer repeats.
func (g Guard) checkHost(host string) error {
	if _, err := netip.ParseAddr(host); err == nil {
		if !g.Private {
			return forbidden("the host must be a name, not an IP address")
		}
	} else if err := g.checkName(host); err != nil {
		return err
	}
	if !g.names(strings.ToLower(host)) {
		return forbidden("the host is not on the list of allowed hosts")
	}
	return nil
}

// checkName refuses whatever a resolver might read as something else than the name that it looks like.
func (g Guard) checkName(host string) error {
	if host == "" || len(host) > maxHost {
		return forbidden("the host name is empty or too long")
	}
	labels := strings.Split(host, ".")
	for _, l := range labels {
		if !isLabel(l) {
			return forbidden("the host is not a plain ASCII name (write IDNs as xn--, leave out a trailing dot)")
		}
	}
	last := labels[len(labels)-1]
	if isDigit(last[0]) { // no top-level domain starts with a digit; 127.1, 0x7f.1 and 2130706433 do
		return forbidden("the host must be a name, not an IP address")
	}
	if len(labels) == 1 && !g.Private {
		return forbidden("the host must be a full name, with a domain")
	}
	return nil
}

func isLabel(l string) bool {
	if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' {
		return false
	}
	for i := range len(l) {
		c := l[i] | 0x20
		if (c < 'a' || c > 'z') && !isDigit(l[i]) && l[i] != '-' && l[i] != '_' {
			return false
		}
	}
	return true
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// names tells whether a host in lower case is on the list.
func (g Guard) names(host string) bool {
	if len(g.Hosts) == 0 {
		return true
	}
	for _, h := range g.Hosts {
		h = strings.ToLower(h)
		if below, ok := strings.CutPrefix(h, "*"); ok {
			if strings.HasPrefix(below, ".") && len(host) > len(below) && strings.HasSuffix(host, below) {
				return true
			}
		} else if host == h {
			return true
		}
	}
	return false
}

func forbidden(why string) error { return fmt.Errorf("%w: %s", ErrForbidden, why) }
