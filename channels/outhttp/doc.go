// Package outhttp is the one way out: every HTTP request of a channel leaves through its client.
//
// Endpoints come from browsers and partners, so a request must not be talked into our own network. A Guard says which
// hosts may be called. CheckURL applies it to a URL when it is handed in and again when it is used; Transport applies it
// to the address that was really connected, after DNS, so a name that changes its mind between the two gains nothing.
// Redirects are never followed, no proxy is used, and no error of this package holds a path, a query or credentials.
package outhttp
