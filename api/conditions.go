package api

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Conditions make a write depend on what is stored (RFC 9110, section 13). It is exported because huma looks only into such
// fields.
type Conditions struct {
	IfMatch     string `header:"If-Match" maxLength:"200" doc:"Write only this version: the ETag of the answer that you read, such as \"7\", quotes included. * is any that is stored"`
	IfNoneMatch string `header:"If-None-Match" maxLength:"200" doc:"* writes only a customer who is not stored yet"`
}

// check answers 412 for another version than the caller wants to write; 0 is a customer who is not stored.
func (c *Conditions) check(version int64) error {
	changed := func(detail string) error {
		return newProblem(http.StatusPreconditionFailed, "changed_meanwhile", detail)
	}
	switch {
	case c.IfMatch != "" && !listed(c.IfMatch, version):
		if version == 0 {
			return changed("If-Match asks for a stored customer, and there is none with this id")
		}
		return changed("the customer is another version than If-Match names: read it again, and write with the ETag of that answer, quotes included")
	case c.IfNoneMatch != "" && listed(c.IfNoneMatch, version):
		return changed("If-None-Match asks for a customer who is not stored in this version, and it is")
	}
	return nil
}

// listed tells whether a list of tags names a version. Weak tags name none: what is written must be what was read.
func listed(tags string, version int64) bool {
	if strings.TrimSpace(tags) == "*" {
		return version > 0
	}
	return version > 0 && slices.ContainsFunc(strings.Split(tags, ","), func(tag string) bool {
		return strings.TrimSpace(tag) == etag(version)
	})
}

// etag is a version as HTTP carries it.
func etag(version int64) string { return strconv.Quote(strconv.FormatInt(version, 10)) }
