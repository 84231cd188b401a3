package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"onmyway/notify"
)

// customerPatch is a JSON merge patch (RFC 7396) of a customerBody, as it came.
type customerPatch []byte

// UnmarshalJSON keeps the bytes.
func (p *customerPatch) UnmarshalJSON(b []byte) error {
	*p = slices.Clone(b)
	return nil
}

// Schema is that of a customerBody in which everything may be absent and everything may be null.
func (customerPatch) Schema(r huma.Registry) *huma.Schema {
	s := optional(huma.SchemaFromType(r, reflect.TypeFor[customerBody]()))
	s.Nullable = false
	s.Description = "A JSON merge patch: what is absent stays, null empties"
	s.PrecomputeMessages()
	return s
}

// optional copies a schema so that everything in it may be absent or null.
func optional(s *huma.Schema) *huma.Schema {
	o := *s
	o.Nullable, o.Required, o.Properties = true, nil, maps.Clone(s.Properties)
	for name, field := range o.Properties {
		o.Properties[name] = optional(field)
	}
	return &o
}

// write merges the patch into what is stored. Only the patch can be at fault: what is stored was checked when it came.
func (p customerPatch) write(c *notify.Customer, phone func(string) (string, bool)) error {
	var patch any
	if err := json.Unmarshal(p, &patch); err != nil {
		return fmt.Errorf("read the patch: %w", err)
	}
	stored, err := asMap(bodyOf(c))
	if err != nil {
		return err
	}
	whole, err := json.Marshal(merged(stored, patch))
	if err != nil {
		return fmt.Errorf("write the merged customer: %w", err)
	}
	var b customerBody
	if err := json.Unmarshal(whole, &b); err != nil {
		return fmt.Errorf("read the merged customer: %w", err)
	}
	if faults := b.check(phone); len(faults) > 0 {
		return invalidFields(faults)
	}
	return b.write(c)
}

// asMap is a body as encoding/json reads it into an any.
func asMap(b customerBody) (m map[string]any, err error) {
	text, err := json.Marshal(b)
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	if err != nil {
		return nil, fmt.Errorf("read the stored customer as JSON: %w", err)
	}
	return m, nil
}

// merged is the algorithm of RFC 7396, section 2. It changes target.
func merged(target, patch any) any {
	fields, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	into, ok := target.(map[string]any)
	if !ok {
		into = map[string]any{}
	}
	for name, value := range fields {
		if value == nil {
			delete(into, name)
			continue
		}
		into[name] = merged(into[name], value)
	}
	return into
}

// patchDocs says that the body may come as a merge patch, which it is, or as plain JSON.
func (s *server) patchDocs(op *huma.Operation) {
	op.Description = "Changes what the body names and leaves the rest: absent is unchanged, null is emptied (RFC 7396). Two people who change " +
		"different fields at once both succeed; If-Match makes sure that nobody changed anything since you read it."
	op.Metadata[fieldNames] = fieldsOf[customerBody]()
	body := &huma.MediaType{
		Schema:  customerPatch{}.Schema(s.api.OpenAPI().Components.Schemas),
		Example: json.RawMessage(`{"locale": "es-MX", "preferences": {"channels": {"sms": false}, "quiet_hours": null}}`),
	}
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"application/json": body, "application/merge-patch+json": body,
	}}
}
